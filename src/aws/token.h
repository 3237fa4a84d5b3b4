/* A file whose text is a token, as Kubernetes and ECS write them. */
#ifndef AWS_TOKEN_H
#define AWS_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

/* Reads the whole file into out, NUL-terminated. False, with a line in why that names the file:
   it cannot be read, is empty, or does not fit. The caller wipes out. */
bool token_read(const char *path, char *out, size_t size, char *why, size_t why_size);

#endif

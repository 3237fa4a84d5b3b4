/* Runs a shell command and takes what it prints, bounded in time and size. */
#ifndef AWS_COMMAND_H
#define AWS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

/* Runs it by /bin/sh with nothing on standard input. True when it exits with 0 within total_ms
   and prints less than size bytes; *n says how many. Otherwise it and its children are killed,
   and why says why. The output is never part of that. */
bool command_run(const char *command, int total_ms, char *out, size_t size, size_t *n,
                 char *why, size_t why_size);

#endif

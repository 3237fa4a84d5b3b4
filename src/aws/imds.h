/* The metadata service of an EC2 instance, version 2 only: a token first, then questions. */
#ifndef AWS_IMDS_H
#define AWS_IMDS_H

#include <stdbool.h>
#include <stddef.h>

#include "aws/http.h"

struct imds {
    struct http *http;
    char base[128];
    char token_header[256];
};

/* Gets a token. False, with a line in why, where the service is switched off or out of reach,
   and in an ECS task: there it would answer for the instance, not for the task. */
bool imds_open(struct imds *imds, struct http *http, char *why, size_t why_size);

/* Asks for a path ("/latest/meta-data/..."). True for an answer with status 200, which the
   caller frees. */
bool imds_get(struct imds *imds, const char *path, struct http_response *response, char *why,
              size_t why_size);

#endif

/* Systems Manager's Parameter Store: two of its calls, in the JSON 1.1 protocol. */
#ifndef AWS_SSM_H
#define AWS_SSM_H

#include <stdbool.h>
#include <stdint.h>

#include "aws/credentials.h"
#include "aws/http.h"
#include "aws/place.h"
#include "mode/source.h"

struct ssm {
    struct http *http;
    struct credentials_cache credentials;
    struct place place; /* found at the first call; an empty URL: not yet */
};

/* Prepares; calls nobody. False: no memory. */
bool ssm_open(struct ssm *ssm);

/* Wipes the credentials. */
void ssm_close(struct ssm *ssm);

/* Reads a parameter, decrypted where it is a SecureString. */
bool ssm_get(struct ssm *ssm, const char *name, struct reading *out,
             struct source_fault *fault);

/* Overwrites a parameter that exists; its type stays. */
bool ssm_put(struct ssm *ssm, const char *name, const char *value, uint64_t *version,
             struct source_fault *fault);

#endif

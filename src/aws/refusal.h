/* What AWS said when it did not do what we asked: read from JSON or XML, told in one line. */
#ifndef AWS_REFUSAL_H
#define AWS_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "aws/http.h"
#include "mode/source.h"

/* Fills *fault from an answer whose status is not 200: AWS's error code ("Http503" where it
   gives none), its message, the request id, and by how much our clock is wrong where that may
   be the reason. hide: secrets, ended by NULL, that AWS may have quoted back to us; never left
   in the text. now_ms: clock_wall_ms(). */
void refusal_read(const struct http_response *response, const char *const hide[],
                  int64_t now_ms, struct source_fault *fault);

/* Does this code mean that the credentials are no longer, or not yet, good? */
bool refusal_of_credentials(const char *code);

#endif

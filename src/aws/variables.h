/* Environment variables as AWS's SDKs read them: an empty one is not set. */
#ifndef AWS_VARIABLES_H
#define AWS_VARIABLES_H

#include <stdbool.h>

/* The value, or NULL. */
const char *variable(const char *name);

/* Is the text "true", in any case? NULL is not. */
bool is_true(const char *text);

#endif

/* AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN. */
#include "aws/credentials.h"

#include <stdio.h>

#include "aws/variables.h"

static enum provided ask(struct http *http, struct credentials *out, char *why, size_t why_size)
{
    const char *key = variable("AWS_ACCESS_KEY_ID");

    (void)http;
    if (key == NULL) {
        snprintf(why, why_size, "AWS_ACCESS_KEY_ID is not set");
        return ABSENT;
    }
    if (variable("AWS_SECRET_ACCESS_KEY") == NULL) {
        snprintf(why, why_size, "AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not");
        return BROKEN;
    }
    return credentials_take(out, key, variable("AWS_SECRET_ACCESS_KEY"),
                            variable("AWS_SESSION_TOKEN"), NULL, why, why_size)
               ? PROVIDED
               : BROKEN;
}

const struct provider provider_environment = {.name = "environment", .ask = ask};

/* The environment, read anew each time: nothing here changes it. */
#include "aws/variables.h"

#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

bool is_true(const char *text)
{
    return text != NULL && strcasecmp(text, "true") == 0;
}

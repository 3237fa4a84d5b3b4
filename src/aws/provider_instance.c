/* The role of the EC2 instance. The last to be asked: what it has belongs to the machine. */
#include "aws/credentials.h"

#include <stdio.h>
#include <string.h>

#include "aws/imds.h"

#define ROLES "/latest/meta-data/iam/security-credentials/"

/* Asks for the role's name. */
static bool find_role(struct imds *imds, char *path, size_t size, char *why, size_t why_size)
{
    struct http_response response;
    size_t n;

    if (!imds_get(imds, ROLES, &response, why, why_size)) {
        return false;
    }
    n = strcspn(response.body, "\r\n");
    snprintf(path, size, ROLES "%.*s", (int)(n < 128 ? n : 128), response.body);
    http_response_free(&response);
    if (n == 0) {
        snprintf(why, why_size, "the instance has no role");
        return false;
    }
    return true;
}

static enum provided ask(struct http *http, struct credentials *out, char *why, size_t why_size)
{
    struct imds imds;
    struct http_response response;
    char path[256];
    bool done;

    if (!imds_open(&imds, http, why, why_size) ||
        !find_role(&imds, path, sizeof path, why, why_size)) {
        return ABSENT;
    }
    if (!imds_get(&imds, path, &response, why, why_size)) {
        return BROKEN;
    }
    done = credentials_from_json(out, response.body, response.length, FORM_ENDPOINT, why,
                                 why_size);
    http_response_free(&response);
    return done ? PROVIDED : BROKEN;
}

const struct provider provider_instance = {.name = "instance", .ask = ask};

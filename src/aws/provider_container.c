/* The endpoint that ECS (relative URI) and EKS (full URI) give a container for its role. */
#include "aws/credentials.h"

#include <stdio.h>
#include <string.h>

#include "aws/endpoint.h"
#include "aws/token.h"
#include "aws/variables.h"

#define ECS_HOST "http://169.254.170.2"

static const char *const link_local[] = {"169.254.170.2", "169.254.170.23", "fd00:ec2::23"};

/* Plain HTTP only where nobody can listen in. */
static bool is_allowed(const char *url, const char *host)
{
    if (strncmp(url, "https://", 8) == 0 || endpoint_is_loopback(host)) {
        return true;
    }
    for (size_t i = 0; i < sizeof link_local / sizeof link_local[0]; i++) {
        if (strcmp(host, link_local[i]) == 0) {
            return true;
        }
    }
    return false;
}

static enum provided find_url(char *url, size_t size, char *why, size_t why_size)
{
    const char *relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    char host[ENDPOINT_SIZE];
    int n;

    if (relative == NULL && full == NULL) {
        snprintf(why, why_size,
                 "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set");
        return ABSENT;
    }
    n = snprintf(url, size, "%s%s", relative != NULL ? ECS_HOST : "",
                 relative != NULL ? relative : full);
    if (n >= (int)size || (relative != NULL && relative[0] != '/') ||
        !endpoint_host(url, host, sizeof host)) {
        snprintf(why, why_size, "'%.100s' is no URI", relative != NULL ? relative : full);
        return BROKEN;
    }
    if (!is_allowed(url, host)) {
        snprintf(why, why_size,
                 "http is allowed to loopback and the ECS and EKS addresses, not to %.80s",
                 host);
        return BROKEN;
    }
    return PROVIDED;
}

/* Writes the Authorization header; an empty one where no token is given. */
static bool find_header(char *header, size_t size, char *why, size_t why_size)
{
    const char *path = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    char text[4096] = "";

    header[0] = '\0';
    if (path != NULL) {
        if (!token_read(path, text, sizeof text, why, why_size)) {
            return false;
        }
        token = text;
    }
    if (token == NULL) {
        return true;
    }
    if (strpbrk(token, "\r\n") != NULL ||
        snprintf(header, size, "Authorization: %s", token) >= (int)size) {
        snprintf(why, why_size, "the authorization token is too long or has a line end in it");
        return false;
    }
    return true;
}

static enum provided ask(struct http *http, struct credentials *out, char *why, size_t why_size)
{
    char url[512], header[4200];
    struct http_request request = {.url = url,
                                   .headers = {header},
                                   .connect_ms = 1000,
                                   .total_ms = 2000,
                                   .max_bytes = 65536,
                                   .direct = true};
    struct http_response response;
    struct source_fault fault;
    enum provided result = find_url(url, sizeof url, why, why_size);

    if (result != PROVIDED) {
        return result;
    }
    if (!find_header(header, sizeof header, why, why_size)) {
        return BROKEN;
    }
    if (header[0] == '\0') {
        request.headers[0] = NULL;
    }
    if (!http_send(http, &request, &response, &fault)) {
        snprintf(why, why_size, "%s", fault.text);
        return BROKEN;
    }
    if (response.status != 200) {
        snprintf(why, why_size, "the endpoint answers with HTTP status %ld", response.status);
        result = BROKEN;
    } else if (!credentials_from_json(out, response.body, response.length, FORM_ENDPOINT, why,
                                      why_size)) {
        result = BROKEN;
    }
    http_response_free(&response);
    explicit_bzero(header, sizeof header);
    return result;
}

const struct provider provider_container = {.name = "container", .ask = ask};

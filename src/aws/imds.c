/* Each opening gets a token of its own: it is asked for once in hours, so none is kept. */
#include "aws/imds.h"

#include <stdio.h>
#include <string.h>

#include "aws/endpoint.h"
#include "aws/variables.h"
#include "base/parse.h"

#define BASE_V4 "http://169.254.169.254"
#define BASE_V6 "http://[fd00:ec2::254]"

/* Why the service is not to be asked, or NULL. */
static const char *objection(void)
{
    if (is_true(variable("AWS_EC2_METADATA_DISABLED"))) {
        return "AWS_EC2_METADATA_DISABLED is true";
    }
    if (variable("ECS_CONTAINER_METADATA_URI_V4") != NULL) {
        return "not asked in an ECS task";
    }
    return NULL;
}

/* The address, which a variable may move, though not to where others could answer. */
static bool find_base(char *out, size_t size, char *why, size_t why_size)
{
    const char *named = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *family = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    char host[ENDPOINT_SIZE];
    size_t n;

    if (named == NULL) {
        named = family != NULL && strcasecmp(family, "ipv6") == 0 ? BASE_V6 : BASE_V4;
    }
    n = (size_t)snprintf(out, size, "%s", named);
    if (n >= size || !endpoint_host(named, host, sizeof host) ||
        !(endpoint_is_loopback(host) || strcmp(host, "169.254.169.254") == 0 ||
          strcmp(host, "fd00:ec2::254") == 0)) {
        snprintf(why, why_size,
                 "AWS_EC2_METADATA_SERVICE_ENDPOINT is no URL on this machine or link");
        return false;
    }
    if (out[n - 1] == '/') {
        out[n - 1] = '\0';
    }
    return true;
}

static int patience_ms(void)
{
    const char *text = variable("AWS_METADATA_SERVICE_TIMEOUT");
    int64_t ms;

    return text != NULL && parse_duration(text, 10, 10000, &ms) ? (int)ms : 1000;
}

/* One exchange that has to end with status 200. */
static bool ask(struct imds *imds, const char *path, const char *method, const char *header,
                struct http_response *response, char *why, size_t why_size)
{
    char url[512];
    struct http_request request = {.url = url,
                                   .method = method,
                                   .body = method != NULL ? "" : NULL,
                                   .headers = {header, "Content-Type:"},
                                   .connect_ms = patience_ms(),
                                   .total_ms = patience_ms(),
                                   .max_bytes = 65536,
                                   .direct = true};
    struct source_fault fault;

    snprintf(url, sizeof url, "%s%s", imds->base, path);
    if (!http_send(imds->http, &request, response, &fault)) {
        snprintf(why, why_size, "%s", fault.text);
        return false;
    }
    if (response->status != 200) {
        snprintf(why, why_size, "HTTP status %ld for %.100s", response->status, path);
        http_response_free(response);
        return false;
    }
    return true;
}

bool imds_open(struct imds *imds, struct http *http, char *why, size_t why_size)
{
    const char *no = objection();
    struct http_response response;
    int n;

    *imds = (struct imds){.http = http};
    if (no != NULL) {
        snprintf(why, why_size, "%s", no);
        return false;
    }
    if (!find_base(imds->base, sizeof imds->base, why, why_size) ||
        !ask(imds, "/latest/api/token", "PUT", "X-aws-ec2-metadata-token-ttl-seconds: 60",
             &response, why, why_size)) {
        return false;
    }
    n = snprintf(imds->token_header, sizeof imds->token_header, "X-aws-ec2-metadata-token: %s",
                 response.body);
    http_response_free(&response);
    if (n >= (int)sizeof imds->token_header || strpbrk(imds->token_header, "\r\n") != NULL) {
        snprintf(why, why_size, "its token is too long or has a line end in it");
        return false;
    }
    return true;
}

bool imds_get(struct imds *imds, const char *path, struct http_response *response, char *why,
              size_t why_size)
{
    return ask(imds, path, NULL, imds->token_header, response, why, why_size);
}

/* A role, for a token that somebody else vouches with (EKS, CI systems): STS's
   AssumeRoleWithWebIdentity, which needs no signature. */
#include "aws/credentials.h"

#include <stdio.h>
#include <string.h>

#include "aws/place.h"
#include "aws/refusal.h"
#include "aws/token.h"
#include "aws/variables.h"
#include "aws/xml.h"
#include "base/buf.h"
#include "base/clock.h"

#define TOKEN_MAX 20000 /* what STS takes */

/* Adds "&name=value" as a form has it. */
static bool add_field(struct buf *form, const char *name, const char *value)
{
    bool fits = buf_addf(form, "&%s=", name);

    for (; fits && *value != '\0'; value++) {
        unsigned char c = (unsigned char)*value;

        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
            strchr("-._~", c) != NULL) {
            fits = buf_addc(form, (char)c);
        } else {
            fits = buf_addf(form, "%%%02X", c);
        }
    }
    return fits;
}

static bool make_form(struct buf *form, const char *role, const char *token)
{
    const char *session = variable("AWS_ROLE_SESSION_NAME");

    return buf_adds(form, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15") &&
           add_field(form, "RoleArn", role) &&
           add_field(form, "RoleSessionName", session != NULL ? session : "sinkhole") &&
           add_field(form, "WebIdentityToken", token) && buf_addc(form, '\0');
}

static bool read_answer(const char *xml, struct credentials *out, char *why, size_t why_size)
{
    struct credentials found;
    char expires[64];
    bool done;

    if (!xml_text(xml, "AccessKeyId", found.key, sizeof found.key) ||
        !xml_text(xml, "SecretAccessKey", found.secret, sizeof found.secret) ||
        !xml_text(xml, "SessionToken", found.token, sizeof found.token) ||
        !xml_text(xml, "Expiration", expires, sizeof expires)) {
        snprintf(why, why_size, "STS answered without credentials");
        return false;
    }
    done = credentials_take(out, found.key, found.secret, found.token, expires, why, why_size);
    explicit_bzero(&found, sizeof found);
    return done;
}

/* Sends the form; STS's refusal quotes no token back, but who knows. */
static bool exchange(struct http *http, const char *form, const char *token,
                     struct credentials *out, char *why, size_t why_size)
{
    struct place place;
    struct http_request request = {.url = place.url,
                                   .body = form,
                                   .connect_ms = 2000,
                                   .total_ms = 5000,
                                   .max_bytes = 65536};
    struct http_response response;
    struct source_fault fault;
    const char *const hide[] = {token, NULL};
    bool done = false;

    if (!place_find(http, SERVICE_STS, &place, &fault) ||
        !http_send(http, &request, &response, &fault)) {
        snprintf(why, why_size, "%s", fault.text);
        return false;
    }
    if (response.status == 200) {
        done = read_answer(response.body, out, why, why_size);
    } else {
        refusal_read(&response, hide, clock_wall_ms(), &fault);
        snprintf(why, why_size, "%s: %s", fault.code, fault.text);
    }
    http_response_free(&response);
    return done;
}

static enum provided ask(struct http *http, struct credentials *out, char *why, size_t why_size)
{
    const char *path = variable("AWS_WEB_IDENTITY_TOKEN_FILE");
    const char *role = variable("AWS_ROLE_ARN");
    char token[TOKEN_MAX + 1], form_text[3 * TOKEN_MAX + 4096];
    struct buf form = buf_over(form_text, sizeof form_text);
    bool done = false;

    if (path == NULL || role == NULL) {
        snprintf(why, why_size, "AWS_WEB_IDENTITY_TOKEN_FILE or AWS_ROLE_ARN is not set");
        return ABSENT;
    }
    if (!token_read(path, token, sizeof token, why, why_size)) {
        return BROKEN;
    }
    token[strcspn(token, " \r\n")] = '\0';
    if (make_form(&form, role, token)) {
        done = exchange(http, form_text, token, out, why, why_size);
    } else {
        snprintf(why, why_size, "AWS_ROLE_ARN or AWS_ROLE_SESSION_NAME is too long");
    }
    explicit_bzero(token, sizeof token);
    explicit_bzero(form_text, sizeof form_text);
    return done ? PROVIDED : BROKEN;
}

const struct provider provider_web_identity = {.name = "web identity", .ask = ask};

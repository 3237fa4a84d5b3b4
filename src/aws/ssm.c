/* A call is a signed POST; its answer is read with suspicion. */
#include "aws/ssm.h"

#include <stdio.h>
#include <string.h>

#include "aws/json.h"
#include "aws/refusal.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonout.h"

#define CONNECT_MS 2000
#define TOTAL_MS   5000
#define ANSWER_MAX 65536

bool ssm_open(struct ssm *ssm)
{
    *ssm = (struct ssm){.http = http_open()};
    return ssm->http != NULL;
}

void ssm_close(struct ssm *ssm)
{
    http_close(ssm->http);
    explicit_bzero(ssm, sizeof *ssm);
}

/* -- calling ------------------------------------------------------------------------------ */

/* One request under the credentials of the moment. True: status 200, *json is the caller's. */
static bool send_once(struct ssm *ssm, const char *target, const char *body, struct json **json,
                      struct source_fault *fault)
{
    const struct credentials *who = &ssm->credentials.now;
    char token[sizeof who->token + 32], target_header[64];
    struct http_signing sign = {
        .region = ssm->place.region, .service = "ssm", .key = who->key, .secret = who->secret};
    struct http_request request = {
        .url = ssm->place.url,
        .body = body,
        .headers = {"Content-Type: application/x-amz-json-1.1", target_header},
        .sign = &sign,
        .connect_ms = CONNECT_MS,
        .total_ms = TOTAL_MS,
        .max_bytes = ANSWER_MAX};
    const char *const hide[] = {who->secret, who->token, who->key, NULL};
    struct http_response response;
    bool sent;

    snprintf(target_header, sizeof target_header, "X-Amz-Target: AmazonSSM.%s", target);
    if (who->token[0] != '\0') {
        snprintf(token, sizeof token, "X-Amz-Security-Token: %s", who->token);
        request.headers[2] = token;
    }
    *json = NULL;
    sent = http_send(ssm->http, &request, &response, fault);
    explicit_bzero(token, sizeof token);
    if (!sent) {
        return false;
    }
    if (response.status != 200) {
        refusal_read(&response, hide, clock_wall_ms(), fault);
    } else if ((*json = json_read(response.body, response.length)) == NULL) {
        const char *id = response.headers[HTTP_REQUEST_ID];

        source_fault_set(fault, "BadAnswer", "SSM answered %s with what is not JSON%s%s",
                         target, id[0] != '\0' ? ", request " : "", id);
    }
    http_response_free(&response);
    return *json != NULL;
}

/* Credentials may have been replaced behind our back: when kept ones are refused, new ones are
   tried at once. */
static bool call(struct ssm *ssm, const char *target, const char *body, struct json **json,
                 struct source_fault *fault)
{
    bool fresh;

    if (ssm->place.url[0] == '\0' && !place_find(ssm->http, SERVICE_SSM, &ssm->place, fault)) {
        ssm->place.url[0] = '\0';
        return false;
    }
    for (;;) {
        if (!credentials_get(&ssm->credentials, ssm->http, &fresh, fault)) {
            return false;
        }
        if (send_once(ssm, target, body, json, fault)) {
            return true;
        }
        if (!refusal_of_credentials(fault->code)) {
            return false;
        }
        credentials_forget(&ssm->credentials);
        if (fresh) {
            return false;
        }
    }
}

/* -- the calls ---------------------------------------------------------------------------- */

/* Ends the object that a jsonout has begun, as text. */
static bool end_body(struct jsonout *j, struct source_fault *fault)
{
    jsonout_close(j, '{');
    if (j->overflow || !buf_addc(j->to, '\0')) {
        source_fault_set(fault, "BadRequest", "the parameter's name or value is too long");
        return false;
    }
    return true;
}

static bool read_parameter(const struct json *json, struct reading *out)
{
    const char *value = json_text(json, "Parameter.Value");
    const char *type = json_text(json, "Parameter.Type");
    int64_t version;

    if (value == NULL || type == NULL || !json_number(json, "Parameter.Version", &version) ||
        version < 1) {
        return false;
    }
    *out = (struct reading){.version = (uint64_t)version,
                            .secret = strcmp(type, "SecureString") == 0};
    out->length = (size_t)snprintf(out->value, sizeof out->value, "%s", value);
    if (out->length >= sizeof out->value) {
        out->length = sizeof out->value - 1;
    }
    return true;
}

bool ssm_get(struct ssm *ssm, const char *name, struct reading *out, struct source_fault *fault)
{
    char text[1024];
    struct buf body = buf_over(text, sizeof text);
    struct jsonout j = jsonout_to(&body);
    struct json *json;
    bool read;

    jsonout_open(&j, NULL, '{');
    jsonout_str(&j, "Name", name);
    jsonout_bool(&j, "WithDecryption", true);
    if (!end_body(&j, fault) || !call(ssm, "GetParameter", text, &json, fault)) {
        return false;
    }
    read = read_parameter(json, out);
    json_free(json);
    if (!read) {
        source_fault_set(fault, "BadAnswer",
                         "SSM answered without a value, type and version of the parameter");
    }
    return read;
}

bool ssm_put(struct ssm *ssm, const char *name, const char *value, uint64_t *version,
             struct source_fault *fault)
{
    char text[2048];
    struct buf body = buf_over(text, sizeof text);
    struct jsonout j = jsonout_to(&body);
    struct json *json;
    int64_t number = 0;

    jsonout_open(&j, NULL, '{');
    jsonout_str(&j, "Name", name);
    jsonout_str(&j, "Value", value);
    jsonout_bool(&j, "Overwrite", true);
    if (!end_body(&j, fault) || !call(ssm, "PutParameter", text, &json, fault)) {
        return false;
    }
    if (json_number(json, "Version", &number) && number > 0) {
        *version = (uint64_t)number;
    }
    json_free(json);
    return true;
}

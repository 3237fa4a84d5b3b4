/* Error codes are listed in tables: what they mean for the next try, and nothing else, depends
   on them. */
#include "aws/refusal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/json.h"
#include "aws/times.h"
#include "aws/xml.h"
#include "base/parse.h"

/* AWS takes requests that are at most five minutes old. */
#define SKEW_MS (4 * 60 * 1000)

#define MESSAGE_MAX 4096
#define HIDDEN      "[hidden]"

static const char *const throttling[] = {
    "ThrottlingException",
    "Throttling",
    "ThrottledException",
    "RequestThrottled",
    "RequestLimitExceeded",
    "RequestThrottledException",
    "SlowDown",
    "BandwidthLimitExceeded",
    "TooManyRequestsException",
    "TooManyUpdates",
    "Http429",
};

static const char *const credential_codes[] = {
    "ExpiredTokenException", "ExpiredToken",
    "InvalidClientTokenId",  "UnrecognizedClientException",
    "InvalidAccessKeyId",    "InvalidToken",
    "SignatureDoesNotMatch", "InvalidSignatureException",
};

#define COUNT(table) (sizeof table / sizeof table[0])

static bool is_among(const char *const table[], size_t count, const char *code)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i], code) == 0) {
            return true;
        }
    }
    return false;
}

bool refusal_of_credentials(const char *code)
{
    return is_among(credential_codes, COUNT(credential_codes), code);
}

/* -- reading ------------------------------------------------------------------------------ */

/* "com.amazonaws.ssm#ParameterNotFound:http://..." -> "ParameterNotFound" */
static void copy_code(char *out, size_t size, const char *text)
{
    const char *hash = strchr(text, '#');
    const char *from = hash != NULL ? hash + 1 : text;
    size_t n =
        strspn(from, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    snprintf(out, size, "%.*s", (int)n, from);
}

static void read_json(const struct json *json, char *code, size_t code_size, char *message)
{
    static const char *const message_names[] = {"message", "Message", "errorMessage"};
    const char *type = json_text(json, "__type");

    if (type != NULL && code[0] == '\0') {
        copy_code(code, code_size, type);
    }
    for (size_t i = 0; i < COUNT(message_names); i++) {
        const char *text = json_text(json, message_names[i]);

        if (text != NULL && message[0] == '\0') {
            snprintf(message, MESSAGE_MAX, "%s", text);
        }
    }
}

static void read_answer(const struct http_response *response, char *code, size_t code_size,
                        char *message, char *request_id, size_t id_size)
{
    struct json *json = json_read(response->body, response->length);

    copy_code(code, code_size, response->headers[HTTP_ERROR_TYPE]);
    snprintf(request_id, id_size, "%.63s", response->headers[HTTP_REQUEST_ID]);
    if (json != NULL) {
        read_json(json, code, code_size, message);
        json_free(json);
    } else {
        char text[64];

        if (code[0] == '\0' && xml_text(response->body, "Code", text, sizeof text)) {
            copy_code(code, code_size, text);
        }
        if (!xml_text(response->body, "Message", message, MESSAGE_MAX)) {
            message[0] = '\0';
        }
        if (request_id[0] == '\0' &&
            !xml_text(response->body, "RequestId", request_id, id_size)) {
            request_id[0] = '\0';
        }
    }
    if (code[0] == '\0') {
        snprintf(code, code_size, "Http%ld", response->status);
    }
}

/* -- telling ------------------------------------------------------------------------------ */

static void hide_text(char *message, const char *secret)
{
    size_t n = strlen(secret);
    char *at = message;

    /* What is shorter than the mark is no credential, and might be any word. */
    while (n >= strlen(HIDDEN) && (at = strstr(at, secret)) != NULL) {
        memcpy(at, HIDDEN, strlen(HIDDEN));
        memmove(at + strlen(HIDDEN), at + n, strlen(at + n) + 1);
    }
}

/* A refused signature is answered with all that should have been signed, the token among it. */
static void clean_message(char *message, const struct credentials *hide)
{
    char *rest = strstr(message, "The Canonical String");

    if (rest != NULL) {
        *rest = '\0';
    }
    message[strcspn(message, "\r\n")] = '\0';
    hide_text(message, hide->secret);
    hide_text(message, hide->token);
    hide_text(message, hide->key);
}

/* "; this machine's clock is 17 min behind AWS's" where it is. */
static void tell_skew(const struct http_response *response, int64_t now_ms, char *out,
                      size_t size)
{
    char text[48];
    int64_t theirs, off;

    out[0] = '\0';
    if (!times_http(response->headers[HTTP_DATE], &theirs)) {
        return;
    }
    off = now_ms - theirs;
    if (off > SKEW_MS || off < -SKEW_MS) {
        format_duration(off < 0 ? -off : off, text, sizeof text);
        snprintf(out, size, "; this machine's clock is %s %s AWS's", text,
                 off < 0 ? "behind" : "ahead of");
    }
}

void refusal_read(const struct http_response *response, const struct credentials *hide,
                  int64_t now_ms, struct source_fault *fault)
{
    char code[sizeof fault->code] = "", message[MESSAGE_MAX] = "", request_id[64] = "",
                     skew[96];
    char tail[192];

    read_answer(response, code, sizeof code, message, request_id, sizeof request_id);
    clean_message(message, hide);
    clean_message(request_id, hide);
    clean_message(code, hide);
    tell_skew(response, now_ms, skew, sizeof skew);
    /* The message is what may be cut: the rest must stay. */
    snprintf(tail, sizeof tail, " (HTTP %ld%s%.64s)%s", response->status,
             request_id[0] != '\0' ? ", request " : "", request_id, skew);
    source_fault_set(fault, code, "%.*s%s", (int)(SOURCE_FAULT_SIZE - 1 - strlen(tail)),
                     message[0] != '\0' ? message : "no message", tail);
    fault->throttled = is_among(throttling, COUNT(throttling), code);
    fault->retry_after_ms = times_retry_after(response->headers[HTTP_RETRY_AFTER], now_ms);
    explicit_bzero(message, sizeof message);
}

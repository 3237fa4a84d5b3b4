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

#define HIDDEN "[hidden]"

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

/* What codes and request ids are made of; the rest of the text is left out. */
static void copy_word(char *out, size_t size, const char *text)
{
    size_t n =
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    snprintf(out, size, "%.*s", (int)n, text);
}

/* "com.amazonaws.ssm#ParameterNotFound:http://..." -> "ParameterNotFound" */
static void copy_code(char *out, size_t size, const char *text)
{
    const char *hash = strchr(text, '#');

    copy_word(out, size, hash != NULL ? hash + 1 : text);
}

/* The parts of a refusal. message has room for the whole answer: what is cut before it is
   cleaned might keep half a secret. */
struct parts {
    char code[64], request_id[128];
    char *message;
    size_t room;
};

static void read_json(const struct json *json, struct parts *parts)
{
    static const char *const message_names[] = {"message", "Message", "errorMessage"};
    const char *type = json_text(json, "__type");

    if (type != NULL && parts->code[0] == '\0') {
        copy_code(parts->code, sizeof parts->code, type);
    }
    for (size_t i = 0; i < COUNT(message_names); i++) {
        const char *text = json_text(json, message_names[i]);

        if (text != NULL && parts->message[0] == '\0') {
            snprintf(parts->message, parts->room, "%s", text);
        }
    }
}

static void read_xml(const char *document, struct parts *parts)
{
    char text[64];

    if (parts->code[0] == '\0' && xml_text(document, "Code", text, sizeof text)) {
        copy_code(parts->code, sizeof parts->code, text);
    }
    if (!xml_text(document, "Message", parts->message, parts->room)) {
        parts->message[0] = '\0';
    }
    if (parts->request_id[0] == '\0' && xml_text(document, "RequestId", text, sizeof text)) {
        copy_word(parts->request_id, sizeof parts->request_id, text);
    }
}

static void read_answer(const struct http_response *response, struct parts *parts)
{
    struct json *json = json_read(response->body, response->length);

    copy_code(parts->code, sizeof parts->code, response->headers[HTTP_ERROR_TYPE]);
    copy_word(parts->request_id, sizeof parts->request_id, response->headers[HTTP_REQUEST_ID]);
    if (json != NULL) {
        read_json(json, parts);
        json_free(json);
    } else {
        read_xml(response->body, parts);
    }
    if (parts->code[0] == '\0') {
        snprintf(parts->code, sizeof parts->code, "Http%ld", response->status);
    }
}

/* -- telling ------------------------------------------------------------------------------- */

static void hide_text(char *text, const char *secret)
{
    size_t n = strlen(secret);
    char *at = text;

    /* What is shorter than the mark is no credential, and might be any word. */
    while (n >= strlen(HIDDEN) && (at = strstr(at, secret)) != NULL) {
        memcpy(at, HIDDEN, strlen(HIDDEN));
        memmove(at + strlen(HIDDEN), at + n, strlen(at + n) + 1);
    }
}

static void hide_all(char *text, const char *const hide[])
{
    for (; *hide != NULL; hide++) {
        hide_text(text, *hide);
    }
}

/* A refused signature is answered with all that should have been signed, the token among it. */
static void clean(struct parts *parts, const char *const hide[])
{
    char *rest = strstr(parts->message, "The Canonical String");

    if (rest != NULL) {
        *rest = '\0';
    }
    parts->message[strcspn(parts->message, "\r\n")] = '\0';
    hide_all(parts->message, hide);
    hide_all(parts->code, hide);
    hide_all(parts->request_id, hide);
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

void refusal_read(const struct http_response *response, const char *const hide[],
                  int64_t now_ms, struct source_fault *fault)
{
    struct parts parts = {.room = response->length + 1};
    char skew[96], tail[192];

    parts.message = calloc(1, parts.room);
    if (parts.message == NULL) {
        source_fault_set(fault, "ENOMEM", "no memory to read an answer with status %ld",
                         response->status);
        return;
    }
    read_answer(response, &parts);
    clean(&parts, hide);
    tell_skew(response, now_ms, skew, sizeof skew);
    /* The message is what may be cut: the rest must stay. */
    snprintf(tail, sizeof tail, " (HTTP %ld%s%.64s)%s", response->status,
             parts.request_id[0] != '\0' ? ", request " : "", parts.request_id, skew);
    source_fault_set(fault, parts.code, "%.*s%s", (int)(SOURCE_FAULT_SIZE - 1 - strlen(tail)),
                     parts.message[0] != '\0' ? parts.message : "no message", tail);
    fault->throttled =
        response->status == 429 || is_among(throttling, COUNT(throttling), parts.code);
    fault->retry_after_ms = times_retry_after(response->headers[HTTP_RETRY_AFTER], now_ms);
    explicit_bzero(parts.message, parts.room);
    free(parts.message);
}

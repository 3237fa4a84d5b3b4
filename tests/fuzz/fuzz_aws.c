/* What AWS, or somebody in its place, answers: JSON and XML, read for values and for
   refusals. */
#include "aws/refusal.h"

#include "aws/credentials.h"
#include "aws/json.h"
#include "aws/xml.h"
#include "fuzz.h"

static void read_json(const char *text, size_t n)
{
    struct json *json = json_read(text, n);
    const char *value;
    int64_t number;

    if (json == NULL) {
        return;
    }
    value = json_text(json, "Parameter.Value");
    MUST(value == NULL || strlen(value) <= n);
    json_number(json, "Parameter.Version", &number);
    MUST(json_text(json, "Parameter..") == NULL || n > 0);
    json_free(json);
}

static void read_credentials(const char *text, size_t n)
{
    struct credentials who = {.expires_ms = 0};
    char why[128];

    if (credentials_from_json(&who, text, n, FORM_ENDPOINT, why, sizeof why)) {
        MUST(who.key[0] != '\0' && strlen(who.key) < sizeof who.key);
        MUST(strchr(who.token, '\n') == NULL && strchr(who.token, '\r') == NULL);
    }
}

/* The first bytes stand for the status and the length of a header. */
static void read_refusal(const char *text, size_t n)
{
    struct http_response response = {.status = 400, .body = NULL, .length = n};
    const char *const hide[] = {"SecretSecretSecret", "TokenTokenToken", NULL};
    struct source_fault fault = {.throttled = false};

    response.body = malloc(n + 1);
    MUST(response.body != NULL);
    memcpy(response.body, text, n);
    response.body[n] = '\0';
    for (int i = 0; i < HTTP_HEADERS; i++) {
        snprintf(response.headers[i], sizeof response.headers[i], "%.100s", response.body);
    }
    refusal_read(&response, hide, 0, &fault);
    MUST(memchr(fault.code, '\0', sizeof fault.code) != NULL);
    MUST(memchr(fault.text, '\0', sizeof fault.text) != NULL &&
         strchr(fault.text, '\n') == NULL);
    MUST(strstr(fault.text, hide[0]) == NULL && strstr(fault.text, hide[1]) == NULL);
    MUST(fault.retry_after_ms >= 0);
    free(response.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_copy(data, size);
    char *document = malloc(size + 1), out[64];

    MUST(document != NULL);
    memcpy(document, data, size);
    document[size] = '\0';
    read_json(text, size);
    read_credentials(text, size);
    read_refusal(text, size);
    if (xml_text(document, "Code", out, sizeof out)) {
        MUST(memchr(out, '\0', sizeof out) != NULL);
    }
    free(document);
    free(text);
    return 0;
}

/* libcurl, and nothing of it outside. Signals are not used (CURLOPT_NOSIGNAL): names are
   resolved in a thread, which is left behind when it takes too long (CURLOPT_QUICK_EXIT), so
   that even a dead resolver keeps the limits. */
#include "aws/http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"

struct http {
    CURL *curl;
    char message[CURL_ERROR_SIZE];
};

/* What an answer is collected into. */
struct collector {
    struct http_response *response;
    size_t max_bytes;
    bool too_large;
};

static const char *const header_names[HTTP_HEADERS] = {
    [HTTP_REQUEST_ID] = "x-amzn-requestid",
    [HTTP_ERROR_TYPE] = "x-amzn-errortype",
    [HTTP_RETRY_AFTER] = "retry-after",
    [HTTP_DATE] = "date",
};

static const struct {
    CURLcode code;
    const char *name;
} fault_codes[] = {
    {CURLE_OPERATION_TIMEDOUT, "Timeout"},       {CURLE_COULDNT_RESOLVE_HOST, "DnsFailure"},
    {CURLE_COULDNT_RESOLVE_PROXY, "DnsFailure"}, {CURLE_COULDNT_CONNECT, "ConnectFailure"},
    {CURLE_SSL_CONNECT_ERROR, "TlsFailure"},     {CURLE_PEER_FAILED_VERIFICATION, "TlsFailure"},
    {CURLE_SSL_CACERT_BADFILE, "TlsFailure"},    {CURLE_URL_MALFORMAT, "BadRequest"},
    {CURLE_UNSUPPORTED_PROTOCOL, "BadRequest"},
};

struct http *http_open(void)
{
    struct http *http = calloc(1, sizeof *http);

    if (http == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(http);
        return NULL;
    }
    http->curl = curl_easy_init();
    if (http->curl == NULL) {
        curl_global_cleanup();
        free(http);
        return NULL;
    }
    return http;
}

void http_close(struct http *http)
{
    if (http != NULL) {
        curl_easy_cleanup(http->curl);
        curl_global_cleanup();
        free(http);
    }
}

void http_response_free(struct http_response *response)
{
    if (response->body != NULL) {
        explicit_bzero(response->body, response->length);
        free(response->body);
    }
    *response = (struct http_response){0};
}

/* -- what libcurl calls ------------------------------------------------------------------- */

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct collector *c = context;
    struct http_response *r = c->response;
    size_t n = size * count;
    char *grown;

    if (n > c->max_bytes - r->length) {
        c->too_large = true;
        return 0;
    }
    grown = malloc(r->length + n + 1);
    if (grown == NULL) {
        return 0;
    }
    memcpy(grown, r->body, r->length);
    memcpy(grown + r->length, bytes, n);
    grown[r->length + n] = '\0';
    /* realloc(3) would leave the old bytes lying about, and they may hold credentials. */
    explicit_bzero(r->body, r->length);
    free(r->body);
    r->body = grown;
    r->length += n;
    return n;
}

static size_t take_header(char *line, size_t size, size_t count, void *context)
{
    struct http_response *r = ((struct collector *)context)->response;
    size_t n = size * count;

    /* What a proxy or an interim answer (100) said before is not the answer's. */
    if (n > 5 && memcmp(line, "HTTP/", 5) == 0) {
        memset(r->headers, 0, sizeof r->headers);
    }
    for (int i = 0; i < HTTP_HEADERS; i++) {
        size_t name = strlen(header_names[i]);

        if (n > name && line[name] == ':' && strncasecmp(line, header_names[i], name) == 0) {
            const char *from = line + name + 1, *end = line + n;

            from += strspn(from, " \t");
            while (end > from && strchr("\r\n \t", end[-1]) != NULL) {
                end--;
            }
            snprintf(r->headers[i], sizeof r->headers[i], "%.*s", (int)(end - from), from);
        }
    }
    return n;
}

/* -- one exchange ------------------------------------------------------------------------- */

static void set_limits(CURL *curl, const struct http_request *request)
{
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)request->total_ms);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "sinkhole/" VERSION);
    if (request->direct) {
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    }
    if (getenv("AWS_CA_BUNDLE") != NULL && getenv("AWS_CA_BUNDLE")[0] != '\0') {
        curl_easy_setopt(curl, CURLOPT_CAINFO, getenv("AWS_CA_BUNDLE"));
    }
}

static void set_signing(CURL *curl, const struct http_signing *sign)
{
    char text[128];

    snprintf(text, sizeof text, "aws:amz:%s:%s", sign->region, sign->service);
    curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, text);
    curl_easy_setopt(curl, CURLOPT_USERNAME, sign->key);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, sign->secret);
}

static struct curl_slist *list_headers(const struct http_request *request)
{
    struct curl_slist *list = NULL;

    for (const char *const *header = request->headers; *header != NULL; header++) {
        struct curl_slist *longer = curl_slist_append(list, *header);

        if (longer == NULL) {
            curl_slist_free_all(list);
            return NULL;
        }
        list = longer;
    }
    return list;
}

static void set_fault(const struct http *http, CURLcode code, const struct collector *collector,
                      struct source_fault *fault)
{
    const char *name = "NetworkFailure";

    if (collector->too_large) {
        source_fault_set(fault, "TooLarge", "the answer is larger than %zu bytes",
                         collector->max_bytes);
        return;
    }
    for (size_t i = 0; i < sizeof fault_codes / sizeof fault_codes[0]; i++) {
        if (fault_codes[i].code == code) {
            name = fault_codes[i].name;
        }
    }
    source_fault_set(fault, name, "%s",
                     http->message[0] != '\0' ? http->message : curl_easy_strerror(code));
}

/* Everything but the limits and the signature. */
static void set_exchange(struct http *http, const struct http_request *request,
                         struct curl_slist *headers, struct collector *collector)
{
    curl_easy_setopt(http->curl, CURLOPT_URL, request->url);
    curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, http->message);
    curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, collector);
    curl_easy_setopt(http->curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(http->curl, CURLOPT_HEADERDATA, collector);
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
    if (request->body != NULL) {
        curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, request->body);
    }
    if (request->method != NULL) {
        curl_easy_setopt(http->curl, CURLOPT_CUSTOMREQUEST, request->method);
    }
}

bool http_send(struct http *http, const struct http_request *request,
               struct http_response *response, struct source_fault *fault)
{
    struct collector collector = {.response = response, .max_bytes = request->max_bytes};
    struct curl_slist *headers = list_headers(request);
    CURLcode code = CURLE_OUT_OF_MEMORY;

    *response = (struct http_response){.body = calloc(1, 1)};
    http->message[0] = '\0';
    curl_easy_reset(http->curl);
    set_limits(http->curl, request);
    set_exchange(http, request, headers, &collector);
    if (request->sign != NULL) {
        set_signing(http->curl, request->sign);
    }
    if (response->body != NULL && (headers != NULL || request->headers[0] == NULL)) {
        code = curl_easy_perform(http->curl);
    }
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &response->status);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
        set_fault(http, code, &collector, fault);
        http_response_free(response);
    }
    return code == CURLE_OK;
}

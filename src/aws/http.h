/* One HTTP exchange at a time over one handle, whose connections stay open between exchanges.
   Bounded in time and in size, follows no redirects, checks certificates. http.c is the only
   file that knows libcurl. */
#ifndef AWS_HTTP_H
#define AWS_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "mode/source.h"

#define HTTP_HEADERS_MAX 8

struct http;

/* Returns NULL when there is no memory. */
struct http *http_open(void);
void http_close(struct http *http);

/* Signature Version 4. */
struct http_signing {
    const char *region, *service, *key, *secret;
};

struct http_request {
    const char *url;                           /* http:// or https:// */
    const char *method;                        /* "PUT"; NULL: POST with a body, GET without */
    const char *body;                          /* or NULL */
    const char *headers[HTTP_HEADERS_MAX + 1]; /* "Name: value"; ended by NULL */
    const struct http_signing *sign;           /* or NULL */
    int connect_ms, total_ms;
    size_t max_bytes; /* of the answer's body */
    bool direct;      /* through no proxy: link-local services */
};

/* Answer headers that somebody needs; empty when absent. */
enum http_header {
    HTTP_REQUEST_ID,
    HTTP_ERROR_TYPE,
    HTTP_RETRY_AFTER,
    HTTP_DATE,
    HTTP_HEADERS,
};

struct http_response {
    long status;
    char *body; /* NUL-terminated; the caller frees it, by http_response_free() */
    size_t length;
    char headers[HTTP_HEADERS][128];
};

/* Returns true when an answer came, whatever its status. Otherwise *fault says what went wrong,
   with one of the codes Timeout, DnsFailure, ConnectFailure, TlsFailure, TooLarge, BadRequest,
   NetworkFailure; then there is nothing to free. */
bool http_send(struct http *http, const struct http_request *request,
               struct http_response *response, struct source_fault *fault);

/* Wipes and frees. */
void http_response_free(struct http_response *response);

#endif

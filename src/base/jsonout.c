/* JSON text as RFC 8259 has it; always valid UTF-8, whatever bytes a client sent. */
#include "base/jsonout.h"

#include <string.h>

#include "base/bytes.h"

struct jsonout jsonout_to(struct buf *to)
{
    return (struct jsonout){.to = to, .comma = false, .overflow = false};
}

static void put(struct jsonout *j, const char *bytes, size_t n)
{
    if (!buf_add(j->to, bytes, n)) {
        j->overflow = true;
    }
}

static inline void put_char(struct jsonout *j, char c)
{
    if (!buf_addc(j->to, c)) {
        j->overflow = true;
    }
}

/* Writes the one character at p, whatever it is; returns how many bytes it took. */
static size_t put_special(struct jsonout *j, const unsigned char *p, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    size_t length;

    if (*p == '"' || *p == '\\') {
        put(j, (char[]){'\\', (char)*p}, 2);
        return 1;
    }
    if (*p < 0x20 || *p == 0x7F) {
        put(j, (char[]){'\\', 'u', '0', '0', hex[*p >> 4], hex[*p & 15]}, 6);
        return 1;
    }
    length = bytes_utf8(p, n);
    if (length == 0) {
        put(j, "\\ufffd", 6);
        return 1;
    }
    put(j, (const char *)p, length);
    return length;
}

static void put_string(struct jsonout *j, const char *bytes, size_t n)
{
    const unsigned char *p = (const unsigned char *)bytes;
    const unsigned char *end = p + n;

    put_char(j, '"');
    while (p < end && !j->overflow) {
        size_t run = bytes_run((const char *)p, (size_t)(end - p), BYTE_PLAIN);

        put(j, (const char *)p, run);
        p += run;
        if (p < end) {
            p += put_special(j, p, (size_t)(end - p));
        }
    }
    put_char(j, '"');
}

/* A key is our own word and needs no escape. */
static void put_key(struct jsonout *j, const char *key)
{
    size_t n = key != NULL ? strlen(key) : 0;
    char *at = j->to->data + j->to->len;

    if (buf_room(j->to) < n + sizeof ",\"\":") {
        j->overflow = true;
        return;
    }
    if (j->comma) {
        *at++ = ',';
    }
    j->comma = true;
    if (key != NULL) {
        *at++ = '"';
        memcpy(at, key, n);
        at += n;
        *at++ = '"';
        *at++ = ':';
    }
    j->to->len = (size_t)(at - j->to->data);
}

void jsonout_str(struct jsonout *j, const char *key, const char *text)
{
    jsonout_bytes(j, key, text, strlen(text));
}

void jsonout_bytes(struct jsonout *j, const char *key, const char *bytes, size_t n)
{
    put_key(j, key);
    put_string(j, bytes, n);
}

void jsonout_int(struct jsonout *j, const char *key, int64_t number)
{
    put_key(j, key);
    if (number < 0) {
        put_char(j, '-');
    }
    if (!buf_addu(j->to, number < 0 ? 0 - (uint64_t)number : (uint64_t)number)) {
        j->overflow = true;
    }
}

void jsonout_bool(struct jsonout *j, const char *key, bool value)
{
    put_key(j, key);
    put(j, value ? "true" : "false", value ? 4 : 5);
}

void jsonout_null(struct jsonout *j, const char *key)
{
    put_key(j, key);
    put(j, "null", 4);
}

void jsonout_open(struct jsonout *j, const char *key, char kind)
{
    put_key(j, key);
    put_char(j, kind);
    j->comma = false;
}

void jsonout_close(struct jsonout *j, char kind)
{
    put_char(j, kind == '{' ? '}' : ']');
    j->comma = true;
}

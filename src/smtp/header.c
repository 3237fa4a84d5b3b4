/* The header keeper: a small state machine over bytes, with memchr(3) through the values. The
   section ends at its empty line, at the first line that is no field, or with its storage. */
#include "smtp/header.h"

#include <string.h>

#include "base/bytes.h"

struct header header_start(char *storage, size_t size)
{
    return (struct header){.state = HEADER_LINE_START, .kept = buf_over(storage, size)};
}

static void keep(struct header *h, const char *bytes, size_t n)
{
    size_t room = buf_room(&h->kept);

    buf_add(&h->kept, bytes, n < room ? n : room);
    if (n > room) {
        h->truncated = true;
        h->state = HEADER_DONE;
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void begin_field(struct header *h, char c)
{
    if (h->kept.len > 0) {
        keep(h, "\n", 1);
    }
    if (h->state != HEADER_DONE) {
        h->state = HEADER_NAME;
        keep(h, &c, 1);
    }
}

/* The byte that begins a line decides: a fold, a new field, or the end. */
static void begin_line(struct header *h, char c)
{
    if (is_blank(c) && h->kept.len > 0) {
        h->state = HEADER_BLANKS;
        keep(h, " ", 1);
    } else if (byte_is(c, BYTE_FIELD)) {
        begin_field(h, c);
    } else {
        h->state = HEADER_DONE;
    }
}

/* The rest of a name, with its colon where that has come. */
static size_t in_name(struct header *h, const char *bytes, size_t n)
{
    size_t length = bytes_run(bytes, n, BYTE_FIELD);
    bool colon = length < n && bytes[length] == ':';

    keep(h, bytes, length + colon);
    if (h->state != HEADER_DONE && colon) {
        h->state = HEADER_BLANKS;
    } else if (length < n) {
        h->state = HEADER_DONE;
    }
    return length + colon;
}

/* Up to the value's end. A CR at the end of these bytes waits for its LF. */
static size_t in_value(struct header *h, const char *bytes, size_t n)
{
    const char *lf = memchr(bytes, '\n', n);
    size_t length = lf != NULL ? (size_t)(lf - bytes) : n;
    bool cr = length > 0 && bytes[length - 1] == '\r';

    keep(h, bytes, length - cr);
    if (h->state == HEADER_DONE) {
        return n;
    }
    if (lf == NULL) {
        h->state = cr ? HEADER_VALUE_CR : HEADER_VALUE;
        return n;
    }
    h->state = HEADER_LINE_START;
    return length + 1;
}

static size_t behind_cr(struct header *h, char c)
{
    if (c == '\n') {
        h->state = HEADER_LINE_START;
        return 1;
    }
    h->state = HEADER_VALUE;
    keep(h, "\r", 1);
    return 0;
}

/* Takes at least one byte where it can; a state that only hands on takes none. */
static size_t step(struct header *h, const char *bytes, size_t n)
{
    switch (h->state) {
    case HEADER_LINE_START:
        if (*bytes == '.') {
            h->state = HEADER_STUFFED;
        } else {
            begin_line(h, *bytes);
        }
        return 1;
    case HEADER_STUFFED:
        begin_line(h, *bytes);
        return 1;
    case HEADER_NAME:
        return in_name(h, bytes, n);
    case HEADER_BLANKS:
        if (is_blank(*bytes)) {
            return 1;
        }
        h->state = HEADER_VALUE;
        return 0;
    case HEADER_VALUE:
        return in_value(h, bytes, n);
    case HEADER_VALUE_CR:
        return behind_cr(h, *bytes);
    case HEADER_DONE:
        break;
    }
    return n;
}

void header_feed(struct header *h, const char *bytes, size_t n)
{
    while (n > 0 && h->state != HEADER_DONE) {
        size_t used = step(h, bytes, n);

        bytes += used;
        n -= used;
    }
}

bool header_next(const struct header *h, size_t *at, struct span *name, struct span *value)
{
    struct span left = {.at = h->kept.data + *at, .n = h->kept.len - *at};
    const char *colon = left.n > 0 ? memchr(left.at, ':', left.n) : NULL;
    const char *lf;

    if (colon == NULL) {
        return false;
    }
    *name = (struct span){.at = left.at, .n = (size_t)(colon - left.at)};
    *value = span_from(left, name->n + 1);
    lf = memchr(value->at, '\n', value->n);
    if (lf != NULL) {
        value->n = (size_t)(lf - value->at);
    }
    *at = (size_t)(value->at + value->n - h->kept.data) + (lf != NULL);
    return true;
}

bool header_find(const struct header *h, const char *name, struct span *value)
{
    struct span found;
    size_t at = 0;

    while (header_next(h, &at, &found, value)) {
        if (span_is(found, name)) {
            return true;
        }
    }
    return false;
}

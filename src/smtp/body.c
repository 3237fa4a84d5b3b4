/* The end-of-data recogniser. Single bytes step through a table; inside text it jumps from dot
   to dot with memchr(3), because a line's end is on every line and a dot seldom is. */
#include "smtp/body.h"

#include <string.h>

enum byte_kind { IS_OTHER, IS_CR, IS_LF, IS_DOT, KIND_COUNT };

static const uint8_t next_state[BODY_ENDED][KIND_COUNT] = {
    [BODY_LINE_START] = {BODY_TEXT, BODY_CR, BODY_TEXT, BODY_DOT},
    [BODY_TEXT] = {BODY_TEXT, BODY_CR, BODY_TEXT, BODY_TEXT},
    [BODY_CR] = {BODY_TEXT, BODY_CR, BODY_LINE_START, BODY_TEXT},
    [BODY_DOT] = {BODY_TEXT, BODY_DOT_CR, BODY_TEXT, BODY_TEXT},
    [BODY_DOT_CR] = {BODY_TEXT, BODY_CR, BODY_ENDED, BODY_TEXT},
};

static enum byte_kind kind_of(char c)
{
    return c == '\r' ? IS_CR : c == '\n' ? IS_LF : c == '.' ? IS_DOT : IS_OTHER;
}

struct body body_start(void)
{
    return (struct body){.state = BODY_LINE_START, .bytes = 0};
}

#define BLOCK   16
#define STRETCH 512

/* Is one of these BLOCK bytes an LF with a dot behind it? Reads one byte more. */
static bool has_line_dot(const char *p)
{
    typedef unsigned char block __attribute__((vector_size(BLOCK)));
    uint64_t words[BLOCK / sizeof(uint64_t)], any = 0;
    block here, next, hits;

    memcpy(&here, p, BLOCK);
    memcpy(&next, p + 1, BLOCK);
    hits = (block)((here == '\n') & (next == '.'));
    memcpy(words, &hits, BLOCK);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        any |= words[i];
    }
    return any != 0;
}

/* The first dot behind an LF at or behind `from`, or NULL. Where there are no dots memchr(3) is
   fastest by far; but in prose there is one every few words. So a dot makes us go by blocks for
   a stretch. */
static const char *line_dot(const char *from, const char *end)
{
    const char *p = from;

    while ((p = memchr(p, '.', (size_t)(end - p))) != NULL) {
        const char *stop = end - p > STRETCH ? p + STRETCH : end;

        if (p > from && p[-1] == '\n') {
            return p;
        }
        while (stop - p > BLOCK && !has_line_dot(p)) {
            p += BLOCK;
        }
        while (stop - p >= 2 && !(p[0] == '\n' && p[1] == '.')) {
            p++;
        }
        if (stop - p >= 2) {
            return p + 1;
        }
        if (stop == end) {
            break;
        }
    }
    return NULL;
}

/* From inside text to the first dot that begins a line, or to the end of the bytes. */
static const char *skip_text(struct body *b, const char *p, const char *end)
{
    const char *dot = line_dot(p, end);

    /* A dot needs its CRLF among these bytes: text is never just behind a CR. */
    while (dot != NULL) {
        if (dot - p >= 2 && dot[-2] == '\r') {
            b->state = BODY_LINE_START;
            return dot;
        }
        dot = line_dot(dot + 1, end);
    }
    if (end[-1] == '\r') {
        b->state = BODY_CR;
    } else if (end - p >= 2 && end[-1] == '\n' && end[-2] == '\r') {
        b->state = BODY_LINE_START;
    }
    return end;
}

size_t body_feed(struct body *b, const char *bytes, size_t n)
{
    const char *p = bytes;
    const char *end = bytes + n;
    uint64_t dropped = 0; /* stuffed dots, and the last line: dot, CR, LF */

    while (p < end && b->state != BODY_ENDED) {
        if (b->state == BODY_TEXT) {
            p = skip_text(b, p, end);
            continue;
        }
        b->state = (enum body_state)next_state[b->state][kind_of(*p++)];
        dropped += b->state == BODY_DOT ? 1 : b->state == BODY_ENDED ? 2 : 0;
    }
    b->bytes += (uint64_t)(p - bytes) - dropped;
    return (size_t)(p - bytes);
}

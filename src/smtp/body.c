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

/* From inside text to the first dot that begins a line, or to the end of the bytes. */
static const char *skip_text(struct body *b, const char *p, const char *end)
{
    /* A dot needs its CRLF among these bytes: text is never just behind a CR. */
    const char *from = p;
    const char *dot;

    while ((dot = memchr(from, '.', (size_t)(end - from))) != NULL) {
        if (dot - p >= 2 && dot[-1] == '\n' && dot[-2] == '\r') {
            b->state = BODY_LINE_START;
            return dot;
        }
        from = dot + 1;
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

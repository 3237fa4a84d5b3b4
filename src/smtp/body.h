/* Finds the end of a message: CRLF.CRLF and nothing else, however the bytes are split. Anything
   more liberal would let one message smuggle another past a server that reads it
   differently. */
#ifndef SMTP_BODY_H
#define SMTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the last bytes were. */
enum body_state {
    BODY_LINE_START, /* CRLF, or the DATA command's own: a dot counts here */
    BODY_TEXT,
    BODY_CR,
    BODY_DOT,    /* a line's first byte is a dot */
    BODY_DOT_CR, /* the dot and a CR: LF would end the message */
    BODY_ENDED,
};

struct body {
    enum body_state state;
    uint64_t
        bytes; /* of the message as it was before dot-stuffing, without the final dot's line */
};

/* Ready for the first byte behind the DATA command. */
struct body body_start(void);

/* Takes bytes up to the end of the message or to all n of them; returns how many. At the end of
   the message the state is BODY_ENDED, and the bytes behind it are not touched. */
size_t body_feed(struct body *b, const char *bytes, size_t n);

#endif

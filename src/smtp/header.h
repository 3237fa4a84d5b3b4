/* Keeps a message's header section while the message passes by: unfolded, bounded, and never a
   byte of the body. */
#ifndef SMTP_HEADER_H
#define SMTP_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "smtp/span.h"

enum header_state {
    HEADER_LINE_START,
    HEADER_STUFFED, /* behind a line's first dot, which may be dot-stuffing */
    HEADER_NAME,
    HEADER_BLANKS, /* white space that does not count: behind the colon or the fold */
    HEADER_VALUE,
    HEADER_VALUE_CR, /* a CR that may belong to the line's end */
    HEADER_DONE,
};

struct header {
    enum header_state state;
    struct buf kept; /* "name:value LF" for each field; a name alone at the end is none */
    bool truncated;  /* there was more than `kept` could take */
};

/* Ready for a message's first byte; keeps what fits into the storage. */
struct header header_start(char *storage, size_t size);

/* Takes a message's bytes as they are on the wire, dots stuffed. Once the state is HEADER_DONE
   further ones make no difference. LF alone ends a line here too, so that a message from a
   client without CRs does not show its body. */
void header_feed(struct header *h, const char *bytes, size_t n);

/* The fields in their order: starts with *at == 0. Returns false behind the last one. */
bool header_next(const struct header *h, size_t *at, struct span *name, struct span *value);

/* The first field of that name, case ignored. Returns false where there is none. */
bool header_find(const struct header *h, const char *name, struct span *value);

#endif

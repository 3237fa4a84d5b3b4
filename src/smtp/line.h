/* Cuts command lines out of a stream. A line ends at LF; a CR before it belongs to the end. */
#ifndef SMTP_LINE_H
#define SMTP_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "smtp/span.h"

enum line_result {
    LINE_MORE, /* no end yet: come again with more bytes behind these */
    LINE_READY,
    LINE_LONG, /* once for each line over the limit, when its end has come */
};

struct line_reader {
    size_t limit;     /* the longest line, with its end */
    size_t searched;  /* bytes at the front that are known to hold no LF */
    bool skipping;    /* inside a line over the limit */
    uint64_t bare_lf; /* lines that ended in LF without CR */
};

struct line_reader line_reader_for(size_t limit);

/* Looks for a line at the front of the n bytes. *used: how many of them to drop before the next
   call; with LINE_READY *line is the text among them, without its end. With LINE_MORE fewer
   than `limit` bytes are left to keep, so a buffer of `limit` bytes always has room for the
   next. */
enum line_result line_next(struct line_reader *r, const char *bytes, size_t n,
                           struct span *line, size_t *used);

#endif

/* The line reader. It never looks at a byte twice, however slowly they come, and of a line over
   the limit it keeps nothing. */
#include "smtp/line.h"

#include <string.h>

struct line_reader line_reader_for(size_t limit)
{
    return (struct line_reader){.limit = limit};
}

static enum line_result no_end_yet(struct line_reader *r, size_t n, size_t *used)
{
    if (!r->skipping && n < r->limit) {
        r->searched = n;
        *used = 0;
        return LINE_MORE;
    }
    r->skipping = true;
    r->searched = 0;
    *used = n;
    return LINE_MORE;
}

enum line_result line_next(struct line_reader *r, const char *bytes, size_t n,
                           struct span *line, size_t *used)
{
    const char *lf = NULL;
    bool too_long;
    size_t length;

    if (n > r->searched) {
        lf = memchr(bytes + r->searched, '\n', n - r->searched);
    }
    if (lf == NULL) {
        return no_end_yet(r, n, used);
    }
    length = (size_t)(lf - bytes);
    *used = length + 1;
    too_long = r->skipping || *used > r->limit;
    r->searched = 0;
    r->skipping = false;
    if (too_long) {
        return LINE_LONG;
    }
    if (length > 0 && bytes[length - 1] == '\r') {
        length--;
    } else {
        r->bare_lf++;
    }
    *line = (struct span){.at = bytes, .n = length};
    return LINE_READY;
}

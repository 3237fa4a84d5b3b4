/* Puts replies into a buffer; a half-written line is taken back. */
#include "smtp/reply.h"

const struct reply reply_none = {0, ""};

/* All of one line, or nothing. */
static bool finish(struct buf *out, size_t before, bool fits)
{
    if (fits && buf_add(out, "\r\n", 2)) {
        return true;
    }
    out->len = before;
    return false;
}

bool reply_add(struct buf *out, uint16_t code, bool more, const char *text)
{
    size_t before = out->len;

    return finish(out, before,
                  buf_addu(out, code) && buf_addc(out, more ? '-' : ' ') &&
                      buf_adds(out, text));
}

static bool add_enhanced(struct buf *out, const uint8_t part[3])
{
    if (part[0] == 0) {
        return true;
    }
    return buf_addu(out, part[0]) && buf_addc(out, '.') && buf_addu(out, part[1]) &&
           buf_addc(out, '.') && buf_addu(out, part[2]) && buf_addc(out, ' ');
}

bool reply_add_verdict(struct buf *out, const struct verdict *verdict)
{
    size_t before = out->len;

    return finish(out, before,
                  buf_addu(out, verdict->code) && buf_addc(out, ' ') &&
                      add_enhanced(out, verdict->enhanced) && buf_adds(out, verdict->text));
}

bool reply_positive(uint16_t code)
{
    return code / 100 == 2 || code / 100 == 3;
}

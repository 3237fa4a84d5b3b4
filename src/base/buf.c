/* The fixed buffer: every append checks its room first. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct buf buf_over(char *storage, size_t cap)
{
    return (struct buf){.data = storage, .len = 0, .cap = cap};
}

bool buf_adds(struct buf *b, const char *text)
{
    return buf_add(b, text, strlen(text));
}

bool buf_addu(struct buf *b, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return buf_add(b, digits + at, sizeof digits - at);
}

bool buf_addf(struct buf *b, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(b->data + b->len, buf_room(b), format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= buf_room(b)) {
        return false;
    }
    b->len += (size_t)n;
    return true;
}

void buf_drop(struct buf *b, size_t n)
{
    memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
}

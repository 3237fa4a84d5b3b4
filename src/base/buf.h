/* A byte buffer of fixed capacity over the caller's storage. Nothing is ever allocated: what
   does not fit is refused whole, and the buffer stays as it was. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
    char *data; /* the caller's; outlives the buf */
    size_t len; /* bytes in use */
    size_t cap; /* bytes there are */
};

/* An empty buffer over storage of cap bytes. */
struct buf buf_over(char *storage, size_t cap);

/* Bytes that still fit. */
static inline size_t buf_room(const struct buf *b)
{
    return b->cap - b->len;
}

/* Append. Each returns true, or false and changes nothing when it does not fit. Here in the
   header are those that log lines and replies are made of: some 200 calls a session. */
static inline bool buf_add(struct buf *b, const void *bytes, size_t n)
{
    if (n > buf_room(b)) {
        return false;
    }
    if (n > 0) {
        memcpy(b->data + b->len, bytes, n);
    }
    b->len += n;
    return true;
}

static inline bool buf_addc(struct buf *b, char c)
{
    if (b->len == b->cap) {
        return false;
    }
    b->data[b->len++] = c;
    return true;
}

bool buf_adds(struct buf *b, const char *text);
bool buf_addu(struct buf *b, uint64_t number);
bool buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Drops the first n bytes (n <= len) and moves the rest to the front. */
void buf_drop(struct buf *b, size_t n);

#endif

/* Classes of bytes, for the scanners: one look into a table a byte, independent of the
   locale. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>

enum byte_class {
    BYTE_PRINT = 1 << 0,  /* ASCII from space to tilde */
    BYTE_PLAIN = 1 << 1,  /* stands for itself in a JSON string */
    BYTE_FIELD = 1 << 2,  /* in the name of a header field (RFC 5322 3.6.8) */
    BYTE_ALNUM = 1 << 3,  /* letters and digits */
    BYTE_LOCAL = 1 << 4,  /* atext (RFC 5322 3.2.3) and the dot */
    BYTE_DOMAIN = 1 << 5, /* letters, digits, '-', '.', and '_', which names in the wild have */
    BYTE_LITERAL = 1 << 6, /* dcontent (RFC 5321 4.1.3) */
};

extern const uint8_t byte_classes[256];

/* How many of the n bytes from the first on are of the class. */
static inline size_t bytes_run(const char *bytes, size_t n, enum byte_class class)
{
    size_t i = 0;

    while (i < n && (byte_classes[(unsigned char)bytes[i]] & class) != 0) {
        i++;
    }
    return i;
}

static inline int byte_is(char c, enum byte_class class)
{
    return byte_classes[(unsigned char)c] & class;
}

/* How many bytes of valid UTF-8 (RFC 3629) the character at p takes, of the n > 0 that there
   are: 1 to 4, or 0 where there is none. ASCII is the caller's: it is 0 here. */
size_t bytes_utf8(const unsigned char *p, size_t n);

#endif

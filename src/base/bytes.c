/* The table of classes: printable ASCII by kinds, and nothing else is of any class; and what is
   beyond ASCII. */
#include "base/bytes.h"

#define ALNUM                                                                                  \
    (BYTE_ALNUM | BYTE_PRINT | BYTE_PLAIN | BYTE_FIELD | BYTE_LOCAL | BYTE_DOMAIN |            \
     BYTE_LITERAL)
#define SIGN  (BYTE_PRINT | BYTE_PLAIN | BYTE_FIELD | BYTE_LITERAL)
#define ATEXT (SIGN | BYTE_LOCAL)
#define HOST  (ATEXT | BYTE_DOMAIN)

const uint8_t byte_classes[256] = {
    [' '] = BYTE_PRINT | BYTE_PLAIN,
    ['0' ... '9'] = ALNUM,
    ['A' ... 'Z'] = ALNUM,
    ['a' ... 'z'] = ALNUM,
    ['-'] = HOST,
    ['.'] = HOST,
    ['_'] = HOST,
    ['!'] = ATEXT,
    ['#' ... '\''] = ATEXT,
    ['*' ... '+'] = ATEXT,
    ['/'] = ATEXT,
    ['='] = ATEXT,
    ['?'] = ATEXT,
    ['^'] = ATEXT,
    ['`'] = ATEXT,
    ['{' ... '~'] = ATEXT,
    ['('] = SIGN,
    [')'] = SIGN,
    [','] = SIGN,
    [';'] = SIGN,
    ['<'] = SIGN,
    ['>'] = SIGN,
    ['@'] = SIGN,
    [':'] = BYTE_PRINT | BYTE_PLAIN | BYTE_LITERAL,
    ['"'] = BYTE_PRINT | BYTE_FIELD | BYTE_LITERAL,
    ['\\'] = BYTE_PRINT | BYTE_FIELD,
    ['['] = BYTE_PRINT | BYTE_PLAIN | BYTE_FIELD,
    [']'] = BYTE_PRINT | BYTE_PLAIN | BYTE_FIELD,
};

size_t bytes_utf8(const unsigned char *p, size_t n)
{
    static const struct {
        unsigned char first, last, low, high; /* first byte's range, second byte's range */
        size_t length;
    } rows[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (p[0] < rows[i].first || p[0] > rows[i].last) {
            continue;
        }
        if (n < rows[i].length || p[1] < rows[i].low || p[1] > rows[i].high) {
            return 0;
        }
        for (size_t k = 2; k < rows[i].length; k++) {
            if ((p[k] & 0xC0) != 0x80) {
                return 0;
            }
        }
        return rows[i].length;
    }
    return 0;
}

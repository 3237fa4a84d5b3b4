/* The table of classes: printable ASCII by kinds, and nothing else is of any class. */
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

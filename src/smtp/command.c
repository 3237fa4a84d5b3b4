/* The names of the commands, and how a line falls into verb and argument (RFC 5321 4.1.1). */
#include "smtp/command.h"

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* Four letters as a number, small letters as capitals: the bit between them is left out. */
#define PACK(a, b, c, d)                                                                       \
    ((uint32_t)((a)&0xDF) << 24 | (uint32_t)((b)&0xDF) << 16 | (uint32_t)((c)&0xDF) << 8 |     \
     (uint32_t)((d)&0xDF))

#define NAME(a, b, c, d)                                                                       \
    {                                                                                          \
        {a, b, c, d, '\0'}, PACK(a, b, c, d)                                                   \
    }

static const struct {
    char text[5];
    uint32_t packed;
} names[VERB_COUNT] = {
    [VERB_HELO] = NAME('H', 'E', 'L', 'O'), [VERB_EHLO] = NAME('E', 'H', 'L', 'O'),
    [VERB_MAIL] = NAME('M', 'A', 'I', 'L'), [VERB_RCPT] = NAME('R', 'C', 'P', 'T'),
    [VERB_DATA] = NAME('D', 'A', 'T', 'A'), [VERB_RSET] = NAME('R', 'S', 'E', 'T'),
    [VERB_NOOP] = NAME('N', 'O', 'O', 'P'), [VERB_QUIT] = NAME('Q', 'U', 'I', 'T'),
    [VERB_VRFY] = NAME('V', 'R', 'F', 'Y'), [VERB_EXPN] = NAME('E', 'X', 'P', 'N'),
    [VERB_HELP] = NAME('H', 'E', 'L', 'P'),
};

const char *command_name(enum verb verb)
{
    return names[verb].text;
}

static enum verb find_verb(struct span word)
{
    uint32_t packed;

    if (word.n != 4) {
        return VERB_UNKNOWN;
    }
    packed = PACK(word.at[0], word.at[1], word.at[2], word.at[3]);
    for (int i = VERB_UNKNOWN + 1; i < VERB_COUNT; i++) {
        if (names[i].packed == packed) {
            return (enum verb)i;
        }
    }
    return VERB_UNKNOWN;
}

/* Printable ASCII, and tabs. */
static bool is_legal(struct span line)
{
    size_t n = 0;

    while ((n += bytes_run(line.at + n, line.n - n, BYTE_PRINT)) < line.n &&
           line.at[n] == '\t') {
        n++;
    }
    return n == line.n;
}

bool command_parse(struct span line, struct command *out)
{
    struct span word = {.at = line.at, .n = 0};

    *out = (struct command){.verb = VERB_UNKNOWN};
    if (!is_legal(line)) {
        return false;
    }
    while (word.n < line.n && line.at[word.n] != ' ' && line.at[word.n] != '\t') {
        word.n++;
    }
    out->verb = find_verb(word);
    out->argument = span_trim(span_from(line, word.n));
    return true;
}

/* The names of the commands, and how a line falls into verb and argument (RFC 5321 4.1.1). */
#include "smtp/command.h"

#include <stddef.h>

static const char *const names[VERB_COUNT] = {
    [VERB_UNKNOWN] = "",  [VERB_HELO] = "HELO", [VERB_EHLO] = "EHLO", [VERB_MAIL] = "MAIL",
    [VERB_RCPT] = "RCPT", [VERB_DATA] = "DATA", [VERB_RSET] = "RSET", [VERB_NOOP] = "NOOP",
    [VERB_QUIT] = "QUIT", [VERB_VRFY] = "VRFY", [VERB_EXPN] = "EXPN", [VERB_HELP] = "HELP",
};

const char *command_name(enum verb verb)
{
    return names[verb];
}

/* All names have as many letters: one comparison of the length does for the table. */
#define NAME_LENGTH 4

static enum verb find_verb(struct span word)
{
    if (word.n != NAME_LENGTH) {
        return VERB_UNKNOWN;
    }
    for (int i = VERB_UNKNOWN + 1; i < VERB_COUNT; i++) {
        if (span_begins(word, names[i])) {
            return (enum verb)i;
        }
    }
    return VERB_UNKNOWN;
}

static bool is_legal(unsigned char c)
{
    return (c >= ' ' && c <= '~') || c == '\t';
}

bool command_parse(struct span line, struct command *out)
{
    struct span word = {.at = line.at, .n = 0};

    *out = (struct command){.verb = VERB_UNKNOWN};
    for (size_t i = 0; i < line.n; i++) {
        if (!is_legal((unsigned char)line.at[i])) {
            return false;
        }
    }
    while (word.n < line.n && line.at[word.n] != ' ' && line.at[word.n] != '\t') {
        word.n++;
    }
    out->verb = find_verb(word);
    out->argument = span_trim(span_from(line, word.n));
    return true;
}

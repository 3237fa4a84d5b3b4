/* What a command line says. Pure: nothing here knows a session or a policy. */
#ifndef SMTP_COMMAND_H
#define SMTP_COMMAND_H

#include <stdbool.h>

#include "smtp/span.h"

enum verb {
    VERB_UNKNOWN,
    VERB_HELO,
    VERB_EHLO,
    VERB_MAIL,
    VERB_RCPT,
    VERB_DATA,
    VERB_RSET,
    VERB_NOOP,
    VERB_QUIT,
    VERB_VRFY,
    VERB_EXPN,
    VERB_HELP,
    VERB_COUNT,
};

struct command {
    enum verb verb;
    struct span argument; /* trimmed; empty where there is none */
};

/* Splits a line into verb and argument. Returns false when it holds bytes that no command may
   have (control characters, NUL, anything beyond ASCII: no SMTPUTF8 is offered). */
bool command_parse(struct span line, struct command *out);

/* The verb's name in capitals; "" for VERB_UNKNOWN. */
const char *command_name(enum verb verb);

#endif

/* The commands of RFC 5321: for each, whether it may come now, and what is done about it. */
#ifndef SMTP_VERBS_H
#define SMTP_VERBS_H

#include "smtp/command.h"
#include "smtp/path.h"
#include "smtp/span.h"

struct session;

/* A parsed command, and the path that its check found in it. */
struct order {
    struct command command;
    struct path path;
};

/* Answers one command line, whatever it is, with exactly one reply. */
void verbs_obey(struct session *s, struct span line);

/* Answers a line that was too long to be kept. */
void verbs_too_long(struct session *s);

#endif

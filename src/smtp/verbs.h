/* The commands of RFC 5321: for each, whether it may come now, and what is done about it. */
#ifndef SMTP_VERBS_H
#define SMTP_VERBS_H

#include "smtp/span.h"

struct session;

/* Answers one command line, whatever it is, with exactly one reply. */
void verbs_obey(struct session *s, struct span line);

/* Answers a line that was too long to be kept. */
void verbs_too_long(struct session *s);

/* Answers the message whose last dot has come. */
void verbs_message(struct session *s);

#endif

/* Replies and how they look on the wire (RFC 5321 4.2). */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "mode/policy.h"

/* A reply of the protocol's own; the text holds the enhanced code where there is one. */
struct reply {
    uint16_t code;
    const char *text;
};

/* What a check returns when it finds nothing to refuse: code 0. */
extern const struct reply reply_none;

/* Room that any one reply line needs, the server's name included. */
#define REPLY_MAX 512

/* Appends "CODE text CRLF". With `more` a '-' says that further lines follow. Each returns
   false and adds nothing when there is no room. */
bool reply_add(struct buf *out, uint16_t code, bool more, const char *text);

/* The same for a policy's answer, its enhanced code before its text. */
bool reply_add_verdict(struct buf *out, const struct verdict *verdict);

/* Does the code let the client go on: 2xx or 3xx? */
bool reply_positive(uint16_t code);

#endif

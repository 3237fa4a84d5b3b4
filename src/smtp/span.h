/* A run of bytes that somebody else owns: how the protocol's parts hand pieces of a line to
   each other without copying. */
#ifndef SMTP_SPAN_H
#define SMTP_SPAN_H

#include <stdbool.h>
#include <stddef.h>

struct span {
    const char *at;
    size_t n;
};

/* The same letters, ASCII case ignored? */
bool span_is(struct span s, const char *word);

/* Does it begin with these letters, ASCII case ignored? */
bool span_begins(struct span s, const char *word);

/* Without its first n bytes (n <= s.n). */
struct span span_from(struct span s, size_t n);

/* Without spaces and tabs at both ends. */
struct span span_trim(struct span s);

#endif

/* The recipients of one transaction and what each was answered, packed into fixed storage. */
#ifndef SMTP_ROLL_H
#define SMTP_ROLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "smtp/span.h"

struct roll {
    struct buf packed;
    uint64_t unlisted; /* recipients that the storage had no room for */
};

struct roll roll_over(char *storage, size_t size);

/* Is there room for one more of any length? */
bool roll_has_room(const struct roll *r);

/* Adds a recipient, or counts it as unlisted. */
void roll_add(struct roll *r, struct span address, uint16_t code);

/* The recipients in their order: starts with *at == 0. Returns false behind the last one. */
bool roll_next(const struct roll *r, size_t *at, struct span *address, uint16_t *code);

#endif

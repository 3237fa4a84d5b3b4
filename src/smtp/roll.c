/* Entries are a fixed head and the address behind it, without alignment. */
#include "smtp/roll.h"

#include <string.h>

#include "smtp/path.h"

struct head {
    uint16_t code, length;
};

struct roll roll_over(char *storage, size_t size)
{
    return (struct roll){.packed = buf_over(storage, size), .unlisted = 0};
}

bool roll_has_room(const struct roll *r)
{
    return buf_room(&r->packed) >= sizeof(struct head) + PATH_ADDRESS_MAX;
}

void roll_add(struct roll *r, struct span address, uint16_t code)
{
    struct head head = {.code = code, .length = (uint16_t)address.n};

    if (!roll_has_room(r)) {
        r->unlisted++;
        return;
    }
    buf_add(&r->packed, &head, sizeof head);
    buf_add(&r->packed, address.at, address.n);
}

bool roll_next(const struct roll *r, size_t *at, struct span *address, uint16_t *code)
{
    struct head head;

    if (*at >= r->packed.len) {
        return false;
    }
    memcpy(&head, r->packed.data + *at, sizeof head);
    *address = (struct span){.at = r->packed.data + *at + sizeof head, .n = head.length};
    *code = head.code;
    *at += sizeof head + head.length;
    return true;
}

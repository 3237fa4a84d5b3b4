/* Texts that live as long as the report: copied once, freed together. */
#ifndef REPORT_POOL_H
#define REPORT_POOL_H

#include <stddef.h>

struct pool {
    struct pool_chunk *chunks; /* NULL: empty */
};

/* A copy of the text; of NULL, NULL. Ends the program when memory ends. */
const char *pool_text(struct pool *pool, const char *text);

/* Frees every text. */
void pool_free(struct pool *pool);

/* realloc() of `count` elements that ends the program when memory ends. */
void *pool_grow(void *memory, size_t count, size_t size);

#endif

/* Chunks that are filled from the front, and never moved. */
#include "report/pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define CHUNK ((size_t)1 << 16)

struct pool_chunk {
    struct pool_chunk *next;
    size_t used, size;
    char bytes[];
};

void *pool_grow(void *memory, size_t count, size_t size)
{
    void *grown = reallocarray(memory, count, size);

    if (grown == NULL) {
        log_fatal(EXIT_SYSTEM, "no memory for the report");
    }
    return grown;
}

static struct pool_chunk *chunk_for(struct pool *pool, size_t n)
{
    struct pool_chunk *chunk = pool->chunks;
    size_t size = n > CHUNK ? n : CHUNK;

    if (chunk == NULL || chunk->size - chunk->used < n) {
        chunk = pool_grow(NULL, 1, sizeof *chunk + size);
        *chunk = (struct pool_chunk){.next = pool->chunks, .size = size};
        pool->chunks = chunk;
    }
    return chunk;
}

const char *pool_text(struct pool *pool, const char *text)
{
    size_t n = text != NULL ? strlen(text) + 1 : 0;
    struct pool_chunk *chunk;
    char *copy;

    if (text == NULL) {
        return NULL;
    }
    chunk = chunk_for(pool, n);
    copy = memcpy(chunk->bytes + chunk->used, text, n);
    chunk->used += n;
    return copy;
}

void pool_free(struct pool *pool)
{
    while (pool->chunks != NULL) {
        struct pool_chunk *next = pool->chunks->next;

        free(pool->chunks);
        pool->chunks = next;
    }
}

/* What every fuzz target has: libFuzzer's entry, and a check that stays in every build. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One input; returns 0. Called by libFuzzer, or by replay.c for files. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts, which libFuzzer reports with the input. */
#define MUST(condition)                                                                        \
    do {                                                                                       \
        if (!(condition)) {                                                                    \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);            \
            abort();                                                                           \
        }                                                                                      \
    } while (0)

/* The bytes in memory of exactly their size, so that reading beyond them is seen. */
static inline char *fuzz_copy(const void *bytes, size_t n)
{
    char *copy = malloc(n > 0 ? n : 1);

    MUST(copy != NULL);
    if (n > 0) {
        memcpy(copy, bytes, n);
    }
    return copy;
}

#endif

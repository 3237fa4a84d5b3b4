/* What the refresher tells everybody, in shared memory: two copies, of which readers use one
   while the writer fills the other. A reader never waits and never sees half of one, and a
   writer that is killed in the middle has spoilt nothing that anybody reads. */
#ifndef MODE_PUBLICATION_H
#define MODE_PUBLICATION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "mode/policy.h"
#include "mode/source.h"

#define BOARD_VALUE_SIZE 128

/* Times are clock_ms(); 0: never. */
struct published {
    struct policy policy;          /* in force */
    uint64_t version;              /* the source's number for the value; 0: it has none */
    int64_t changed_ms;            /* this policy is in force since */
    int64_t fetched_ms;            /* the last fetch that worked */
    int64_t attempted_ms;          /* the start of the last fetch that ended, well or not */
    int64_t failing_ms;            /* fetches fail since; 0: the last one worked */
    int64_t ttl_ms;                /* a fetched value is fresh this long */
    uint64_t fetches, failures;    /* since the refresher started */
    struct source_fault fault;     /* of the last failure; empty code: none */
    char source[SOURCE_SPEC_SIZE]; /* the specification, "file:/run/sinkhole/mode" */
    char value[BOARD_VALUE_SIZE];  /* what was fetched: bounded, only printable ASCII */
    bool valid;                    /* the value names a mode; else `defer` is served */
};

struct publication {
    _Atomic uint64_t edition; /* its last bit names the copy to read */
    struct published copies[2];
};

/* The first publication, in zeroed memory that nobody else knows yet. */
void publication_init(struct publication *publication, const struct published *first);

/* Publishes *news whole. One writer at a time. */
void publication_publish(struct publication *publication, const struct published *news);

/* The number of the last publication, from 1; one atomic load. A cheap "is there news?". */
uint64_t publication_edition(const struct publication *publication);

/* Copies the last publication to *out, its texts terminated, and returns its number. Never
   waits. */
uint64_t publication_read(const struct publication *publication, struct published *out);

#endif

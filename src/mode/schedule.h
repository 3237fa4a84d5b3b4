/* When the next fetch is due. Pure arithmetic on the times it is given: no clock, no waiting,
   and the same seed gives the same jitter.

   After a fetch that worked the next starts a little before the value turns stale, so that it
   is there in time: at most one call per TTL, and a change takes effect within the TTL. After
   one that failed it is tried again soon, then less often; where the source asked to be left
   alone, or is overrun, much less often. Delays after failures are spread at random, so that
   many tasks that failed together do not come back together. */
#ifndef MODE_SCHEDULE_H
#define MODE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* What --cache-ttl may be. */
#define SCHEDULE_TTL_MIN_MS 200
#define SCHEDULE_TTL_MAX_MS 86400000

struct schedule {
    int64_t ttl_ms;
    int64_t due_ms;     /* clock_ms(), or CLOCK_NEVER */
    uint32_t failures;  /* in a row */
    uint32_t throttled; /* of these, how many asked for fewer calls */
    uint64_t random;    /* state of the jitter */
};

/* The first fetch is due at once. */
void schedule_init(struct schedule *s, int64_t ttl_ms, uint64_t seed, int64_t now);

/* A fetch that started at `started` worked. constant: its value never changes. */
void schedule_worked(struct schedule *s, int64_t started, bool constant);

/* A fetch has just failed. retry_after_ms: the source's own wish, or 0. */
void schedule_failed(struct schedule *s, int64_t now, bool throttled, int64_t retry_after_ms);

/* Somebody asks for a fetch now. */
void schedule_kick(struct schedule *s, int64_t now);

bool schedule_is_due(const struct schedule *s, int64_t now);

#endif

/* How many workers there are: the policy of growing, shrinking, replacing and throttling. It
   neither forks nor reads a clock; both come in from the caller, so that every path is tested
   with a fake of each. */
#ifndef SERVER_POOL_H
#define SERVER_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mode/board.h"

struct pool_limits {
    uint32_t min, max; /* processes */
    uint32_t spare;    /* grow while fewer than so many are idle */
};

struct pool_ops {
    /* Starts a worker for a slot; returns its pid, or -1. */
    pid_t (*spawn)(void *context, uint32_t slot);
    void *context;
};

struct pool {
    struct pool_limits limits;
    struct pool_ops ops;
    uint32_t size;           /* living workers */
    uint32_t burst;          /* how many the next step may add for want of idle ones */
    int64_t hold_until_ms;   /* throttled: nothing is started before */
    int64_t hold_ms;         /* how long the next throttle lasts; 0: none lately */
    int64_t next_retire_ms;  /* shrinking goes in small steps */
    uint32_t early_deaths;   /* in a row */
    bool draining;           /* stopping: nobody is replaced */
    pid_t pids[BOARD_SLOTS]; /* 0: the slot is free */
    int64_t born_ms[BOARD_SLOTS];
};

/* How a worker ended, for the one who reaped it. */
struct pool_death {
    bool known; /* it was one of ours */
    uint32_t slot;
    bool early; /* before it lived POOL_EARLY_MS, and not by a clean exit */
};

#define POOL_EARLY_MS    1000
#define POOL_HOLD_MIN_MS 100
#define POOL_HOLD_MAX_MS 10000
#define POOL_BURST_MAX   32
#define POOL_RETIRE_MS   1000

void pool_init(struct pool *pool, const struct pool_limits *limits, const struct pool_ops *ops);

/* Starts what is due: up to min at once, and beyond that 1, 2, 4 ... while fewer than `spare`
   of the living are idle. Returns how many it started. A failed spawn throttles. */
uint32_t pool_step(struct pool *pool, uint32_t idle, int64_t now_ms);

/* Takes note of a dead child. clean: it exited 0. Early deaths throttle the next spawns, longer
   each time. */
struct pool_death pool_reaped(struct pool *pool, pid_t pid, bool clean, int64_t now_ms);

/* How many idle workers should leave now: each POOL_RETIRE_MS an eighth of those beyond twice
   the spare, and never below min. */
uint32_t pool_retires(struct pool *pool, uint32_t idle, int64_t now_ms);

/* When the pool wants to be stepped next: clock_ms(), or CLOCK_NEVER. */
int64_t pool_deadline(const struct pool *pool, uint32_t idle, int64_t now_ms);

/* From now on nobody is replaced; or, after all, they are. */
void pool_drain(struct pool *pool);
void pool_resume(struct pool *pool);

#endif

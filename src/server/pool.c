/* The pool's arithmetic. */
#include "server/pool.h"

#include <string.h>

#include "base/clock.h"

void pool_init(struct pool *pool, const struct pool_limits *limits, const struct pool_ops *ops)
{
    memset(pool, 0, sizeof *pool);
    pool->limits = *limits;
    pool->ops = *ops;
    pool->burst = 1;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t free_slot(const struct pool *pool)
{
    uint32_t slot = 0;

    while (slot < BOARD_SLOTS && pool->pids[slot] != 0) {
        slot++;
    }
    return slot;
}

/* Nothing is started for a while; twice as long each time until somebody lives long enough. */
static void throttle(struct pool *pool, int64_t now_ms)
{
    pool->hold_ms = pool->hold_ms == 0 ? POOL_HOLD_MIN_MS : 2 * pool->hold_ms;
    if (pool->hold_ms > POOL_HOLD_MAX_MS) {
        pool->hold_ms = POOL_HOLD_MAX_MS;
    }
    pool->hold_until_ms = now_ms + pool->hold_ms;
}

static bool start_one(struct pool *pool, int64_t now_ms)
{
    uint32_t slot = free_slot(pool);
    pid_t pid;

    if (slot == BOARD_SLOTS) {
        return false;
    }
    pid = pool->ops.spawn(pool->ops.context, slot);
    if (pid < 0) {
        throttle(pool, now_ms);
        return false;
    }
    pool->pids[slot] = pid;
    pool->born_ms[slot] = now_ms;
    pool->size++;
    return true;
}

static bool wants_more(const struct pool *pool, uint32_t idle)
{
    return pool->size < pool->limits.max && idle < pool->limits.spare;
}

/* How many are missing now. */
static uint32_t missing(struct pool *pool, uint32_t idle)
{
    if (pool->size < pool->limits.min) {
        return pool->limits.min - pool->size;
    }
    if (!wants_more(pool, idle)) {
        pool->burst = 1;
        return 0;
    }
    return smaller(pool->burst, pool->limits.max - pool->size);
}

uint32_t pool_step(struct pool *pool, uint32_t idle, int64_t now_ms)
{
    uint32_t due, started = 0;

    if (pool->draining || now_ms < pool->hold_until_ms) {
        return 0;
    }
    due = missing(pool, idle);
    while (started < due && start_one(pool, now_ms)) {
        started++;
    }
    if (started > 0) {
        pool->next_retire_ms = now_ms + POOL_RETIRE_MS;
        if (pool->size > pool->limits.min && pool->burst < POOL_BURST_MAX) {
            pool->burst *= 2;
        }
    }
    return started;
}

struct pool_death pool_reaped(struct pool *pool, pid_t pid, bool clean, int64_t now_ms)
{
    struct pool_death death = {.known = false};

    while (death.slot < BOARD_SLOTS && pool->pids[death.slot] != pid) {
        death.slot++;
    }
    if (pid <= 0 || death.slot == BOARD_SLOTS) {
        return death;
    }
    death.known = true;
    death.early = !clean && now_ms - pool->born_ms[death.slot] < POOL_EARLY_MS;
    pool->pids[death.slot] = 0;
    pool->size--;
    if (death.early) {
        pool->early_deaths++;
        if (now_ms >= pool->hold_until_ms) {
            throttle(pool, now_ms);
        }
    } else {
        pool->early_deaths = 0;
        pool->hold_ms = 0;
    }
    return death;
}

/* How many workers stand about for nothing. */
static uint32_t surplus(const struct pool *pool, uint32_t idle)
{
    uint32_t wanted = 2 * pool->limits.spare;

    if (pool->size <= pool->limits.min || idle <= wanted) {
        return 0;
    }
    return smaller(pool->size - pool->limits.min, idle - wanted);
}

uint32_t pool_retires(struct pool *pool, uint32_t idle, int64_t now_ms)
{
    uint32_t n = surplus(pool, idle);

    if (n == 0 || now_ms < pool->next_retire_ms) {
        return 0;
    }
    pool->next_retire_ms = now_ms + POOL_RETIRE_MS;
    return (n + 7) / 8;
}

int64_t pool_deadline(const struct pool *pool, uint32_t idle, int64_t now_ms)
{
    if (pool->draining) {
        return CLOCK_NEVER;
    }
    if (pool->size < pool->limits.min || wants_more(pool, idle)) {
        return pool->hold_until_ms > now_ms ? pool->hold_until_ms : now_ms;
    }
    return surplus(pool, idle) > 0 ? pool->next_retire_ms : CLOCK_NEVER;
}

void pool_drain(struct pool *pool)
{
    pool->draining = true;
}

void pool_resume(struct pool *pool)
{
    pool->draining = false;
}

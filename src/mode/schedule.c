/* The rules are a few constants and one table. */
#include "mode/schedule.h"

#include "base/clock.h"

/* A fetch starts this part of the TTL early, but no more than so much. */
#define EARLY_PART   10
#define EARLY_MAX_MS 1000

/* The longest that a source may ask to be left alone. */
#define RETRY_AFTER_MAX_MS (15 * 60 * 1000)

enum trouble {
    TROUBLE_PLAIN,     /* no answer, or a refusal: often over in a moment */
    TROUBLE_THROTTLED, /* each call makes it worse */
};

/* The first delay, and the longest: at least `_ms`, at least `_ttls` times the TTL. */
static const struct backoff {
    int64_t first_ms, longest_ms;
    int64_t first_ttls, longest_ttls;
} backoffs[] = {
    [TROUBLE_PLAIN] = {.first_ms = 1000, .longest_ms = 1000, .longest_ttls = 1},
    [TROUBLE_THROTTLED] = {.first_ms = 2000,
                           .longest_ms = 60000,
                           .first_ttls = 1,
                           .longest_ttls = 8},
};

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Between half of the delay and the whole; xorshift64*, good enough to spread. */
static int64_t jittered(struct schedule *s, int64_t delay)
{
    s->random ^= s->random >> 12;
    s->random ^= s->random << 25;
    s->random ^= s->random >> 27;
    return delay / 2 + (int64_t)((s->random * 2685821657736338717ULL >> 33) %
                                 (uint64_t)(delay - delay / 2 + 1));
}

/* The first delay, doubled for each further failure, up to the longest. */
static int64_t backed_off(const struct backoff *row, int64_t ttl_ms, uint32_t failures)
{
    int64_t delay = larger(row->first_ms, row->first_ttls * ttl_ms);
    int64_t longest = larger(row->longest_ms, row->longest_ttls * ttl_ms);

    while (--failures > 0 && delay < longest) {
        delay *= 2;
    }
    return smaller(delay, longest);
}

void schedule_init(struct schedule *s, int64_t ttl_ms, uint64_t seed, int64_t now)
{
    *s = (struct schedule){.ttl_ms = ttl_ms, .due_ms = now, .random = seed != 0 ? seed : 1};
}

void schedule_worked(struct schedule *s, int64_t started, bool constant)
{
    s->failures = s->throttled = 0;
    s->due_ms = constant ? CLOCK_NEVER
                         : started + s->ttl_ms - smaller(s->ttl_ms / EARLY_PART, EARLY_MAX_MS);
}

void schedule_failed(struct schedule *s, int64_t now, bool throttled, int64_t retry_after_ms)
{
    enum trouble trouble = throttled ? TROUBLE_THROTTLED : TROUBLE_PLAIN;
    int64_t delay;

    s->failures++;
    s->throttled += throttled ? 1 : 0;
    delay = jittered(
        s, backed_off(&backoffs[trouble], s->ttl_ms, throttled ? s->throttled : s->failures));
    s->due_ms = now + larger(delay, smaller(retry_after_ms, RETRY_AFTER_MAX_MS));
}

void schedule_kick(struct schedule *s, int64_t now)
{
    s->due_ms = smaller(s->due_ms, now);
}

bool schedule_is_due(const struct schedule *s, int64_t now)
{
    return now >= s->due_ms;
}

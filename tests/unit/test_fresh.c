/* When a one-shot session may have the mode fetched: what keeps 1,000 of them from 1,000 calls.
 */
#include <check.h>
#include <stdio.h>

#include "runner.h"
#include "server/fresh.h"

#define TTL  30000
#define NOW  1000000
#define OURS "ssm:/mode"

static const struct {
    const char *what;
    const char *source; /* of the board */
    int64_t attempted_ms, claim_ms;
    bool due;
} cases[] = {
    {"nothing was ever fetched", OURS, 0, 0, true},
    {"nothing was fetched, and another has just begun", OURS, 0, NOW, false},
    {"nothing was fetched, and another began long ago", OURS, 0, NOW - TTL, true},
    {"what there is is fresh", OURS, NOW - TTL + 1, NOW - TTL, false},
    {"what there is is old", OURS, NOW - TTL, NOW - TTL - 1, true},
    {"it is old, and another has begun since", OURS, NOW - TTL, NOW - 1, false},
    {"it is old, and another's fetch was lost", OURS, NOW - 3 * TTL, NOW - TTL, true},
    {"another's fetch is not yet given up for lost", OURS, NOW - 3 * TTL, NOW - TTL + 1, false},
    {"the claim is of a former boot", OURS, 0, NOW + 5, true},
    {"the mode is of a former boot", OURS, NOW + 5, 0, true},
    {"the mode is another source's", "ssm:/other", NOW - 1, NOW - 2000, true},
    {"two sources quarrel over the board", "ssm:/other", NOW - 1, NOW - 2, false},
};

START_TEST(a_fetch_is_due)
{
    struct published last = {.attempted_ms = cases[_i].attempted_ms};

    snprintf(last.source, sizeof last.source, "%s", cases[_i].source);
    ck_assert_msg(fresh_is_due(&last, cases[_i].claim_ms, OURS, TTL, NOW) == cases[_i].due,
                  "%s", cases[_i].what);
}
END_TEST

/* A short TTL does not make fetches overlap. */
START_TEST(a_fetch_has_time_to_end)
{
    struct published last = {.attempted_ms = NOW - 5000, .source = OURS};

    ck_assert(!fresh_is_due(&last, NOW - 1000, OURS, 200, NOW));
    ck_assert(!fresh_is_due(&last, NOW - 4999, OURS, 200, NOW));
    last.attempted_ms = NOW - 20000;
    ck_assert(fresh_is_due(&last, NOW - FRESH_CLAIM_MS, OURS, 200, NOW));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("fresh");
    TCase *due = tcase_create("due");

    tcase_add_loop_test(due, a_fetch_is_due, 0, sizeof cases / sizeof cases[0]);
    tcase_add_test(due, a_fetch_has_time_to_end);
    suite_add_tcase(s, due);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

/* mode/schedule with a fake clock: the times are numbers. */
#include "mode/schedule.h"

#include <check.h>

#include "base/clock.h"
#include "runner.h"

#define TTL 30000

static const struct {
    int64_t ttl, delay;
} fresh[] = {
    {30000, 29000}, /* a second early */
    {2000, 1800},   /* a tenth early where that is less */
    {200, 180},
    {3600000, 3599000},
};

START_TEST(next_fetch_comes_before_the_value_is_stale)
{
    struct schedule s;

    schedule_init(&s, fresh[_i].ttl, 7, 500);
    ck_assert(schedule_is_due(&s, 500));
    schedule_worked(&s, 1000, false);
    ck_assert_int_eq(s.due_ms, 1000 + fresh[_i].delay);
    ck_assert(!schedule_is_due(&s, s.due_ms - 1));
    ck_assert(schedule_is_due(&s, s.due_ms));
}
END_TEST

START_TEST(at_most_two_fetches_in_any_ttl)
{
    struct schedule s;
    int64_t starts[200];
    int n = 0;

    schedule_init(&s, TTL, 7, 0);
    for (int64_t now = 0; n < 200; now++) {
        if (schedule_is_due(&s, now)) {
            starts[n++] = now;
            schedule_worked(&s, now, false);
        }
    }
    for (int i = 2; i < n; i++) {
        ck_assert_int_gt(starts[i] - starts[i - 2], TTL);
    }
}
END_TEST

START_TEST(what_never_changes_is_fetched_once)
{
    struct schedule s;

    schedule_init(&s, TTL, 7, 0);
    schedule_worked(&s, 0, true);
    ck_assert_int_eq(s.due_ms, CLOCK_NEVER);
    schedule_kick(&s, 5);
    ck_assert(schedule_is_due(&s, 5));
}
END_TEST

/* The delay before the jitter: the next one lies between its half and itself. */
static const struct {
    bool throttled;
    int64_t full[8];
} backoff[] = {
    {false, {1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000}},
    {true, {30000, 60000, 120000, 240000, 240000, 240000, 240000, 240000}},
};

START_TEST(failures_back_off_with_jitter)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct schedule s;
        int64_t now = 0;

        schedule_init(&s, TTL, seed, now);
        for (int i = 0; i < 8; i++) {
            int64_t full = backoff[_i].full[i];

            schedule_failed(&s, now, backoff[_i].throttled, 0);
            ck_assert_int_ge(s.due_ms - now, full / 2);
            ck_assert_int_le(s.due_ms - now, full);
            now = s.due_ms;
        }
    }
}
END_TEST

START_TEST(jitter_spreads_and_repeats)
{
    int64_t low = INT64_MAX, high = 0;

    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct schedule a, b;

        schedule_init(&a, TTL, seed * 2654435761u, 0);
        b = a;
        schedule_failed(&a, 0, true, 0);
        schedule_failed(&b, 0, true, 0);
        ck_assert_int_eq(a.due_ms, b.due_ms);
        low = a.due_ms < low ? a.due_ms : low;
        high = a.due_ms > high ? a.due_ms : high;
    }
    ck_assert_int_gt(high - low, 10000);
}
END_TEST

START_TEST(success_ends_the_backoff)
{
    struct schedule s;

    schedule_init(&s, TTL, 7, 0);
    for (int i = 0; i < 20; i++) {
        schedule_failed(&s, 0, i % 2 == 0, 0);
    }
    schedule_worked(&s, 100, false);
    ck_assert_int_eq(s.due_ms, 100 + 29000);
    schedule_failed(&s, 0, false, 0);
    ck_assert_int_le(s.due_ms, 1000);
    schedule_worked(&s, 100, false);
    schedule_failed(&s, 0, true, 0);
    ck_assert_int_le(s.due_ms, TTL);
}
END_TEST

/* An hour without a network says nothing of how many calls the source can take. */
START_TEST(only_throttling_makes_throttling_longer)
{
    struct schedule s;

    schedule_init(&s, TTL, 7, 0);
    for (int i = 0; i < 20; i++) {
        schedule_failed(&s, 0, false, 0);
    }
    schedule_failed(&s, 0, true, 0);
    ck_assert_int_le(s.due_ms, TTL);
}
END_TEST

START_TEST(every_seed_spreads)
{
    struct schedule s;
    int64_t first;

    schedule_init(&s, TTL, 0, 0);
    for (int i = 0; i < 10; i++) {
        schedule_failed(&s, 0, false, 0);
    }
    first = s.due_ms;
    schedule_failed(&s, 0, false, 0);
    ck_assert_int_ne(s.due_ms, first);
}
END_TEST

static const struct {
    int64_t asked, least, most;
} retry_after[] = {
    {120000, 120000, 120000},
    {1, 500, 1000},
    {INT64_MAX, 900000, 900000}, /* a quarter of an hour at most */
};

START_TEST(retry_after_is_honoured)
{
    struct schedule s;

    schedule_init(&s, TTL, 7, 0);
    schedule_failed(&s, 0, false, retry_after[_i].asked);
    ck_assert_int_ge(s.due_ms, retry_after[_i].least);
    ck_assert_int_le(s.due_ms, retry_after[_i].most);
}
END_TEST

START_TEST(a_kick_never_postpones)
{
    struct schedule s;

    schedule_init(&s, TTL, 7, 0);
    schedule_worked(&s, 0, false);
    schedule_kick(&s, 40000);
    ck_assert_int_eq(s.due_ms, 29000);
    schedule_kick(&s, 10);
    ck_assert_int_eq(s.due_ms, 10);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("schedule");
    TCase *t = tcase_create("all");

    tcase_add_loop_test(t, next_fetch_comes_before_the_value_is_stale, 0, 4);
    tcase_add_test(t, at_most_two_fetches_in_any_ttl);
    tcase_add_test(t, what_never_changes_is_fetched_once);
    tcase_add_loop_test(t, failures_back_off_with_jitter, 0, 2);
    tcase_add_test(t, jitter_spreads_and_repeats);
    tcase_add_test(t, success_ends_the_backoff);
    tcase_add_test(t, only_throttling_makes_throttling_longer);
    tcase_add_test(t, every_seed_spreads);
    tcase_add_loop_test(t, retry_after_is_honoured, 0, 3);
    tcase_add_test(t, a_kick_never_postpones);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

/* server/pool with a fake spawn and a fake clock: no process is forked here. */
#include "server/pool.h"

#include <check.h>

#include "base/clock.h"
#include "runner.h"

/* The fake world: hands out pids, or refuses. */
static struct {
    pid_t next;
    bool refuse;
    int calls;
    uint32_t last_slot;
} world;

static struct pool pool;

static pid_t fake_spawn(void *context, uint32_t slot)
{
    (void)context;
    world.calls++;
    world.last_slot = slot;
    return world.refuse ? -1 : world.next++;
}

static void fresh_pool(uint32_t min, uint32_t max)
{
    const struct pool_limits limits = {.min = min, .max = max, .spare = 4};
    const struct pool_ops ops = {fake_spawn, NULL};

    world.next = 100;
    world.refuse = false;
    world.calls = 0;
    pool_init(&pool, &limits, &ops);
}

START_TEST(starts_the_minimum_at_once)
{
    fresh_pool(8, 256);
    ck_assert_uint_eq(pool_step(&pool, 0, 1000), 8);
    ck_assert_uint_eq(pool.size, 8);
    ck_assert_uint_eq(pool_step(&pool, 8, 1000), 0);
    ck_assert_int_eq(pool_deadline(&pool, 8, 1000), CLOCK_NEVER);
}
END_TEST

START_TEST(doubles_while_idle_workers_run_short)
{
    static const uint32_t steps[] = {1, 2, 4, 8, 16, 32, 32, 32};

    fresh_pool(8, 256);
    pool_step(&pool, 0, 0);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        ck_assert_uint_eq(pool_step(&pool, 3, 0), steps[i]);
    }
}
END_TEST

START_TEST(a_rest_ends_the_doubling)
{
    fresh_pool(8, 256);
    pool_step(&pool, 0, 0);
    pool_step(&pool, 0, 0);
    pool_step(&pool, 0, 0);
    ck_assert_uint_eq(pool_step(&pool, 4, 0), 0);
    ck_assert_uint_eq(pool_step(&pool, 3, 0), 1);
}
END_TEST

START_TEST(never_passes_the_maximum)
{
    fresh_pool(2, 10);
    for (int i = 0; i < 20; i++) {
        pool_step(&pool, 0, 0);
    }
    ck_assert_uint_eq(pool.size, 10);
    ck_assert_int_eq(pool_deadline(&pool, 0, 5), CLOCK_NEVER);
}
END_TEST

START_TEST(a_fixed_size_neither_grows_nor_shrinks)
{
    fresh_pool(1, 1);
    pool_step(&pool, 0, 0);
    ck_assert_uint_eq(pool_step(&pool, 0, 0), 0);
    ck_assert_uint_eq(pool_retires(&pool, 1, 100000), 0);
}
END_TEST

START_TEST(replaces_the_dead_in_their_slot)
{
    struct pool_death death;

    fresh_pool(4, 4);
    pool_step(&pool, 0, 0);
    death = pool_reaped(&pool, 102, false, 5000);
    ck_assert(death.known);
    ck_assert(!death.early);
    ck_assert_uint_eq(death.slot, 2);
    ck_assert_uint_eq(pool_step(&pool, 3, 5000), 1);
    ck_assert_uint_eq(world.last_slot, 2);
}
END_TEST

START_TEST(strangers_are_no_workers)
{
    fresh_pool(4, 4);
    pool_step(&pool, 0, 0);
    ck_assert(!pool_reaped(&pool, 99, false, 0).known);
    ck_assert(!pool_reaped(&pool, 0, false, 0).known);
    ck_assert_uint_eq(pool.size, 4);
}
END_TEST

START_TEST(early_deaths_throttle_longer_each_time)
{
    int64_t now = 0, hold = POOL_HOLD_MIN_MS;

    fresh_pool(1, 1);
    for (int i = 0; i < 12; i++) {
        pool_step(&pool, 0, now);
        ck_assert(pool_reaped(&pool, world.next - 1, false, now + 10).early);
        now += 10;
        ck_assert_uint_eq(pool_step(&pool, 0, now), 0);
        ck_assert_int_eq(pool_deadline(&pool, 0, now), now + hold);
        ck_assert_uint_eq(pool_step(&pool, 0, now + hold - 1), 0);
        now += hold;
        hold = hold * 2 > POOL_HOLD_MAX_MS ? POOL_HOLD_MAX_MS : hold * 2;
    }
}
END_TEST

START_TEST(deaths_of_one_moment_throttle_once)
{
    fresh_pool(8, 8);
    pool_step(&pool, 0, 0);
    for (pid_t pid = 100; pid < 105; pid++) {
        pool_reaped(&pool, pid, false, 50);
    }
    ck_assert_int_eq(pool_deadline(&pool, 3, 50), 50 + POOL_HOLD_MIN_MS);
    ck_assert_uint_eq(pool_step(&pool, 3, 50 + POOL_HOLD_MIN_MS), 5);
}
END_TEST

START_TEST(a_long_life_ends_the_throttling)
{
    fresh_pool(1, 1);
    pool_step(&pool, 0, 0);
    pool_reaped(&pool, 100, false, 10);
    pool_step(&pool, 0, 110);
    pool_reaped(&pool, 101, false, 110 + POOL_EARLY_MS);
    ck_assert_uint_eq(pool_step(&pool, 0, 110 + POOL_EARLY_MS), 1);
    pool_reaped(&pool, 102, false, 120 + POOL_EARLY_MS);
    ck_assert_int_eq(pool.hold_ms, POOL_HOLD_MIN_MS);
}
END_TEST

START_TEST(a_clean_exit_is_no_early_death)
{
    fresh_pool(1, 1);
    pool_step(&pool, 0, 0);
    ck_assert(!pool_reaped(&pool, 100, true, 1).early);
    ck_assert_uint_eq(pool_step(&pool, 0, 1), 1);
}
END_TEST

START_TEST(a_failed_fork_throttles)
{
    fresh_pool(4, 8);
    world.refuse = true;
    ck_assert_uint_eq(pool_step(&pool, 0, 0), 0);
    ck_assert_int_eq(world.calls, 1);
    ck_assert_int_eq(pool_deadline(&pool, 0, 0), POOL_HOLD_MIN_MS);
    world.refuse = false;
    ck_assert_uint_eq(pool_step(&pool, 0, POOL_HOLD_MIN_MS), 4);
}
END_TEST

START_TEST(shrinks_in_small_steps_down_to_the_minimum)
{
    int64_t now = 0;
    int steps = 0;

    fresh_pool(8, 256);
    while (pool.size < 200) {
        pool_step(&pool, 0, now);
    }
    ck_assert_uint_eq(pool_retires(&pool, pool.size, now), 0);
    while (pool.size > 8 && steps < 1000) {
        uint32_t n;

        now += POOL_RETIRE_MS;
        n = pool_retires(&pool, pool.size, now);
        ck_assert_uint_ge(n, 1);
        ck_assert_uint_le(n, pool.size / 8 + 1);
        ck_assert_uint_eq(pool_retires(&pool, pool.size, now), 0);
        for (uint32_t slot = 0; n > 0; slot++) {
            n -= pool.pids[slot] != 0 && pool_reaped(&pool, pool.pids[slot], true, now).known;
        }
        steps++;
    }
    ck_assert_uint_eq(pool.size, 8);
    ck_assert_uint_eq(pool_retires(&pool, 8, now + POOL_RETIRE_MS), 0);
    ck_assert_int_gt(steps, 10);
}
END_TEST

START_TEST(nobody_is_replaced_while_draining)
{
    fresh_pool(4, 8);
    pool_step(&pool, 0, 0);
    pool_drain(&pool);
    pool_reaped(&pool, 100, true, 9000);
    ck_assert_uint_eq(pool_step(&pool, 0, 9000), 0);
    ck_assert_int_eq(pool_deadline(&pool, 0, 9000), CLOCK_NEVER);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("pool");
    TCase *tc = tcase_create("pool");

    tcase_add_test(tc, starts_the_minimum_at_once);
    tcase_add_test(tc, doubles_while_idle_workers_run_short);
    tcase_add_test(tc, a_rest_ends_the_doubling);
    tcase_add_test(tc, never_passes_the_maximum);
    tcase_add_test(tc, a_fixed_size_neither_grows_nor_shrinks);
    tcase_add_test(tc, replaces_the_dead_in_their_slot);
    tcase_add_test(tc, strangers_are_no_workers);
    tcase_add_test(tc, early_deaths_throttle_longer_each_time);
    tcase_add_test(tc, deaths_of_one_moment_throttle_once);
    tcase_add_test(tc, a_long_life_ends_the_throttling);
    tcase_add_test(tc, a_clean_exit_is_no_early_death);
    tcase_add_test(tc, a_failed_fork_throttles);
    tcase_add_test(tc, shrinks_in_small_steps_down_to_the_minimum);
    tcase_add_test(tc, nobody_is_replaced_while_draining);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

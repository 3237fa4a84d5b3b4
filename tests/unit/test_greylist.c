/* mode/greylist: memory, window, eviction, and the repair after a death inside. */
#include "mode/greylist.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner.h"

#define WINDOW 1800000

static struct greylist *list;

static void setup(void)
{
    list = mmap(NULL, sizeof *list, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(list, MAP_FAILED);
    greylist_init(list);
}

static void teardown(void)
{
    munmap(list, sizeof *list);
}

static struct greylist_key key_of(uint32_t n)
{
    struct greylist_key key = {{0x20, 0x01, 0x0d, 0xb8}};

    memcpy(key.bytes + 12, &n, sizeof n);
    return key;
}

static bool seen_first(uint32_t n, int64_t now)
{
    struct greylist_key key = key_of(n);

    return greylist_first_seen(list, &key, now, WINDOW);
}

START_TEST(the_first_is_new_the_second_is_known)
{
    ck_assert(seen_first(1, 1000));
    ck_assert(!seen_first(1, 1001));
    ck_assert(seen_first(2, 1001));
    ck_assert(!seen_first(1, 1000 + WINDOW - 1));
}
END_TEST

START_TEST(the_window_starts_at_the_first_and_then_anew)
{
    ck_assert(seen_first(1, 1000));
    ck_assert(!seen_first(1, 1000 + WINDOW - 1));
    ck_assert(seen_first(1, 1000 + WINDOW));
    ck_assert(!seen_first(1, 1000 + WINDOW + 1));
    ck_assert_uint_eq(list->count, 1);
}
END_TEST

START_TEST(the_oldest_goes_when_it_is_full)
{
    for (uint32_t n = 0; n < GREYLIST_CAPACITY + 100; n++) {
        ck_assert(seen_first(n, n));
    }
    ck_assert_uint_eq(list->count, GREYLIST_CAPACITY);
    for (uint32_t n = 100; n < GREYLIST_CAPACITY + 100; n++) {
        ck_assert(!seen_first(n, GREYLIST_CAPACITY + 100));
    }
    ck_assert(seen_first(0, GREYLIST_CAPACITY + 100));
}
END_TEST

/* A long life with random addresses, against a plain table. */
START_TEST(agrees_with_a_model)
{
    enum { KEYS = 3000 };
    static int64_t first[KEYS];
    int64_t now = 1;

    srandom(20260101);
    for (int i = 0; i < 300000; i++) {
        uint32_t n = (uint32_t)random() % KEYS;
        bool fresh = first[n] == 0 || now - first[n] >= WINDOW;

        ck_assert(seen_first(n, now) == fresh);
        if (fresh) {
            first[n] = now;
        }
        now += random() % 60;
    }
}
END_TEST

START_TEST(lists_and_forgets)
{
    struct greylist_entry out[3];

    seen_first(7, 10);
    seen_first(8, 20);
    seen_first(7, 30);
    ck_assert_uint_eq(greylist_copy(list, 0, out, 3), 2);
    ck_assert_int_eq(out[0].first_ms, 10);
    ck_assert_uint_eq(out[0].attempts, 2);
    ck_assert_uint_eq(greylist_copy(list, 1, out, 3), 1);
    ck_assert_int_eq(out[0].first_ms, 20);
    ck_assert_uint_eq(greylist_clear(list), 2);
    ck_assert_uint_eq(greylist_copy(list, 0, out, 3), 0);
    ck_assert(seen_first(7, 40));
}
END_TEST

START_TEST(a_death_inside_is_repaired)
{
    pid_t child;
    int status;

    for (uint32_t n = 0; n < 500; n++) {
        seen_first(n, 10);
    }
    child = fork();
    if (child == 0) {
        pthread_mutex_lock(&list->lock);
        memset(list->index, 0xFF, sizeof list->index); /* in the middle of something */
        kill(getpid(), SIGKILL);
    }
    waitpid(child, &status, 0);
    ck_assert(WIFSIGNALED(status));
    for (uint32_t n = 0; n < 500; n++) {
        ck_assert(!seen_first(n, 11));
    }
    ck_assert(seen_first(500, 11));
    ck_assert_int_eq(pthread_mutex_lock(&list->lock), 0); /* it locks as before */
    pthread_mutex_unlock(&list->lock);
}
END_TEST

START_TEST(a_death_that_spoilt_the_window_is_repaired_too)
{
    if (fork() == 0) {
        pthread_mutex_lock(&list->lock);
        list->oldest = 0xFFFFFFFF;
        list->count = 0xFFFFFFFF;
        kill(getpid(), SIGKILL);
    }
    wait(NULL);
    ck_assert(seen_first(1, 1000));
    ck_assert(!seen_first(1, 1000));
    ck_assert_uint_le(list->count, GREYLIST_CAPACITY);
    ck_assert_uint_lt(list->oldest, GREYLIST_CAPACITY);
}
END_TEST

START_TEST(entries_of_a_former_boot_do_not_stay)
{
    ck_assert(seen_first(1, 1000000000));
    ck_assert(seen_first(1, 5000));  /* the clock began anew */
    ck_assert(!seen_first(1, 4000)); /* this one only read it a little earlier */
}
END_TEST

/* Every process of the tree can write to the list: what one spoils must not lead the others out
   of it, or into a loop without end. */
START_TEST(a_spoilt_index_leads_nowhere)
{
    static const uint32_t values[] = {0xFFFFFFFF, GREYLIST_CAPACITY + 1, GREYLIST_CAPACITY, 1};

    for (uint32_t n = 0; n < 50; n++) {
        seen_first(n, 10);
    }
    for (uint32_t i = 0; i < GREYLIST_INDEX; i++) {
        list->index[i] = values[_i];
    }
    seen_first(1, 11);
    seen_first(1000, 12 + WINDOW); /* and drops the old ones */
    greylist_clear(list);
    ck_assert(seen_first(1, 13));
    ck_assert(!seen_first(1, 13));
}
END_TEST

START_TEST(many_processes_agree_on_who_was_first)
{
    enum { PROCESSES = 8, KEYS = 400 };
    int total = 0, status;

    for (int p = 0; p < PROCESSES; p++) {
        if (fork() == 0) {
            int firsts = 0;

            for (uint32_t n = 0; n < KEYS; n++) {
                firsts += seen_first(n, 10);
            }
            /* 400 do not fit an exit status: add them up in the list itself. */
            __atomic_fetch_add(&list->ring[GREYLIST_CAPACITY - 1].attempts, (uint64_t)firsts,
                               __ATOMIC_SEQ_CST);
            _exit(0);
        }
    }
    for (int p = 0; p < PROCESSES; p++) {
        wait(&status);
        ck_assert_int_eq(status, 0);
    }
    total = (int)list->ring[GREYLIST_CAPACITY - 1].attempts;
    ck_assert_int_eq(total, KEYS);
}
END_TEST

START_TEST(addresses_are_shown_in_their_own_form)
{
    struct greylist_key v4 = {{[10] = 0xFF, 0xFF, 192, 0, 2, 7}}, v6 = key_of(0);
    char text[46];

    greylist_key_text(&v4, text);
    ck_assert_str_eq(text, "192.0.2.7");
    greylist_key_text(&v6, text);
    ck_assert_str_eq(text, "2001:db8::");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("greylist");
    TCase *tc = tcase_create("greylist");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, the_first_is_new_the_second_is_known);
    tcase_add_test(tc, the_window_starts_at_the_first_and_then_anew);
    tcase_add_test(tc, the_oldest_goes_when_it_is_full);
    tcase_add_test(tc, agrees_with_a_model);
    tcase_add_test(tc, lists_and_forgets);
    tcase_add_test(tc, a_death_inside_is_repaired);
    tcase_add_test(tc, a_death_that_spoilt_the_window_is_repaired_too);
    tcase_add_test(tc, entries_of_a_former_boot_do_not_stay);
    tcase_add_loop_test(tc, a_spoilt_index_leads_nowhere, 0, 4);
    tcase_add_test(tc, many_processes_agree_on_who_was_first);
    tcase_add_test(tc, addresses_are_shown_in_their_own_form);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

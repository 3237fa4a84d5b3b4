/* mode/board with real processes: publication that survives its writer, attachment,
   adoption. */
#include "mode/board.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner.h"

static char dir[] = "/tmp/test_board.XXXXXX";
static struct board board;

static void setup(void)
{
    strcpy(dir + strlen(dir) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert(board_open(&board, dir, BOARD_WRITE, true));
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static void teardown(void)
{
    board_close(&board);
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A publication whose every part says the same number. */
static void publish_number(uint64_t n)
{
    static struct published news;

    memset(&news, 0, sizeof news);
    news.policy = *mode_policy((enum mode)(n % MODE_COUNT));
    news.version = n;
    news.changed_ms = (int64_t)n;
    snprintf(news.value, sizeof news.value, "%llu", (unsigned long long)n);
    snprintf(news.source, sizeof news.source, "%llu", (unsigned long long)n);
    board_publish(&board, &news);
}

static bool is_whole(const struct published *p)
{
    return strtoull(p->value, NULL, 10) == p->version &&
           strtoull(p->source, NULL, 10) == p->version &&
           (uint64_t)p->changed_ms == p->version &&
           strcmp(p->policy.name, mode_name((enum mode)(p->version % MODE_COUNT))) == 0;
}

START_TEST(a_new_board_defers)
{
    struct published p;

    ck_assert_uint_eq(board_read(&board, &p), 1);
    ck_assert_str_eq(p.policy.name, "defer");
    ck_assert_int_eq(p.policy.at[STAGE_RCPT][0].verdict.code, 421);
    ck_assert_int_eq(p.fetched_ms, 0);
}
END_TEST

START_TEST(what_is_published_is_read)
{
    struct published p;

    publish_number(41);
    publish_number(42);
    ck_assert_uint_eq(board_edition(&board), 3);
    ck_assert_uint_eq(board_read(&board, &p), 3);
    ck_assert_uint_eq(p.version, 42);
    ck_assert(is_whole(&p));
}
END_TEST

/* Another process attaches by the file and sees the same. */
START_TEST(processes_share_it)
{
    int status;

    publish_number(7);
    if (fork() == 0) {
        struct board other;
        struct published p;

        if (!board_open(&other, dir, BOARD_READ, false)) {
            _exit(1);
        }
        board_read(&other, &p);
        _exit(p.version == 7 && is_whole(&p) ? 0 : 2);
    }
    wait(&status);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* A writer publishes as fast as it can and is killed, again and again; a reader in between must
   never see half of anything, and must never wait. */
START_TEST(a_killed_writer_spoils_nothing)
{
    uint64_t last = 0;

    publish_number(1);
    for (int round = 0; round < 40; round++) {
        struct published p;
        pid_t writer = fork();

        if (writer == 0) {
            for (uint64_t n = last + 1;; n++) {
                publish_number(n);
            }
        }
        for (int i = 0; i < 2000; i++) {
            board_read(&board, &p);
            ck_assert(is_whole(&p));
        }
        kill(writer, SIGKILL);
        waitpid(writer, NULL, 0);
        board_read(&board, &p);
        ck_assert(is_whole(&p));
        last = p.version;
    }
    ck_assert_uint_gt(last, 40);
}
END_TEST

START_TEST(a_board_of_another_layout_is_replaced)
{
    char path[128];
    struct board other;
    int fd;

    snprintf(path, sizeof path, "%s/board", dir);
    fd = open(path, O_RDWR | O_TRUNC);
    ck_assert_int_eq(write(fd, "short", 5), 5);
    close(fd);
    ck_assert(!board_open(&other, dir, BOARD_WRITE, false));
    ck_assert_int_eq(errno, EPROTO);
    ck_assert(board_open(&other, dir, BOARD_WRITE, true));
    ck_assert_uint_eq(board_edition(&other), 1);
    board_close(&other);
}
END_TEST

/* A hole in the file would kill who writes there when the file system is full. */
START_TEST(a_board_has_all_its_blocks)
{
    struct stat st;

    ck_assert_int_eq(fstat(board.fd, &st), 0);
    ck_assert_int_ge(st.st_blocks * 512, st.st_size);
}
END_TEST

START_TEST(no_board_is_an_error_without_create)
{
    struct board other;

    ck_assert(!board_open(&other, "/nonexistent/dir", BOARD_READ, false));
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(many_creators_make_one_board)
{
    char path[128];
    int status;

    snprintf(path, sizeof path, "%s/board", dir);
    unlink(path);
    for (int i = 0; i < 8; i++) {
        if (fork() == 0) {
            struct board mine;

            if (!board_open(&mine, dir, BOARD_WRITE, true)) {
                _exit(1);
            }
            counters_add(&mine.control->oneshot, COUNT_SESSIONS, 1);
            _exit(0);
        }
    }
    for (int i = 0; i < 8; i++) {
        wait(&status);
        ck_assert_int_eq(status, 0);
    }
    board_close(&board);
    ck_assert(board_open(&board, dir, BOARD_WRITE, false));
    ck_assert_uint_eq(atomic_load(&board.control->oneshot.of[COUNT_SESSIONS]), 8);
}
END_TEST

START_TEST(adoption_keeps_what_a_restart_must_keep)
{
    struct greylist_key key = {{1}};
    struct published p;

    publish_number(9);
    greylist_first_seen(board.greylist, &key, 1, 1000);
    counters_add(&board.slots[3].counters, COUNT_MESSAGES, 5);
    atomic_store(&board.slots[3].pid, 4711);
    atomic_store(&board.slots[3].state, SLOT_DATA);
    atomic_store(&board.control->slots_used, 4);
    atomic_store(&board.control->master, 4710);
    board_adopt(&board);

    board_read(&board, &p);
    ck_assert_uint_eq(p.version, 9);
    ck_assert_uint_eq(board.greylist->count, 1);
    ck_assert_int_eq(atomic_load(&board.slots[3].pid), 0);
    ck_assert_int_eq(atomic_load(&board.slots[3].state), SLOT_FREE);
    ck_assert_int_eq(atomic_load(&board.control->master), 0);
    ck_assert_uint_eq(atomic_load(&board.slots[3].counters.of[COUNT_MESSAGES]), 5);
}
END_TEST

START_TEST(totals_add_up)
{
    uint64_t totals[COUNTERS];

    atomic_store(&board.control->slots_used, 10);
    counters_add(&board.slots[0].counters, COUNT_BYTES, 100);
    counters_add(&board.slots[9].counters, COUNT_BYTES, 20);
    counters_add(&board.control->oneshot, COUNT_BYTES, 3);
    board_totals(&board, totals);
    ck_assert_uint_eq(totals[COUNT_BYTES], 123);
    ck_assert_uint_eq(totals[COUNT_MESSAGES], 0);
}
END_TEST

static void on_fault(int number)
{
    (void)number;
    _exit(7);
}

START_TEST(the_head_can_be_made_read_only)
{
    int status;

    if (fork() == 0) {
        signal(SIGSEGV, on_fault);
        if (board_protect(&board)) {
            counters_add(&board.slots[0].counters, COUNT_BYTES, 1);
            publish_number(3);
        }
        _exit(0);
    }
    wait(&status);
    ck_assert_int_eq(WEXITSTATUS(status), 7);
    ck_assert_uint_eq(atomic_load(&board.slots[0].counters.of[COUNT_BYTES]), 1);
    ck_assert_uint_eq(board_edition(&board), 1);
}
END_TEST

START_TEST(one_writer_at_a_time)
{
    int first = board_writer_lock(dir, false), second;

    ck_assert_int_ge(first, 0);
    second = board_writer_lock(dir, false);
    ck_assert_int_eq(second, -1);
    ck_assert_int_eq(errno, EWOULDBLOCK);
    close(first);
    second = board_writer_lock(dir, false);
    ck_assert_int_ge(second, 0);
    close(second);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("board");
    TCase *tc = tcase_create("board");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_new_board_defers);
    tcase_add_test(tc, what_is_published_is_read);
    tcase_add_test(tc, processes_share_it);
    tcase_add_test(tc, a_killed_writer_spoils_nothing);
    tcase_add_test(tc, a_board_of_another_layout_is_replaced);
    tcase_add_test(tc, a_board_has_all_its_blocks);
    tcase_add_test(tc, no_board_is_an_error_without_create);
    tcase_add_test(tc, many_creators_make_one_board);
    tcase_add_test(tc, adoption_keeps_what_a_restart_must_keep);
    tcase_add_test(tc, totals_add_up);
    tcase_add_test(tc, one_writer_at_a_time);
    tcase_add_test(tc, the_head_can_be_made_read_only);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

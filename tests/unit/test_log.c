/* base/log with real pipes: whole lines, many writers, and a reader that does not read. */
#include "base/log.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "runner.h"

#define WRITERS 6
#define LINES   120

static struct {
    struct log_share share;
    struct {
        _Alignas(64) struct log_lane lane;
    } lanes[WRITERS];
} * shared;

static int ends[2];

static void setup(void)
{
    shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    log_share_init(&shared->share);
    ck_assert_int_eq(pipe(ends), 0);
    log_open(ends[1]);
}

static void join(int number)
{
    log_join(&shared->share, &shared->lanes[0].lane, WRITERS, sizeof shared->lanes[0],
             &shared->lanes[number].lane);
}

static void write_event(const char *name, char letter, size_t n)
{
    static char text[LOG_LINE_MAX];
    struct jsonout *j = log_event(name);

    memset(text, letter, n);
    jsonout_bytes(j, "text", text, n);
    log_end(j);
}

static size_t read_some(char *out, size_t size)
{
    ssize_t n = read(ends[0], out, size);

    ck_assert_int_ge(n, 0);
    return (size_t)n;
}

START_TEST(an_event_is_a_json_line)
{
    char line[512];
    size_t n;

    write_event("hello", 'x', 3);
    ck_assert(log_flush());
    n = read_some(line, sizeof line - 1);
    line[n] = '\0';
    ck_assert_int_eq(strncmp(line, "{\"time\":\"2", 10), 0);
    ck_assert_str_eq(strchr(line, ',') + 1, "\"event\":\"hello\",\"text\":\"xxx\"}\n");
}
END_TEST

START_TEST(lines_wait_for_a_flush)
{
    char lines[1024];

    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    write_event("one", 'x', 3);
    write_event("two", 'x', 3);
    ck_assert_int_eq(read(ends[0], lines, sizeof lines), -1);
    log_flush();
    ck_assert_int_gt(read(ends[0], lines, sizeof lines), 100);
}
END_TEST

START_TEST(an_event_too_long_is_left_out_and_counted)
{
    char line[64];

    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    write_event("long", '\1', LOG_LINE_MAX - 100);
    log_flush();
    ck_assert_int_eq(read(ends[0], line, sizeof line), -1);
    ck_assert_uint_eq(log_dropped(), 1);
}
END_TEST

START_TEST(a_reader_that_does_not_read_costs_a_bounded_time)
{
    int64_t start = clock_ms();

    join(0);
    log_patience(50);
    for (int i = 0; i < 1000; i++) {
        write_event("flood", 'x', 2000);
    }
    log_flush();
    ck_assert_uint_gt(log_dropped(), 900);
    /* Once 50 ms, then no more waiting: were each line waited for, it would be 48 s. */
    ck_assert_int_lt(clock_ms() - start, 20000);
}
END_TEST

START_TEST(writing_goes_on_when_the_reader_comes_back)
{
    static char all[1 << 20];
    uint64_t dropped;

    log_patience(10);
    for (int i = 0; i < 100; i++) {
        write_event("flood", 'x', 2000);
    }
    log_flush();
    dropped = log_dropped();
    ck_assert_uint_gt(dropped, 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    while (read(ends[0], all, sizeof all) > 0) {
    }
    write_event("again", 'x', 10);
    ck_assert(log_flush());
    ck_assert_uint_eq(log_dropped(), dropped);
    ck_assert_int_gt(read(ends[0], all, sizeof all), 0);
}
END_TEST

/* One writer's lines, short and long in turn, each with a letter of its own. */
static void write_many(int number)
{
    join(number);
    log_patience(60000);
    for (int i = 0; i < LINES; i++) {
        write_event("line", (char)('a' + number), i % 3 == 0 ? 12000 : 40);
        log_flush();
    }
    _exit(0);
}

/* Checks a line's shape; returns its letter. */
static char check_line(const char *line)
{
    const char *text = strstr(line, "\"text\":\"");
    size_t n;

    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(strncmp(line, "{\"time\":", 8), 0);
    text += 8;
    n = strspn(text, (char[]){text[0], '\0'});
    ck_assert(n == 40 || n == 12000);
    ck_assert_str_eq(text + n, "\"}\n");
    return text[0];
}

START_TEST(many_writers_never_mix_their_lines)
{
    static char line[LOG_LINE_MAX + 1];
    int counts[WRITERS] = {0};
    FILE *in;

    fcntl(ends[1], F_SETPIPE_SZ, 32768); /* little room: long lines have to wait */
    for (int i = 0; i < WRITERS; i++) {
        if (fork() == 0) {
            write_many(i);
        }
    }
    close(ends[1]);
    log_open(-1); /* lets go of our own writing end */
    in = fdopen(ends[0], "r");
    for (int i = 0; i < WRITERS * LINES; i++) {
        ck_assert_ptr_nonnull(fgets(line, sizeof line, in));
        counts[check_line(line) - 'a']++;
    }
    for (int i = 0; i < WRITERS; i++) {
        ck_assert_int_eq(counts[i], LINES);
        wait(NULL);
    }
    ck_assert_uint_eq(atomic_load(&shared->share.dropped), 0);
}
END_TEST

#define SHORT 40
#define LONG  12000

/* A process with lane 1 that writes one line as soon as it may. */
static pid_t start_writer(size_t n)
{
    pid_t writer = fork();

    if (writer == 0) {
        join(1);
        log_patience(60000);
        write_event("line", 'x', n);
        log_flush();
        _exit(log_dropped() > 0);
    }
    return writer;
}

static bool comes_within(int ms)
{
    struct pollfd in = {.fd = ends[0], .events = POLLIN};

    return poll(&in, 1, ms) == 1;
}

static void expect_line_of(pid_t writer)
{
    int status;

    ck_assert(comes_within(60000));
    ck_assert_int_eq(waitpid(writer, &status, 0), writer);
    ck_assert_int_eq(status, 0);
}

START_TEST(a_long_line_waits_for_who_writes_a_short_one)
{
    pid_t writer;

    atomic_store(&shared->lanes[2].lane.writing, 1);
    writer = start_writer(LONG);
    while (atomic_load(&shared->share.long_line) == 0 && !comes_within(1)) {
    }
    ck_assert(!comes_within(100));
    atomic_store(&shared->lanes[2].lane.writing, 0);
    expect_line_of(writer);
}
END_TEST

/* Both kinds wait for the turn of another long line: a short one too, once that is announced.
 */
START_TEST(a_line_waits_for_the_turn_of_a_long_one)
{
    pid_t writer;

    pthread_mutex_lock(&shared->share.turn);
    atomic_store(&shared->share.long_line, 1);
    writer = start_writer(_i == 0 ? LONG : SHORT);
    ck_assert(!comes_within(300));
    atomic_store(&shared->share.long_line, 0);
    pthread_mutex_unlock(&shared->share.turn);
    expect_line_of(writer);
}
END_TEST

START_TEST(a_short_line_waits_for_nobody_otherwise)
{
    pid_t writer;

    pthread_mutex_lock(&shared->share.turn);
    atomic_store(&shared->lanes[2].lane.writing, 1);
    writer = start_writer(SHORT);
    expect_line_of(writer);
    pthread_mutex_unlock(&shared->share.turn);
}
END_TEST

/* Its patience is for all of it: the turn, the others' lanes and the pipe. */
START_TEST(a_long_line_gives_up_on_a_lane_that_never_ends)
{
    join(1);
    log_patience(20);
    atomic_store(&shared->lanes[2].lane.writing, 1);
    write_event("line", 'x', LONG);
    ck_assert_uint_eq(log_dropped(), 1);
    ck_assert(!comes_within(0));
    ck_assert_uint_eq(atomic_load(&shared->share.long_line), 0);
}
END_TEST

static void die_in_turn(void)
{
    pthread_mutex_lock(&shared->share.turn);
    atomic_store(&shared->share.long_line, 1);
    _exit(0);
}

START_TEST(a_death_in_turn_blocks_nobody)
{
    char line[512];

    if (fork() == 0) {
        die_in_turn();
    }
    wait(NULL);
    join(1);
    write_event("after", 'x', 3);
    ck_assert(log_flush());
    ck_assert_uint_gt(read_some(line, sizeof line), 0);
    ck_assert_uint_eq(atomic_load(&shared->share.long_line), 0);
}
END_TEST

START_TEST(nothing_is_built_for_nobody)
{
    log_open(-1);
    ck_assert_ptr_null(log_event("nothing"));
    log_end(NULL);
    ck_assert_int_eq(log_fd(), -1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("log");
    TCase *tc = tcase_create("log");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, an_event_is_a_json_line);
    tcase_add_test(tc, lines_wait_for_a_flush);
    tcase_add_test(tc, an_event_too_long_is_left_out_and_counted);
    tcase_add_test(tc, a_reader_that_does_not_read_costs_a_bounded_time);
    tcase_add_test(tc, writing_goes_on_when_the_reader_comes_back);
    tcase_add_test(tc, many_writers_never_mix_their_lines);
    tcase_add_test(tc, a_long_line_waits_for_who_writes_a_short_one);
    tcase_add_loop_test(tc, a_line_waits_for_the_turn_of_a_long_one, 0, 2);
    tcase_add_test(tc, a_short_line_waits_for_nobody_otherwise);
    tcase_add_test(tc, a_long_line_gives_up_on_a_lane_that_never_ends);
    tcase_add_test(tc, a_death_in_turn_blocks_nobody);
    tcase_add_test(tc, nothing_is_built_for_nobody);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

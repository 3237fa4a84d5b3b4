/* base/wire over socket pairs and pipes: deadlines, ends, interruptions, large writes. */
#include "base/wire.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/signals.h"
#include "runner.h"

static int ours, theirs;

static struct wire socket_wire(int64_t quiet_ms)
{
    struct timeval quiet = {quiet_ms / 1000, quiet_ms % 1000 * 1000};
    int pair[2];

    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ours = pair[0];
    theirs = pair[1];
    if (quiet_ms > 0) {
        setsockopt(ours, SOL_SOCKET, SO_RCVTIMEO, &quiet, sizeof quiet);
        setsockopt(ours, SOL_SOCKET, SO_SNDTIMEO, &quiet, sizeof quiet);
    }
    return (struct wire){.in = ours, .out = ours, .quiet_ms = quiet_ms};
}

/* With the kernel's time-out, and without: the same results. */
static const int64_t quiets[] = {0, 50};

START_TEST(reads_what_is_there)
{
    struct wire w = socket_wire(quiets[_i]);
    char bytes[16];

    ck_assert_int_eq(write(theirs, "abc", 3), 3);
    ck_assert_int_eq(wire_read(&w, bytes, sizeof bytes, clock_ms(), clock_ms() + 10000), 3);
    ck_assert_int_eq(memcmp(bytes, "abc", 3), 0);
}
END_TEST

START_TEST(a_deadline_ends_a_read)
{
    struct wire w = socket_wire(quiets[_i]);
    int64_t start = clock_ms();
    char byte;

    ck_assert_int_eq(wire_read(&w, &byte, 1, clock_ms(), start + 60), WIRE_TIMEOUT);
    ck_assert_int_ge(clock_ms(), start + 50);
    ck_assert_int_eq(wire_read(&w, &byte, 1, clock_ms(), start), WIRE_TIMEOUT);
}
END_TEST

START_TEST(an_end_is_an_end)
{
    struct wire w = socket_wire(quiets[_i]);
    char byte;

    close(theirs);
    ck_assert_int_eq(wire_read(&w, &byte, 1, clock_ms(), clock_ms() + 10000), WIRE_CLOSED);
    ck_assert_int_eq(wire_write(&w, "x", 1, 10000), WIRE_CLOSED);
}
END_TEST

START_TEST(a_full_socket_ends_a_write_in_time)
{
    static char much[4 << 20];
    struct wire w = socket_wire(quiets[_i]);

    ck_assert_int_eq(wire_write(&w, much, sizeof much, 60), WIRE_TIMEOUT);
}
END_TEST

static void *take_all(void *count)
{
    static char bytes[1 << 16];
    ssize_t n;

    while ((n = read(theirs, bytes, sizeof bytes)) > 0) {
        *(size_t *)count += (size_t)n;
    }
    return NULL;
}

START_TEST(a_large_write_arrives_whole)
{
    static char much[4 << 20];
    struct wire w = socket_wire(quiets[_i]);
    size_t taken = 0;
    pthread_t reader;

    pthread_create(&reader, NULL, take_all, &taken);
    ck_assert_int_eq(wire_write(&w, much, sizeof much, 60000), sizeof much);
    close(ours);
    pthread_join(reader, NULL);
    ck_assert_uint_eq(taken, sizeof much);
}
END_TEST

static void on_alarm(int number)
{
    (void)number;
}

static bool answer;

static bool interrupted(void *context)
{
    (void)context;
    return answer;
}

START_TEST(a_signal_interrupts_only_when_it_matters)
{
    const struct itimerval soon = {.it_interval = {0, 20000}, .it_value = {0, 20000}};
    struct wire w = socket_wire(quiets[_i]);
    char byte;

    w.interrupted = interrupted;
    signals_catch(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &soon, NULL);
    answer = false;
    ck_assert_int_eq(wire_read(&w, &byte, 1, clock_ms(), clock_ms() + 150), WIRE_TIMEOUT);
    answer = true;
    ck_assert_int_eq(wire_read(&w, &byte, 1, clock_ms(), clock_ms() + 60000), WIRE_INTERRUPTED);
}
END_TEST

/* What has been answered is sent as far as the client takes it, also while the server stops. */
START_TEST(a_signal_does_not_cut_a_reply)
{
    static char much[1 << 20];
    const struct itimerval soon = {.it_interval = {0, 5000}, .it_value = {0, 5000}};
    struct wire w = socket_wire(quiets[_i]);
    size_t taken = 0;
    pthread_t reader;

    w.interrupted = interrupted;
    answer = true;
    signals_catch(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &soon, NULL);
    ck_assert_int_eq(wire_write(&w, much, sizeof much, 100), WIRE_TIMEOUT);
    pthread_create(&reader, NULL, take_all, &taken);
    ck_assert_int_eq(wire_write(&w, much, sizeof much, 60000), sizeof much);
    close(ours);
    pthread_join(reader, NULL);
}
END_TEST

START_TEST(pipes_are_wires_too)
{
    int in[2], out[2];
    struct wire w;
    char byte = 0;

    ck_assert(pipe(in) == 0 && pipe(out) == 0);
    w = (struct wire){.in = in[0], .out = out[1]};
    ck_assert_int_eq(write(in[1], "a", 1), 1);
    ck_assert_int_eq(wire_read(&w, &byte, 1, clock_ms(), clock_ms() + 10000), 1);
    ck_assert_int_eq(wire_write(&w, "b", 1, 10000), 1);
    ck_assert_int_eq(read(out[0], &byte, 1), 1);
    ck_assert_int_eq(byte, 'b');
    close(in[1]);
    ck_assert_int_eq(wire_read(&w, &byte, 1, clock_ms(), clock_ms() + 10000), WIRE_CLOSED);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("wire");
    TCase *tc = tcase_create("wire");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, reads_what_is_there, 0, 2);
    tcase_add_loop_test(tc, a_deadline_ends_a_read, 0, 2);
    tcase_add_loop_test(tc, an_end_is_an_end, 0, 2);
    tcase_add_loop_test(tc, a_full_socket_ends_a_write_in_time, 0, 2);
    tcase_add_loop_test(tc, a_large_write_arrives_whole, 0, 2);
    tcase_add_loop_test(tc, a_signal_interrupts_only_when_it_matters, 0, 2);
    tcase_add_loop_test(tc, a_signal_does_not_cut_a_reply, 0, 2);
    tcase_add_test(tc, pipes_are_wires_too);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

/* mode/refresher on a real board, with a source that says what the test tells it to. */
#include "mode/refresher.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "runner.h"

/* -- a source that obeys ------------------------------------------------------------------- */

struct script {
    const char *value; /* NULL: the fetch fails */
    uint64_t version;
    bool secret;
    int fetches;
};

static struct script script;
static int change_fd = -1;

static bool open_script(struct source *source, struct source_fault *fault)
{
    (void)source;
    (void)fault;
    return true;
}

static bool fetch_script(struct source *source, struct reading *out, struct source_fault *fault)
{
    (void)source;
    script.fetches++;
    if (script.value == NULL) {
        source_fault_set(fault, "Broken", "it is %s", "broken");
        return false;
    }
    *out = (struct reading){
        .length = strlen(script.value), .version = script.version, .secret = script.secret};
    strcpy(out->value, script.value);
    return true;
}

static int watch_script(struct source *source)
{
    (void)source;
    return change_fd;
}

static bool script_changed(struct source *source)
{
    uint64_t n;

    (void)source;
    return read(change_fd, &n, sizeof n) == (ssize_t)sizeof n;
}

static const struct source_kind scripted = {.scheme = "script",
                                            .open = open_script,
                                            .fetch = fetch_script,
                                            .watch = watch_script,
                                            .changed = script_changed};
static const struct source_kind *const kinds[] = {&scripted, NULL};

/* -- the stage ----------------------------------------------------------------------------- */

static char dir[64];
static struct board board;
static struct source source;
static struct refresher refresher;
static struct published seen;
static int events;

static void set_stage(void)
{
    struct source_fault fault;
    char path[128];

    strcpy(dir, "/tmp/refresher.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/events", dir);
    events = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);
    log_open(events);
    ck_assert(board_open(&board, dir, BOARD_WRITE, true));
    ck_assert(source_open(&source, "script:1", kinds, &fault));
    script = (struct script){0};
}

static void clear_stage(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

/* The events since the last call, "name name ...". */
static const char *new_events(void)
{
    static off_t from;
    static char names[400];
    char text[8192];
    ssize_t n = pread(events, text, sizeof text - 1, from);
    char *at = text;

    ck_assert_int_ge(n, 0);
    text[n] = '\0';
    from += n;
    names[0] = '\0';
    while ((at = strstr(at, "\"event\":\"")) != NULL) {
        at += strlen("\"event\":\"");
        if (names[0] != '\0') {
            strcat(names, " ");
        }
        strncat(names, at, strcspn(at, "\""));
    }
    return names;
}

/* One fetch of this value; NULL: it fails. */
static void fetch(const char *value, uint64_t version)
{
    script.value = value;
    script.version = version;
    ck_assert(refresher_fetch(&refresher) == (value != NULL));
    board_read(&board, &seen);
}

static void start(bool quiet)
{
    refresher_init(&refresher, &board, &source, 30000, quiet);
    board_read(&board, &seen);
}

/* -- tests --------------------------------------------------------------------------------- */

START_TEST(nothing_known_is_defer)
{
    start(false);
    ck_assert_str_eq(seen.policy.name, "defer");
    ck_assert_str_eq(seen.source, "script:1");
    ck_assert(!seen.valid);
    ck_assert_int_eq(seen.fetched_ms, 0);
    fetch(NULL, 0);
    ck_assert_str_eq(seen.policy.name, "defer");
    ck_assert_str_eq(new_events(), "source_failed");
}
END_TEST

START_TEST(a_change_is_published_and_told_once)
{
    int64_t before = clock_ms();

    start(false);
    fetch("accept\n", 3);
    ck_assert_str_eq(seen.policy.name, "accept");
    ck_assert_str_eq(seen.value, "accept");
    ck_assert_uint_eq(seen.version, 3);
    ck_assert(seen.valid);
    ck_assert_int_ge(seen.fetched_ms, before);
    ck_assert_int_eq(seen.fetched_ms, seen.attempted_ms);
    ck_assert_str_eq(new_events(), "mode");
    fetch("accept\n", 3);
    ck_assert_uint_eq(seen.fetches, 2);
    ck_assert_str_eq(new_events(), "");
    fetch("accept\n", 4);
    ck_assert_uint_eq(seen.version, 4);
    ck_assert_str_eq(new_events(), "mode");
}
END_TEST

START_TEST(an_unknown_value_is_defer)
{
    start(false);
    fetch("accept", 1);
    new_events();
    fetch("acccept", 2);
    ck_assert_str_eq(seen.policy.name, "defer");
    ck_assert_str_eq(seen.value, "acccept");
    ck_assert(!seen.valid);
    ck_assert_str_eq(new_events(), "mode_invalid mode");
    fetch("acccept", 2);
    ck_assert_str_eq(new_events(), "");
    fetch("other", 3);
    ck_assert_str_eq(new_events(), "mode_invalid");
    fetch("bounce", 4);
    ck_assert_str_eq(seen.policy.name, "bounce");
    ck_assert_str_eq(new_events(), "mode");
}
END_TEST

START_TEST(a_failure_keeps_the_last_mode)
{
    start(false);
    fetch("bounce", 7);
    new_events();
    fetch(NULL, 0);
    ck_assert_str_eq(seen.policy.name, "bounce");
    ck_assert_uint_eq(seen.version, 7);
    ck_assert_int_ne(seen.failing_ms, 0);
    ck_assert_str_eq(seen.fault.code, "Broken");
    ck_assert_str_eq(seen.fault.text, "it is broken");
    ck_assert_str_eq(new_events(), "source_failed");
    fetch(NULL, 0);
    fetch(NULL, 0);
    ck_assert_uint_eq(seen.failures, 3);
    ck_assert_str_eq(new_events(), "");
    fetch("bounce", 7);
    ck_assert_int_eq(seen.failing_ms, 0);
    ck_assert_str_eq(new_events(), "source_recovered");
}
END_TEST

/* Each line of the table is one look at the time; the first failure is told at 0. */
static const struct {
    int64_t after_ms;
    const char *told;
} looks[] = {{0, ""},
             {REFRESHER_REMIND_MS - 1, ""},
             {REFRESHER_REMIND_MS, "source_failing"},
             {REFRESHER_REMIND_MS + 1, ""},
             {2 * REFRESHER_REMIND_MS, "source_failing"}};

START_TEST(a_failure_that_lasts_is_told_once_a_minute)
{
    start(false);
    fetch("bounce", 7);
    refresher_remind(&refresher, clock_ms() + REFRESHER_REMIND_MS);
    ck_assert_str_eq(new_events(), "mode");
    fetch(NULL, 0);
    ck_assert_str_eq(new_events(), "source_failed");
    int64_t began = refresher.told_ms;
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        refresher_remind(&refresher, began + looks[i].after_ms);
        ck_assert_str_eq(new_events(), looks[i].told);
    }
    fetch("bounce", 7);
    ck_assert_str_eq(new_events(), "source_recovered");
    refresher_remind(&refresher, began + 9 * REFRESHER_REMIND_MS);
    ck_assert_str_eq(new_events(), "");
    fetch(NULL, 0);
    ck_assert_str_eq(new_events(), "source_failed");
    refresher_remind(&refresher, clock_ms());
    ck_assert_str_eq(new_events(), "");
}
END_TEST

START_TEST(a_secret_is_not_quoted)
{
    char text[4096];
    ssize_t n;

    start(false);
    script.secret = true;
    fetch("hunter2", 1);
    ck_assert_str_eq(seen.value, "(SecureString)");
    ck_assert_str_eq(seen.policy.name, "defer");
    fetch("accept", 2);
    ck_assert_str_eq(seen.value, "accept");
    n = pread(events, text, sizeof text - 1, 0);
    text[n] = '\0';
    ck_assert_ptr_nonnull(strstr(text, "mode_invalid"));
    ck_assert_ptr_null(strstr(text, "hunter2"));
}
END_TEST

/* Whether a new refresher goes on with what the former one published. */
static const struct {
    const char *spec;
    bool kept;
} followers[] = {{"script:1", true}, {"script:2", false}};

START_TEST(a_restart_keeps_the_mode_of_the_same_source)
{
    struct source_fault fault;

    start(false);
    fetch("accept", 5);
    new_events();
    ck_assert(source_open(&source, followers[_i].spec, kinds, &fault));
    start(false);
    ck_assert_str_eq(seen.policy.name, followers[_i].kept ? "accept" : "defer");
    ck_assert_uint_eq(seen.version, followers[_i].kept ? 5 : 0);
    ck_assert_uint_eq(seen.fetches, 0);
    fetch("accept", 5);
    ck_assert_str_eq(new_events(), "mode");
}
END_TEST

START_TEST(times_of_another_boot_are_not_believed)
{
    start(false);
    refresher.news.policy = *mode_policy(MODE_ACCEPT);
    refresher.news.fetched_ms = clock_ms() + 86400000;
    board_publish(&board, &refresher.news);
    start(false);
    ck_assert_str_eq(seen.policy.name, "defer");
    ck_assert_int_eq(seen.fetched_ms, 0);
}
END_TEST

START_TEST(single_fetches_go_on_where_the_last_ended)
{
    for (int i = 0; i < 3; i++) {
        start(true);
        fetch("accept", 5);
        ck_assert_str_eq(new_events(), i == 0 ? "mode" : "");
    }
    ck_assert_uint_eq(seen.fetches, 3);
    for (int i = 0; i < 3; i++) {
        start(true);
        fetch(NULL, 0);
        ck_assert_str_eq(new_events(), i == 0 ? "source_failed" : "");
    }
    start(true);
    fetch("accept", 5);
    ck_assert_str_eq(new_events(), "source_recovered");
}
END_TEST

static const struct {
    const char *value, *shown;
} values[] = {{"accept", "accept"},     {" \taccept\r\n\n", "accept"}, {"", ""},
              {"a b", "a b"},           {"a\nb\033[2J", "a?b?[2J"},    {"\xc3\xa9", "??"},
              {"0123456789", "0123456"}};

START_TEST(values_are_shown_in_print)
{
    struct reading reading = {.length = strlen(values[_i].value)};
    char out[8];

    strcpy(reading.value, values[_i].value);
    refresher_show(&reading, out, sizeof out);
    ck_assert_str_eq(out, values[_i].shown);
}
END_TEST

/* -- the loop ------------------------------------------------------------------------------ */

static int ready[2];

/* Forks a process that runs the loop; returns its number. */
static pid_t spawn(const char *value)
{
    pid_t pid;

    ck_assert_int_eq(pipe(ready), 0);
    change_fd = eventfd(0, EFD_NONBLOCK);
    pid = fork();
    if (pid == 0) {
        close(ready[0]);
        script.value = value;
        refresher_init(&refresher, &board, &source, 3600000, false);
        refresher.news.failing_ms = value == NULL ? clock_ms() - REFRESHER_REMIND_MS : 0;
        refresher_run(&refresher, ready[1]);
        _exit(3);
    }
    close(ready[1]);
    return pid;
}

static void await_ready(void)
{
    struct pollfd one = {.fd = ready[0], .events = POLLIN};
    char text[8];

    ck_assert_int_eq(poll(&one, 1, 20000), 1);
    ck_assert_int_eq(read(ready[0], text, sizeof text), 1);
    ck_assert_int_eq(text[0], '\n');
    ck_assert_int_eq(read(ready[0], text, sizeof text), 0);
}

static void await_fetches(uint64_t n)
{
    do {
        usleep(1000);
        board_read(&board, &seen);
    } while (seen.fetches < n);
}

START_TEST(loop_fetches_when_asked)
{
    pid_t pid = spawn("accept");
    int status;

    await_ready();
    await_fetches(1);
    ck_assert_str_eq(seen.policy.name, "accept");
    kill(pid, SIGHUP);
    await_fetches(2);
    ck_assert_int_eq(eventfd_write(change_fd, 1), 0);
    await_fetches(3);
    ck_assert_str_eq(new_events(), "mode refreshed");
    ck_assert_int_gt(atomic_load(&board.control->refresher_beat_ms), 0);
    kill(pid, SIGTERM);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

START_TEST(loop_tells_of_a_failure_that_lasts)
{
    pid_t pid = spawn(NULL); /* as if it had failed for a minute already */

    await_ready();
    while (strcmp(new_events(), "source_failing") != 0) {
        usleep(1000);
    }
    kill(pid, SIGTERM);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

#define COUNT(table) ((int)(sizeof table / sizeof table[0]))

static Suite *suite(void)
{
    Suite *s = suite_create("refresher");
    TCase *t = tcase_create("fetch"), *loop = tcase_create("loop");

    tcase_add_checked_fixture(t, set_stage, clear_stage);
    tcase_add_test(t, nothing_known_is_defer);
    tcase_add_test(t, a_change_is_published_and_told_once);
    tcase_add_test(t, an_unknown_value_is_defer);
    tcase_add_test(t, a_failure_keeps_the_last_mode);
    tcase_add_test(t, a_failure_that_lasts_is_told_once_a_minute);
    tcase_add_test(t, a_secret_is_not_quoted);
    tcase_add_loop_test(t, a_restart_keeps_the_mode_of_the_same_source, 0, COUNT(followers));
    tcase_add_test(t, times_of_another_boot_are_not_believed);
    tcase_add_test(t, single_fetches_go_on_where_the_last_ended);
    tcase_add_loop_test(t, values_are_shown_in_print, 0, COUNT(values));
    tcase_add_checked_fixture(loop, set_stage, clear_stage);
    tcase_set_timeout(loop, 60);
    tcase_add_test(loop, loop_fetches_when_asked);
    tcase_add_test(loop, loop_tells_of_a_failure_that_lasts);
    suite_add_tcase(s, t);
    suite_add_tcase(s, loop);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

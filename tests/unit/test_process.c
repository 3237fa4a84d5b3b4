/* aws/command: programs that print credentials. */
#include "aws/command.h"

#include <signal.h>

#include "credentials_stage.h"

static const struct {
    const char *answer, *why; /* NULL: it serves */
} answers[] = {
    {"{\"Version\":1,\"AccessKeyId\":\"PK\",\"SecretAccessKey\":\"ps\",\"SessionToken\":\"pt\","
     "\"Expiration\":\"2099-01-01T00:00:00Z\"}",
     NULL},
    {"{\"Version\":1,\"AccessKeyId\":\"PK\"}", "the secret key is missing"},
    {"{\"AccessKeyId\":\"PK\",\"SecretAccessKey\":\"ps\"}", "no \"Version\": 1"},
    {"{\"Version\":\"1\",\"AccessKeyId\":\"PK\",\"SecretAccessKey\":\"ps\"}",
     "no \"Version\": 1"},
    {"{\"Version\":2,\"AccessKeyId\":\"PK\",\"SecretAccessKey\":\"ps\"}", "no \"Version\": 1"},
    {"secret-words", "not JSON"},
    {"", "not JSON"},
};

START_TEST(process_answers)
{
    write_file(".aws/config", "[default]\ncredential_process = cat $HOME/answer\n");
    write_file("answer", answers[_i].answer);
    if (answers[_i].why == NULL) {
        expect("profile", "PK", "ps", "pt");
        ck_assert_int_eq(cache.now.expires_ms, 4070908800000);
    } else {
        expect_fault("CredentialsFailed", answers[_i].why);
        ck_assert_ptr_null(strstr(fault.text, "secret-words"));
    }
}
END_TEST

static const struct {
    const char *command, *output, *why; /* why NULL: it works */
} commands[] = {
    {"printf abc", "abc", NULL},
    {"cat", "", NULL}, /* nothing stands on its standard input */
    {"exit 3", NULL, "status 3"},
    {"kill -9 $$", NULL, "signal 9"},
    {"no-such-program 2>/dev/null", NULL, "status 127"},
    {"yes", NULL, "too much"},
    {"sleep 600 & sleep 600", NULL, "does not end"},
    {"exec >&-; sleep 600", NULL, "does not end"}, /* though its output does */
    {"printf abc; exit 1", NULL, "status 1"},
};

START_TEST(commands_are_bounded)
{
    char out[4096], why[200];
    size_t n = 0;
    int patience = commands[_i].why != NULL && strstr(commands[_i].why, "end") ? 200 : 20000;
    bool done =
        command_run(commands[_i].command, patience, out, sizeof out, &n, why, sizeof why);

    ck_assert(done == (commands[_i].why == NULL));
    if (done) {
        ck_assert_uint_eq(n, strlen(commands[_i].output));
        ck_assert_int_eq(memcmp(out, commands[_i].output, n), 0);
    } else {
        ck_assert_msg(strstr(why, commands[_i].why) != NULL, "%s", why);
    }
}
END_TEST

/* The daemon's standard input may be a terminal, or a client's socket. */
START_TEST(commands_read_nothing)
{
    char out[64], why[200];
    int ends[2];
    size_t n = 9;

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "input", 5), 5);
    dup2(ends[0], STDIN_FILENO);
    ck_assert(command_run("cat", 20000, out, sizeof out, &n, why, sizeof why));
    ck_assert_uint_eq(n, 0);
}
END_TEST

/* What it starts ends with it: the sleep holds a pipe, which closes when the sleep is gone. */
START_TEST(children_are_ended_too)
{
    char command[64], out[64], why[200];
    int ends[2];
    size_t n;

    ck_assert_int_eq(pipe(ends), 0);
    snprintf(command, sizeof command, "sleep 600 >&%d & printf x; wait", ends[1]);
    ck_assert(!command_run(command, 300, out, sizeof out, &n, why, sizeof why));
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], out, 1), 0); /* the suite's time limit ends a wait */
    close(ends[0]);
}
END_TEST

/* A process of the refresher, but with signals and variables as a shell's. What is behind the
   first 31 signals is the C library's own: posix_spawn(3), as make(1) uses it, ignores two. */
START_TEST(commands_find_no_trace_of_the_refresher)
{
    const unsigned long standard = 0x7fffffff;
    unsigned long blocked = 1, ignored = 1;
    char out[64], why[200];
    int end = 0;
    sigset_t set;
    size_t n;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    setenv("GNUTLS_NO_IMPLICIT_INIT", "1", 1);
    ck_assert(command_run("grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '[:space:]'; "
                          "printf %s \"$GNUTLS_NO_IMPLICIT_INIT\"",
                          20000, out, sizeof out, &n, why, sizeof why));
    out[n] = '\0';
    ck_assert_int_eq(sscanf(out, "SigBlk:%16lxSigIgn:%16lx%n", &blocked, &ignored, &end), 2);
    ck_assert_uint_eq(blocked, 0);
    ck_assert_uint_eq(ignored & standard, 0);
    ck_assert_str_eq(out + end, "");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("process");
    TCase *t = tcase_create("all");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, process_answers, 0, COUNT(answers));
    tcase_add_loop_test(t, commands_are_bounded, 0, COUNT(commands));
    tcase_add_test(t, commands_read_nothing);
    tcase_add_test(t, children_are_ended_too);
    tcase_add_test(t, commands_find_no_trace_of_the_refresher);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

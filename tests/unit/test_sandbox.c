/* server: what the sandbox lets through, and what it ends. Each case runs in a child. */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner.h"
#include "server/sandbox.h"

static int pipe_ends[2];

static void reads(void)
{
    char byte;

    (void)!read(pipe_ends[0], &byte, 1);
}

static void asks_for_room(void)
{
    int n;

    fcntl(pipe_ends[1], F_GETPIPE_SZ);
    ioctl(pipe_ends[1], FIONREAD, &n);
}

static void opens(void)
{
    (void)!open("/dev/null", O_RDONLY);
}

static void makes_a_socket(void)
{
    (void)!socket(AF_INET, SOCK_STREAM, 0);
}

static void forks(void)
{
    (void)!fork();
}

static void execs(void)
{
    execl("/bin/true", "true", (char *)NULL);
}

static void kills(void)
{
    kill(getpid(), SIGUSR1);
}

static void makes_code(void)
{
    mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void duplicates(void)
{
    fcntl(pipe_ends[0], F_DUPFD, 0);
}

static void traces(void)
{
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* The names that one of these may have, by machine and C library; NULL: it goes through. */
static const struct {
    void (*act)(void);
    const char *calls;
} cases[] = {
    {reads, NULL},          {asks_for_room, NULL},
    {opens, "open openat"}, {makes_a_socket, "socket"},
    {forks, "fork clone"},  {execs, "execve"},
    {kills, "kill"},        {makes_code, "mmap"},
    {duplicates, "fcntl"},  {traces, "prctl"},
};

START_TEST(lets_through_or_ends_with_the_name)
{
    _Atomic uint32_t *violation =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status;
    pid_t pid;

    if (!sandbox_built()) {
        return; /* with sanitizers; the plain build has it */
    }
    ck_assert_int_eq(pipe(pipe_ends), 0);
    ck_assert_int_eq(write(pipe_ends[1], "x", 1), 1);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (!sandbox_enter(violation)) {
            _exit(9);
        }
        cases[_i].act();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    if (cases[_i].calls == NULL) {
        ck_assert_int_eq(status, 0);
        ck_assert_uint_eq(*violation, 0);
        return;
    }
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGSYS);
    ck_assert_ptr_nonnull(strstr(cases[_i].calls, sandbox_call(*violation)));
}
END_TEST

START_TEST(the_kernel_is_asked_before)
{
    ck_assert_int_eq(sandbox_possible(), sandbox_built());
    ck_assert_str_eq(sandbox_call(0), "?");
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("sandbox");
    TCase *tests = tcase_create("sandbox");

    tcase_add_loop_test(tests, lets_through_or_ends_with_the_name, 0,
                        sizeof cases / sizeof cases[0]);
    tcase_add_test(tests, the_kernel_is_asked_before);
    suite_add_tcase(all, tests);
    return all;
}

int main(void)
{
    return run_suite(suite());
}

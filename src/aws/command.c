/* fork and exec, in a process group of its own, so that what it starts can be ended with it. */
#include "aws/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/signals.h"

#define REAP_RETRY_MS 5

static _Noreturn void become(const char *command, int output)
{
    int nothing = open("/dev/null", O_RDWR);

    setpgid(0, 0);
    signals_reset();
    unsetenv("GNUTLS_NO_IMPLICIT_INIT"); /* the daemon sets it for us alone */
    signal(SIGPIPE, SIG_DFL);
    dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* Reads to the end. Returns NULL, or what went wrong. */
static const char *drain(int fd, int64_t deadline, char *out, size_t size, size_t *n)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};

    for (*n = 0; *n < size;) {
        int ready = poll(&one, 1, clock_left(deadline, clock_ms()));
        ssize_t got;

        if (ready == 0) {
            return "does not end";
        }
        got = ready > 0 ? read(fd, out + *n, size - *n) : -1;
        if (got == 0) {
            return NULL;
        }
        if (got < 0 && errno != EINTR) {
            return strerror(errno);
        }
        *n += got > 0 ? (size_t)got : 0;
    }
    return "prints too much";
}

/* Waits for its end. Returns false when it still runs at the deadline. */
static bool reap(pid_t pid, int64_t deadline, int *status)
{
    while (waitpid(pid, status, WNOHANG) == 0) {
        if (clock_left(deadline, clock_ms()) == 0) {
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = REAP_RETRY_MS * 1000000}, NULL);
    }
    return true;
}

/* Ends it with all that it has started. */
static void put_down(pid_t pid)
{
    int status;

    kill(-pid, SIGKILL);
    kill(pid, SIGKILL); /* it may not have its group yet */
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
}

/* Sees the child to its end, and reads what it prints until then. Returns NULL, or what went
   wrong. */
static const char *attend(pid_t pid, int fd, int64_t deadline, char *out, size_t size,
                          size_t *n, int *status)
{
    const char *wrong = drain(fd, deadline, out, size, n);

    if (wrong == NULL && !reap(pid, deadline, status)) {
        wrong = "does not end";
    }
    if (wrong != NULL) {
        put_down(pid);
    }
    return wrong;
}

bool command_run(const char *command, int total_ms, char *out, size_t size, size_t *n,
                 char *why, size_t why_size)
{
    int64_t deadline = clock_ms() + total_ms;
    const char *wrong;
    int ends[2], status = 0;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        snprintf(why, why_size, "credential_process: %s", strerror(errno));
        return false;
    }
    pid = fork();
    if (pid == 0) {
        become(command, ends[1]);
    }
    wrong = pid > 0 ? NULL : strerror(errno);
    close(ends[1]);
    if (pid > 0) {
        wrong = attend(pid, ends[0], deadline, out, size, n, &status);
    }
    close(ends[0]);
    if (wrong != NULL) {
        snprintf(why, why_size, "credential_process %s", wrong);
    } else if (status != 0) {
        snprintf(why, why_size, "credential_process ends with %s %d",
                 WIFEXITED(status) ? "status" : "signal",
                 WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    }
    return wrong == NULL && status == 0;
}

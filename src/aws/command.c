/* fork and exec, in a process group of its own, so that what it starts can be ended with it. */
#include "aws/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/signals.h"

static _Noreturn void become(const char *command, int output)
{
    int nothing = open("/dev/null", O_RDWR);

    setpgid(0, 0);
    signals_reset();
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

bool command_run(const char *command, int total_ms, char *out, size_t size, size_t *n,
                 char *why, size_t why_size)
{
    const char *wrong = NULL;
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
    close(ends[1]);
    wrong = pid > 0 ? drain(ends[0], clock_ms() + total_ms, out, size, n) : strerror(errno);
    close(ends[0]);
    if (pid > 0) {
        if (wrong != NULL) {
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL); /* it may not have its group yet */
        }
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
    }
    if (wrong != NULL) {
        snprintf(why, why_size, "credential_process %s", wrong);
    } else if (status != 0) {
        snprintf(why, why_size, "credential_process ends with %s %d",
                 WIFEXITED(status) ? "status" : "signal",
                 WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    }
    return wrong == NULL && status == 0;
}

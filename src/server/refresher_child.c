/* One refresher at a time, and the wait before the next. */
#include "server/refresher_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/refresher_exec.h"

#define HOLD_MIN_MS 100
#define HOLD_MAX_MS 10000
#define LONG_LIFE   10000 /* ms: one that lived so long starts again without delay */

bool refresher_child_init(struct refresher_child *c, const struct settings *settings,
                          struct board *board, int secrets)
{
    *c = (struct refresher_child){.settings = settings,
                                  .board = board,
                                  .program = refresher_program(),
                                  .secrets = secrets,
                                  .ready = -1,
                                  .hold_ms = HOLD_MIN_MS};
    return c->program >= 0;
}

/* The child's side. */
static _Noreturn void become_refresher(const struct refresher_child *c, int ready)
{
    char ready_fd[16];
    const char *const also[] = {"--ready-fd", ready_fd, NULL};

    /* Whoever started us may wait for the end of a pipe: the notification descriptor's, say. */
    close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
    snprintf(ready_fd, sizeof ready_fd, "%d", ready);
    fcntl(ready, F_SETFD, 0);
    refresher_exec(c->program, c->settings, c->secrets, also);
}

static void hold(struct refresher_child *c, int64_t now_ms)
{
    c->restart_ms = now_ms + c->hold_ms;
    c->hold_ms = 2 * c->hold_ms < HOLD_MAX_MS ? 2 * c->hold_ms : HOLD_MAX_MS;
}

void refresher_child_step(struct refresher_child *c, int64_t now_ms)
{
    pid_t master = getpid();
    int ends[2];

    if (c->pid != 0 || now_ms < c->restart_ms) {
        return;
    }
    if (pipe2(ends, O_CLOEXEC) != 0) {
        hold(c, now_ms);
        return;
    }
    c->pid = fork();
    if (c->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != master) {
            _exit(EXIT_OK);
        }
        become_refresher(c, ends[1]);
    }
    close(ends[1]);
    if (c->pid < 0) {
        log_warn("unable to fork the refresher");
        c->pid = 0;
        close(ends[0]);
        hold(c, now_ms);
        return;
    }
    c->ready = ends[0];
    c->restart_ms = now_ms; /* until it ends: when it began */
    atomic_store(&c->board->control->refresher_beat_ms, now_ms); /* the first; then its own */
    atomic_store(&c->board->control->refresher, c->pid);
}

void refresher_child_is_ready(struct refresher_child *c)
{
    if (c->ready >= 0) {
        close(c->ready);
        c->ready = -1;
    }
}

static void log_death(pid_t pid, int status)
{
    struct jsonout *j = log_event("refresher_died");

    if (j != NULL) {
        jsonout_int(j, "pid", pid);
        jsonout_int(j, WIFSIGNALED(status) ? "signal" : "status",
                    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        log_end(j);
        log_flush();
    }
}

bool refresher_child_reaped(struct refresher_child *c, pid_t pid, int status, bool expected,
                            int64_t now_ms)
{
    if (c->pid == 0 || pid != c->pid) {
        return false;
    }
    c->pid = 0;
    atomic_store(&c->board->control->refresher, 0);
    refresher_child_is_ready(c);
    if (expected) {
        c->restart_ms = CLOCK_NEVER;
        return true;
    }
    log_death(pid, status);
    if (now_ms - c->restart_ms >= LONG_LIFE) {
        c->hold_ms = HOLD_MIN_MS;
    }
    hold(c, now_ms);
    return true;
}

void refresher_child_signal(const struct refresher_child *c, int number)
{
    if (c->pid > 0) {
        kill(c->pid, number);
    }
}

int64_t refresher_child_deadline(const struct refresher_child *c)
{
    return c->pid == 0 ? c->restart_ms : CLOCK_NEVER;
}

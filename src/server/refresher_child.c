/* Starting sinkhole-refresh with what it alone may know. */
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
#include "base/signals.h"

#define PROGRAM     "sinkhole-refresh"
#define HOLD_MIN_MS 100
#define HOLD_MAX_MS 10000
#define LONG_LIFE   10000 /* ms: one that lived so long starts again without delay */

extern char **environ;

static int open_program(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof PROGRAM);
    char *slash;
    int fd = -1;

    if (n > 0) {
        path[n] = '\0';
        slash = strrchr(path, '/');
        strcpy(slash + 1, PROGRAM);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    return fd >= 0 ? fd : open(SBINDIR "/" PROGRAM, O_RDONLY | O_CLOEXEC);
}

bool refresher_child_init(struct refresher_child *c, const struct settings *settings,
                          struct board *board, int secrets)
{
    *c = (struct refresher_child){.settings = settings,
                                  .board = board,
                                  .program = open_program(),
                                  .secrets = secrets,
                                  .ready = -1,
                                  .hold_ms = HOLD_MIN_MS};
    return c->program >= 0;
}

/* The child's side, up to the exec. Its event descriptor is the daemon's. */
static _Noreturn void become_refresher(const struct refresher_child *c, int ready)
{
    char ttl[32], secrets_fd[16], ready_fd[16];
    char *argv[] = {PROGRAM,       "--run-dir",    (char *)c->settings->run_dir,
                    "--mode-source", (char *)c->settings->mode_source,
                    "--cache-ttl", ttl,            "--env-fd", secrets_fd,
                    "--ready-fd",  ready_fd,       NULL};

    snprintf(ttl, sizeof ttl, "%lldms", (long long)c->settings->cache_ttl_ms);
    snprintf(secrets_fd, sizeof secrets_fd, "%d", c->secrets);
    snprintf(ready_fd, sizeof ready_fd, "%d", ready);
    fcntl(ready, F_SETFD, 0);
    fcntl(c->secrets, F_SETFD, 0);
    lseek(c->secrets, 0, SEEK_SET);
    if (log_fd() >= 0) {
        dup2(log_fd(), STDOUT_FILENO);
    }
    signals_reset();
    fexecve(c->program, argv, environ);
    log_warn("unable to run %s", PROGRAM);
    _exit(EXIT_SYSTEM);
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

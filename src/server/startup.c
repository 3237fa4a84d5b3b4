/* Everything that may fail, in the order in which it has to happen. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "mode/owner.h"
#include "mode/rundir.h"
#include "server/master.h"
#include "server/mode_file.h"
#include "server/privileges.h"
#include "server/sandbox.h"
#include "server/secrets.h"

#define SPARE_WORKERS 4

static int fail(char *why, size_t size, int status, const char *what)
{
    snprintf(why, size, "%s: %s", what, strerror(errno));
    return status;
}

/* One daemon a run directory, by a record lock (fcntl(2)) on a file that stays. It ends with
   the master, however that ends: a worker that was just forked has the descriptor still, but,
   unlike with flock(2), not the lock. */
static bool lock_run_dir(const char *run_dir, char *why, size_t size)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char path[RUNDIR_SIZE + 16];
    int fd;

    snprintf(path, sizeof path, "%s/master.lock", run_dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        snprintf(why, size, "unable to open %s: %s", path, strerror(errno));
        return false;
    }
    if (fcntl(fd, F_SETLK, &all) != 0) {
        snprintf(why, size, "another sinkholed serves with the run directory %s", run_dir);
        close(fd);
        return false;
    }
    return true;
}

static int open_board(struct master *m, char *why, size_t size)
{
    const struct settings *s = m->settings;

    if (!rundir_make(s->run_dir, s->uid, s->gid, why, size)) {
        return EXIT_SYSTEM;
    }
    if (!lock_run_dir(s->run_dir, why, size)) {
        return EXIT_SYSTEM;
    }
    if (!board_open(&m->board, s->run_dir, BOARD_WRITE, true)) {
        return fail(why, size, EXIT_SYSTEM, "unable to make the board");
    }
    mode_file_make(s);
    if (s->drop && !owner_give(s->run_dir, s->uid, s->gid)) {
        log_warn("unable to give away what is in %s", s->run_dir);
    }
    board_adopt(&m->board);
    return EXIT_OK;
}

static void show_on_board(struct master *m)
{
    struct board_control *control = m->board.control;

    for (size_t i = 0; i < m->listeners.count; i++) {
        memcpy(control->listening[i], m->listeners.names[i], BOARD_ADDR_SIZE);
    }
    snprintf(control->server_name, sizeof control->server_name, "%s", m->settings->server_name);
    atomic_store(&control->workers_min, (uint32_t)m->settings->workers_min);
    atomic_store(&control->workers_max, (uint32_t)m->settings->workers_max);
    atomic_store(&control->started_ms, clock_ms());
    atomic_store(&control->beat_ms, clock_ms());
    atomic_store(&control->want_idle, SPARE_WORKERS);
}

static bool open_events(struct master *m)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};

    m->signals = signals_open(numbers, sizeof numbers / sizeof numbers[0]);
    m->pressure = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return m->signals >= 0 && m->pressure >= 0;
}

/* Root's rights are used up now: the sockets are bound and the files are made. */
static bool give_up_root(const struct settings *s)
{
    const struct rlimit no_core = {0, 0};

    if (s->drop && !privileges_drop(s->uid, s->gid)) {
        return false;
    }
    setrlimit(RLIMIT_CORE, &no_core);
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

/* Nobody reads it, and children need not hold what it was. */
static void empty_standard_input(void)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (null > STDERR_FILENO) {
        dup2(null, STDIN_FILENO);
        close(null);
    }
}

int master_open(struct master *m, const struct settings *s, char *why, size_t size)
{
    int secrets = secrets_take();
    int status;

    memset(m, 0, sizeof *m);
    m->settings = s;
    if (secrets < 0) {
        return fail(why, size, EXIT_SYSTEM, "unable to put the credentials aside");
    }
    if (!listeners_open(&m->listeners, s, why, size, &status)) {
        return status;
    }
    if (s->idle_exit_ms > 0 && m->listeners.giver == NULL) {
        snprintf(why, size,
                 "--idle-exit: it wants a socket that somebody else keeps open, from "
                 "systemd, inetd or --listen-fd; this one was bound here");
        return EXIT_USAGE;
    }
    empty_standard_input();
    status = open_board(m, why, size);
    if (status != EXIT_OK) {
        return status;
    }
    if (!refresher_child_init(&m->refresher, s, &m->board, secrets)) {
        return fail(why, size, EXIT_SYSTEM, "unable to find sinkhole-refresh");
    }
    if (s->sandbox && !sandbox_possible()) {
        snprintf(why, size,
                 "this kernel has no seccomp filters; --no-sandbox serves without one");
        return EXIT_SYSTEM;
    }
    if (!give_up_root(s)) {
        return fail(why, size, EXIT_SYSTEM, "unable to give up root's rights");
    }
    if (!open_events(m) || chdir("/") != 0) {
        return fail(why, size, EXIT_SYSTEM, "unable to prepare");
    }
    show_on_board(m);
    board_share_log(&m->board, NULL);
    atomic_store(&m->board.control->master, getpid());
    return EXIT_OK;
}

/* Each step here is paid for by every client, so there are few. */
#include "server/oneshot.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/signals.h"
#include "mode/owner.h"
#include "mode/rundir.h"
#include "server/fresh.h"
#include "server/mode_file.h"
#include "server/privileges.h"
#include "server/sandbox.h"
#include "server/secrets.h"
#include "server/serve.h"

#define HANDED_FD  3 /* SD_LISTEN_FDS_START */
#define RACE_TRIES 50

static volatile sig_atomic_t told_to_stop;

/* The signal may come just before a call that blocks: the alarm says it again. */
static void on_stop(int number)
{
    const struct itimerval again = {.it_value.tv_sec = 1};

    (void)number;
    told_to_stop = 1;
    setitimer(ITIMER_REAL, &again, NULL);
}

static bool interrupted(void *context)
{
    (void)context;
    return told_to_stop != 0;
}

static enum session_stop stopping(void *context)
{
    (void)context;
    return told_to_stop ? STOP_NOW : STOP_NO;
}

/* -- the client ---------------------------------------------------------------------------- */

/* systemd's Accept=yes gives the connection as a descriptor of its own where the unit does not
   say StandardInput=socket. */
static bool is_handed(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    int64_t whose, n;

    return pid != NULL && count != NULL && parse_number(pid, 1, INT32_MAX, &whose) &&
           whose == getpid() && parse_number(count, 1, 1, &n);
}

/* Lets the kernel keep the time where it can, which saves a poll(2) before each read. */
static int64_t set_time_outs(int fd, int64_t quiet_ms)
{
    struct timeval quiet = {.tv_sec = quiet_ms / 1000, .tv_usec = quiet_ms % 1000 * 1000};
    int on = 1;

    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &quiet, sizeof quiet) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &quiet, sizeof quiet) != 0 ||
        (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0) {
        return 0;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return quiet_ms;
}

static void find_client(const struct settings *s, struct wire *wire, struct peer *peer)
{
    const char *address = getenv("TCPREMOTEIP");

    *wire = (struct wire){.in = STDIN_FILENO, .out = STDOUT_FILENO, .interrupted = interrupted};
    if (is_handed()) {
        wire->in = wire->out = HANDED_FD;
    }
    wire->quiet_ms = set_time_outs(wire->in, s->quiet_ms);
    if (address == NULL || !peer_of_text(address, peer)) {
        peer_of(wire->in, peer);
    }
}

/* -- what it needs ------------------------------------------------------------------------- */

/* Where root starts many at once, one has made the directory and not given it away yet. */
static bool open_board(struct board *board, const struct settings *s)
{
    for (int i = 0; !board_open(board, s->run_dir, BOARD_WRITE, true); i++) {
        if (errno != EACCES || !s->drop || i == RACE_TRIES) {
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    return true;
}

static bool fail(char *why, size_t size, const char *what, const char *name)
{
    snprintf(why, size, "unable to %s%s: %s", what, name, strerror(errno));
    return false;
}

/* In this order: root makes the directory, gives away what root left there before, and is
   needed no more; the mode may have to be fetched by a child; then the process shuts itself in.
 */
static bool prepare(const struct settings *s, struct board *board, struct fresh *fresh,
                    const struct wire *wire, char *why, size_t size)
{
    int keep[] = {wire->in, log_fd(), log_warn_fd()};
    int secrets = secrets_take();

    if (secrets < 0) {
        return fail(why, size, "put the credentials aside", "");
    }
    if (!rundir_make(s->run_dir, s->uid, s->gid, why, size)) {
        return false;
    }
    if (s->drop &&
        (!owner_give(s->run_dir, s->uid, s->gid) || !privileges_drop(s->uid, s->gid))) {
        return fail(why, size, "give up root's rights", "");
    }
    if (!open_board(board, s)) {
        return fail(why, size, "use the board in ", s->run_dir);
    }
    mode_file_make(s);
    fresh_open(fresh, s, board, secrets);
    privileges_close_all_but(keep, sizeof keep / sizeof keep[0]);
    return privileges_confine() || fail(why, size, "confine itself", "");
}

/* Sessions that write to one pipe take turns by the board, since a long line may fall apart. To
   all else each writes alone. */
static void share_log(struct board *board)
{
    struct stat st;

    if (log_fd() >= 0 && fstat(log_fd(), &st) == 0 && S_ISFIFO(st.st_mode)) {
        log_join(&board->control->log, NULL, 0, 0, NULL);
    }
}

/* -- serving ------------------------------------------------------------------------------- */

/* Who looks at a file in the middle of a session cannot do with what workers may do. */
static bool shut_in(const struct settings *s, const struct fresh *fresh)
{
    static _Atomic uint32_t violation;

    return !s->sandbox || fresh_reads_files(fresh) || sandbox_enter(&violation);
}

/* The client is told, so that it keeps its mail, and need not guess. */
static int refuse(const struct settings *s, const struct wire *wire, const char *why)
{
    dprintf(wire->out, "421 4.3.0 %s Local configuration error\r\n", s->server_name);
    log_warnx("%s", why);
    return EXIT_SYSTEM;
}

int oneshot_run(const struct settings *s)
{
    struct board board;
    struct fresh fresh;
    struct wire wire;
    struct peer peer;
    char why[512];
    struct server server = {.settings = s, .board = &board, .stopping = stopping};

    signals_catch(SIGPIPE, SIG_IGN);
    signals_catch(SIGTERM, on_stop);
    signals_catch(SIGALRM, on_stop);
    find_client(s, &wire, &peer);
    if (!prepare(s, &board, &fresh, &wire, why, sizeof why)) {
        return refuse(s, &wire, why);
    }
    server.counters = &board.control->oneshot;
    server.look = fresh_reads_files(&fresh) ? fresh_look : NULL;
    server.look_context = &fresh;
    if (!server_init(&server)) {
        return refuse(s, &wire, "no memory for a session");
    }
    share_log(&board);
    if (!shut_in(s, &fresh)) {
        return refuse(s, &wire,
                      "this kernel has no seccomp filters; --no-sandbox serves without");
    }
    server_serve(&server, &wire, &peer);
    wire_half_close(&wire); /* who started us may hold the connection for longer */
    free(server.memory);
    return EXIT_OK;
}

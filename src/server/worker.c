/* The life of a worker: confine itself, then accept and serve until told to leave. */
#include "server/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "server/privileges.h"
#include "server/sandbox.h"
#include "server/serve.h"

#define STOP_TICK_US 100000

/* What signals have said. Only the handlers write these two. */
static volatile sig_atomic_t told_to_stop, told_to_retire;

/* The signal may come just before a call blocks, and when the master was killed nobody repeats
   it. So the timer does, from here on: it interrupts every call that is blocked. */
static void on_stop(int number)
{
    static const struct itimerval again = {.it_interval = {.tv_usec = STOP_TICK_US},
                                           .it_value = {.tv_usec = STOP_TICK_US}};

    (void)number;
    told_to_stop = 1;
    setitimer(ITIMER_REAL, &again, NULL);
}

static void on_retire(int number)
{
    (void)number;
    told_to_retire = 1;
}

/* SIGALRM needs no words: that a blocked call ends is its message. */
static void on_alarm(int number)
{
    (void)number;
}

struct life {
    const struct worker *worker;
    struct board_slot *slot;
    pid_t pid;
    bool ticking;       /* the timer runs */
    int64_t drained_ms; /* the drain time is over then; 0: it has not begun */
};

/* A timer that interrupts blocked calls again and again keeps the deadlines of sessions.
   SO_RCVTIMEO would have the kernel set and clear a timer in each read; this one is set once,
   and goes on over many sessions. An idle worker stops it when it is woken by it. */
static void keep_ticking(struct life *life, bool on)
{
    int64_t every = on ? life->worker->settings->quiet_ms : 0;
    struct timeval period = {every / 1000, every % 1000 * 1000};
    struct itimerval timer = {.it_interval = period, .it_value = period};

    if (life->ticking != on) {
        setitimer(ITIMER_REAL, &timer, NULL);
        life->ticking = on;
        if (told_to_stop) {
            on_stop(SIGTERM); /* it came in between, and its timer was just replaced */
        }
    }
}

/* The first time that a stop is noticed: let go of the sockets, so that a successor can bind
   them. */
static void begin_drain(struct life *life)
{
    listeners_close(life->worker->listeners);
    life->drained_ms = clock_ms() + life->worker->settings->drain_ms;
}

static enum session_stop stopping(void *context)
{
    struct life *life = context;

    if (!told_to_stop) {
        return STOP_NO;
    }
    if (life->drained_ms == 0) {
        begin_drain(life);
    }
    return clock_ms() >= life->drained_ms ? STOP_NOW : STOP_IDLE;
}

static bool interrupted(void *context)
{
    (void)context;
    return told_to_stop != 0;
}

/* -- the board ----------------------------------------------------------------------------- */

static void enter_state(const struct life *life, enum slot_state state)
{
    atomic_store_explicit(&life->slot->since_ms, clock_ms(), memory_order_relaxed);
    slot_show(life->slot, life->pid, state);
}

/* Are at least `want` other workers free? Reads others' slots only until enough are found. */
static bool enough_idle(const struct board *board, uint32_t want)
{
    uint32_t used = atomic_load_explicit(&board->control->slots_used, memory_order_relaxed);

    for (uint32_t i = 0; i < used && want > 0; i++) {
        uint32_t state = atomic_load_explicit(&board->slots[i].state, memory_order_relaxed);

        want -= state == SLOT_IDLE || state == SLOT_STARTING;
    }
    return want == 0;
}

static void wake_master(const struct worker *w)
{
    const uint64_t one = 1;

    (void)!write(w->pressure_fd, &one, sizeof one);
}

/* Wakes the master when the pool runs short; while it knows already, this is one read. */
static void report_pressure(const struct worker *w)
{
    struct board_control *control = w->board->control;

    if (atomic_load_explicit(&control->pressure, memory_order_relaxed) == 0 &&
        !enough_idle(w->board,
                     atomic_load_explicit(&control->want_idle, memory_order_relaxed)) &&
        atomic_exchange(&control->pressure, 1) == 0) {
        wake_master(w);
    }
}

/* -- serving ------------------------------------------------------------------------------- */

static void serve_client(struct server *server, struct life *life, int fd,
                         const struct peer *peer)
{
    struct wire wire = {.in = fd,
                        .out = fd,
                        .quiet_ms = life->worker->settings->quiet_ms,
                        .interrupted = interrupted};

    keep_ticking(life, true);
    memcpy(life->slot->client, peer->text, sizeof life->slot->client);
    enter_state(life, SLOT_COMMAND);
    report_pressure(life->worker);
    server_serve(server, &wire, peer);
    close(fd);
    enter_state(life, SLOT_IDLE);
}

/* accept(2) failed for want of something: others may give it back. */
static void rest_a_little(int error)
{
    log_warnx("unable to accept a connection: %s", strerror(error));
    poll(NULL, 0, 100);
}

static void serve_clients(struct server *server, struct life *life, struct acceptor *acceptor)
{
    struct peer peer;

    while (!told_to_stop && !told_to_retire) {
        int fd = acceptor_next(acceptor, -1, &peer);

        if (fd >= 0) {
            serve_client(server, life, fd, &peer);
        } else if (errno == EINTR) {
            keep_ticking(life, false);
        } else if (errno != EAGAIN) {
            rest_a_little(errno);
        }
    }
}

/* A stop that the master sends while this process is made waits, blocked, until it has its
   handler: it is told to leave then, and does not die of it. */
static void take_signals(void)
{
    signals_default();
    signals_catch(SIGTERM, on_stop);
    signals_catch(SIGINT, SIG_IGN); /* a terminal sends it to all: the master decides */
    signals_catch(SIGHUP, SIG_IGN);
    signals_catch(SIGUSR1, on_retire);
    signals_catch(SIGALRM, on_alarm);
    signals_unblock();
}

/* Everything that can be given up before the first client. */
static bool settle(const struct worker *w, struct board_slot *slot)
{
    int keep[BOARD_ADDRS + 3] = {w->pressure_fd, log_fd(), log_warn_fd()};
    size_t count = 3;

    take_signals();
    for (size_t i = 0; i < w->listeners->count; i++) {
        keep[count++] = w->listeners->fds[i];
    }
    privileges_close_all_but(keep, count);
    board_share_log(w->board, &slot->lane);
    return board_protect(w->board) && privileges_confine();
}

int worker_run(const struct worker *w)
{
    struct board_slot *slot = &w->board->slots[w->slot];
    struct life life = {.worker = w, .slot = slot, .pid = getpid()};
    struct server server = {.settings = w->settings,
                            .board = w->board,
                            .counters = &slot->counters,
                            .slot = slot,
                            .pid = life.pid,
                            .stopping = stopping,
                            .stopping_context = &life};
    struct acceptor acceptor;

    if (!settle(w, slot) || !server_init(&server) || !acceptor_open(&acceptor, w->listeners) ||
        (w->settings->sandbox && !sandbox_enter(&slot->violation))) {
        log_warn("a worker cannot start");
        return EXIT_SYSTEM;
    }
    atomic_store(&slot->pid, life.pid); /* the master has yet to, perhaps */
    enter_state(&life, SLOT_IDLE);
    wake_master(w); /* it may wait for this to call itself ready */
    serve_clients(&server, &life, &acceptor);
    log_flush();
    free(server.memory);
    return EXIT_OK;
}

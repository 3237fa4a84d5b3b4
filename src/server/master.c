/* The master's loop. Signals, dead children and hints arrive as descriptors; each round takes
   what there is, steps every part, and sleeps until the earliest deadline of them. */
#include "server/master.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "server/crew.h"
#include "server/notify.h"

#define FIRST_FETCH_MS 2000 /* so long may the first fetch hold up readiness */
#define FILL_MS        2000 /* and so long the first workers */
#define BEAT_MS        10000
#define REPEAT_MS      250 /* a signal may come just before a worker blocks: say it again */
#define REFRESHER_MS   3000
#define REST_MS        10 /* when waiting itself fails */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* -- phases -------------------------------------------------------------------------------- */

static void log_listeners(struct jsonout *j, const struct listeners *l)
{
    jsonout_open(j, "listening", '[');
    for (size_t i = 0; i < l->count; i++) {
        jsonout_str(j, NULL, l->names[i]);
    }
    jsonout_close(j, ']');
    if (l->giver != NULL) {
        jsonout_str(j, "given_by", l->giver);
    }
    if (l->labels[0][0] != '\0') {
        jsonout_open(j, "given_names", '[');
        for (size_t i = 0; i < l->count; i++) {
            jsonout_str(j, NULL, l->labels[i]);
        }
        jsonout_close(j, ']');
    }
}

static void log_ready(const struct master *m)
{
    struct jsonout *j = log_event("ready");

    if (j == NULL) {
        return;
    }
    jsonout_int(j, "pid", getpid());
    jsonout_str(j, "program", "sinkholed " VERSION);
    log_listeners(j, &m->listeners);
    jsonout_str(j, "source", m->settings->mode_source);
    jsonout_int(j, "workers_min", m->settings->workers_min);
    jsonout_int(j, "workers_max", m->settings->workers_max);
    log_end(j);
    log_flush();
}

static uint64_t connections(const struct master *m)
{
    uint64_t totals[COUNTERS];

    board_totals(&m->board, totals);
    return totals[COUNT_CONNECTIONS];
}

/* Somebody is here: --idle-exit counts from now. */
static void note_activity(struct master *m, int64_t now)
{
    m->active_ms = now;
    m->connections = connections(m);
}

/* Nobody is served before the first fetch has ended: clients that are there already wait in the
   listener's queue for the mode that is meant for them. Ready is who has its first workers. */
static void step_workers(struct master *m, int64_t now)
{
    if (m->phase == PHASE_STARTING && (m->refresher.ready < 0 || now >= m->ready_by_ms)) {
        m->phase = PHASE_FILLING;
        m->ready_by_ms = now + FILL_MS;
    }
    if (m->phase == PHASE_STARTING) {
        return;
    }
    staffing_step(m, now);
    if (m->phase == PHASE_FILLING && (crew_settled(m) || now >= m->ready_by_ms)) {
        m->phase = PHASE_SERVING;
        note_activity(m, now);
        log_ready(m);
        notify_ready((int)m->settings->notify_fd);
    }
}

static void enter_phase(struct master *m, enum master_phase phase, int64_t now)
{
    m->phase = phase;
    m->stop_ms = m->repeat_ms = now;
}

/* There is no way back from here. */
static void announce_stop(struct master *m, const char *why)
{
    struct jsonout *j = log_event("stopping");

    if (j != NULL) {
        jsonout_str(j, "why", why);
        jsonout_int(j, "workers", m->pool.size);
        log_end(j);
        log_flush();
    }
    atomic_store(&m->board.control->stopping, 1);
    notify_stopping();
}

static void begin_stop(struct master *m, const char *why, int64_t now)
{
    announce_stop(m, why);
    enter_phase(m, PHASE_STOPPING, now);
    pool_drain(&m->pool);
    listeners_close(&m->listeners);
}

/* The workers leave one by one, as they find nobody waiting. Clients that come now stay in the
   socket's queue, which others hold: they start the next daemon. But as long as somebody is
   served, the others must not wait for that to end. */
static void step_leaving(struct master *m, int64_t now)
{
    if (m->pool.size == 0) {
        announce_stop(m, "idle");
        enter_phase(m, PHASE_LAST, now);
    } else if (m->staffing.idle < m->pool.size) {
        m->phase = PHASE_SERVING;
        pool_resume(&m->pool);
        note_activity(m, now);
    }
}

static void step_idle_exit(struct master *m, int64_t now)
{
    if (m->phase != PHASE_SERVING || m->settings->idle_exit_ms == 0 ||
        now - m->active_ms < m->settings->idle_exit_ms) {
        return;
    }
    if (connections(m) != m->connections || m->staffing.idle < m->pool.size) {
        note_activity(m, now);
        return;
    }
    enter_phase(m, PHASE_LEAVING, now);
    pool_drain(&m->pool);
}

/* When patience with sessions ends: their drain time, and what a closing one may take. */
static int64_t kill_at(const struct master *m)
{
    const struct settings *s = m->settings;

    return m->stop_ms + s->drain_ms + s->limits.closing_ms + s->limits.drain_ms + 1000;
}

static void step_stop(struct master *m, int64_t now)
{
    if (m->phase == PHASE_LEAVING) {
        step_leaving(m, now);
    } else if (m->phase == PHASE_STOPPING && m->pool.size == 0) {
        enter_phase(m, PHASE_LAST, now);
    }
    if (m->phase == PHASE_LAST && m->refresher.pid == 0) {
        m->phase = PHASE_GONE;
    }
    if (m->phase < PHASE_LEAVING || m->phase == PHASE_GONE || now < m->repeat_ms) {
        return;
    }
    m->repeat_ms = now + REPEAT_MS;
    if (m->phase == PHASE_LEAVING) {
        crew_retire(m, m->pool.size);
    } else if (m->phase == PHASE_STOPPING) {
        crew_signal(m, now >= kill_at(m) ? SIGKILL : SIGTERM);
    } else {
        refresher_child_signal(&m->refresher,
                               now - m->stop_ms > REFRESHER_MS ? SIGKILL : SIGTERM);
    }
}

/* -- the loop ------------------------------------------------------------------------------ */

static void take_signals(struct master *m, int64_t now)
{
    int number;

    while ((number = signals_next(m->signals)) != 0) {
        if (number == SIGCHLD) {
            crew_reap(m, now);
        } else if (number == SIGHUP) {
            refresher_child_signal(&m->refresher, SIGHUP);
        } else if (m->phase < PHASE_STOPPING) {
            begin_stop(m, number == SIGINT ? "SIGINT" : "SIGTERM", now);
        }
    }
}

static void step_all(struct master *m, int64_t now)
{
    if (m->phase <= PHASE_SERVING) {
        refresher_child_step(&m->refresher, now);
    }
    step_workers(m, now);
    step_idle_exit(m, now);
    step_stop(m, now);
    overflow_step(&m->overflow, now);
    if (now >= m->beat_ms) {
        m->beat_ms = now + BEAT_MS;
        atomic_store(&m->board.control->beat_ms, now);
    }
}

static int64_t next_deadline(const struct master *m, int64_t now)
{
    int64_t next = earlier(m->beat_ms, overflow_deadline(&m->overflow));

    if (m->phase < PHASE_SERVING) {
        next = earlier(next, m->ready_by_ms);
    }
    if (m->phase > PHASE_STARTING) {
        next = earlier(next, staffing_deadline(m, now));
    }
    next = earlier(next, m->phase >= PHASE_LEAVING ? m->repeat_ms : CLOCK_NEVER);
    if (m->phase <= PHASE_SERVING) {
        next = earlier(next, refresher_child_deadline(&m->refresher));
    }
    if (m->phase == PHASE_SERVING && m->settings->idle_exit_ms > 0) {
        next = earlier(next, m->active_ms + m->settings->idle_exit_ms);
    }
    return next;
}

enum { AT_SIGNALS, AT_PRESSURE, AT_READY, AT_LISTENERS };

/* Sleeps until something happens, and takes it. While all workers are busy the listeners are
   watched too. */
static void wait_for_events(struct master *m, int64_t now)
{
    struct pollfd set[AT_LISTENERS + BOARD_ADDRS + OVERFLOW_KEPT] = {
        [AT_SIGNALS] = {.fd = m->signals, .events = POLLIN},
        [AT_PRESSURE] = {.fd = m->pressure, .events = POLLIN},
        [AT_READY] = {.fd = m->refresher.ready, .events = POLLIN},
    };
    nfds_t listeners = staffing_poll(m, set + AT_LISTENERS, now);
    nfds_t n = AT_LISTENERS + listeners;
    uint64_t hints;

    n += overflow_poll(&m->overflow, set + n);
    if (poll(set, n, clock_left(next_deadline(m, now), clock_ms())) < 0 && errno != EINTR) {
        poll(NULL, 0, REST_MS); /* a lowered limit lets us wait for fewer descriptors */
    }
    if (set[AT_PRESSURE].revents != 0) {
        (void)!read(m->pressure, &hints, sizeof hints);
    }
    if (set[AT_READY].revents != 0) {
        refresher_child_is_ready(&m->refresher);
    }
    take_signals(m, clock_ms());
    staffing_refuse(m, set + AT_LISTENERS, listeners, clock_ms());
}

int master_run(struct master *m)
{
    const struct settings *s = m->settings;
    const struct pool_limits limits = {(uint32_t)s->workers_min, (uint32_t)s->workers_max,
                                       atomic_load(&m->board.control->want_idle)};
    const struct pool_ops ops = {crew_spawn, m};
    int64_t now = clock_ms();

    pool_init(&m->pool, &limits, &ops);
    m->ready_by_ms = now + FIRST_FETCH_MS;
    while (m->phase != PHASE_GONE) {
        step_all(m, now);
        wait_for_events(m, now);
        now = clock_ms();
    }
    log_message("stopped", "after %lld s",
                (long long)((now - atomic_load(&m->board.control->started_ms)) / 1000));
    atomic_store(&m->board.control->master, 0);
    return EXIT_OK;
}

/* Between the pool's arithmetic and the workers there are. */
#include "server/staffing.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/crew.h"

#define PRESSED_MS 10 /* a round under pressure */

/* A worker whose session is at its end is about to be free: it waits for the log's reader,
   which takes its patience of 200 ms at the most, or for what a client still sends after a 421.
   So long may that keep others waiting. */
#define ENDING_MS 1000

static bool is_full(const struct master *m)
{
    return m->pool.size >= m->pool.limits.max;
}

static void log_throttle(struct master *m, int64_t now)
{
    bool held = now < m->pool.hold_until_ms;
    struct jsonout *j;

    if (held == m->staffing.held) {
        return;
    }
    m->staffing.held = held;
    j = held ? log_event("throttled") : NULL;
    if (j != NULL) {
        jsonout_int(j, "for_ms", m->pool.hold_until_ms - now);
        jsonout_int(j, "early_deaths", m->pool.early_deaths);
        log_end(j);
        log_flush();
    }
}

/* The pressure flag goes down first and is judged after that: a worker that raises it in
   between is heard in the next round. */
static void judge_pressure(struct master *m, int64_t now)
{
    struct board_control *control = m->board.control;
    struct staffing *s = &m->staffing;
    uint32_t wanted = is_full(m) ? 1 : m->pool.limits.spare;

    atomic_store(&control->want_idle, wanted);
    atomic_store(&control->pressure, 0);
    s->idle = crew_count(m).idle;
    s->pressed = s->idle < wanted;
    if (s->pressed) {
        atomic_store(&control->pressure, 1);
    }
    if (!is_full(m) || s->idle > 0) {
        s->full_ms = 0;
    } else if (s->full_ms == 0) {
        s->full_ms = now;
    }
}

void staffing_step(struct master *m, int64_t now)
{
    m->staffing.idle = crew_count(m).idle;
    pool_step(&m->pool, m->staffing.idle, now);
    atomic_store(&m->board.control->workers_now, m->pool.size);
    log_throttle(m, now);
    judge_pressure(m, now);
    crew_retire(m, pool_retires(&m->pool, m->staffing.idle, now));
}

int64_t staffing_deadline(const struct master *m, int64_t now)
{
    int64_t next = pool_deadline(&m->pool, m->staffing.idle, now + PRESSED_MS);

    return m->staffing.pressed && now + PRESSED_MS < next ? now + PRESSED_MS : next;
}

/* Is there no worker for one more client, nor will there be in a moment? Either all there may
   be are in the middle of a session, or those at the end of one have taken too long. */
static bool is_saturated(const struct master *m, int64_t now)
{
    struct crew_count count;

    if (m->phase > PHASE_SERVING || m->staffing.full_ms == 0 || now < m->staffing.rest_ms) {
        return false;
    }
    count = crew_count(m);
    return count.serving == m->pool.size ||
           (count.idle == 0 && now - m->staffing.full_ms >= ENDING_MS);
}

nfds_t staffing_poll(const struct master *m, struct pollfd *out, int64_t now)
{
    nfds_t n = 0;

    while (n < m->listeners.count && (n > 0 || is_saturated(m, now))) {
        out[n] = (struct pollfd){.fd = m->listeners.fds[n], .events = POLLIN};
        n++;
    }
    return n;
}

/* Takes the client who waits longest. He was there before the caller looked at the workers. */
static void refuse_one(struct master *m, int listener, int64_t now)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd >= 0) {
        overflow_refuse(&m->overflow, fd, m->settings->server_name, now);
        counters_add(&m->board.control->oneshot, COUNT_CONNECTIONS, 1);
        counters_add(&m->board.control->oneshot, COUNT_REFUSED, 1);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        m->staffing.rest_ms = now + PRESSED_MS;
    }
}

/* The order matters: a client waits, then the workers are looked at, then he is taken. A client
   whose own session has just ended finds its worker at the end of it, not serving. */
void staffing_refuse(struct master *m, const struct pollfd *set, nfds_t count, int64_t now)
{
    for (nfds_t i = 0; i < count; i++) {
        if (set[i].revents != 0 && is_saturated(m, now)) {
            refuse_one(m, set[i].fd, now);
        }
    }
}

/* Building event lines and taking turns to write them. */
#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/devlog.h"
#include "base/outlet.h"
#include "base/robust.h"

static struct {
    struct outlet outlet;
    int patience_ms;
    bool stalled; /* the last write found no reader in time: do not wait again for the next */
    bool open;    /* an event is being built */
    uint64_t dropped;
    struct log_share *share;
    char *lanes;
    size_t lane_count, lane_stride;
    struct log_lane *own;
    struct jsonout json;
    struct buf line; /* the event that is being built, behind those that wait */
    size_t waiting;  /* bytes of whole lines */
    char bytes[PIPE_BUF + LOG_LINE_MAX];
} state = {.outlet = {.fd = -1}, .patience_ms = 200};

void log_share_init(struct log_share *share)
{
    robust_mutex_init(&share->turn);
    atomic_store(&share->long_line, 0);
}

void log_open(int fd)
{
    state.outlet = outlet_open(fd);
}

int log_fd(void)
{
    return state.outlet.fd;
}

void log_open_syslog(void)
{
    log_open(-1);
    state.outlet = (struct outlet){OUTLET_SYSLOG, devlog_open()};
}

bool log_is_syslog(void)
{
    return state.outlet.kind == OUTLET_SYSLOG;
}

void log_join(struct log_share *share, struct log_lane *lanes, size_t count, size_t stride,
              struct log_lane *own)
{
    state.share = share;
    state.lanes = (char *)lanes;
    state.lane_count = count;
    state.lane_stride = stride;
    state.own = own;
}

void log_patience(int ms)
{
    state.patience_ms = ms;
}

uint64_t log_dropped(void)
{
    return state.share != NULL ? atomic_load(&state.share->dropped) : state.dropped;
}

static void count_dropped(void)
{
    state.dropped++;
    if (state.share != NULL) {
        atomic_fetch_add_explicit(&state.share->dropped, 1, memory_order_relaxed);
    }
}

/* -- many writers -------------------------------------------------------------------------- */

static bool take_turn(int64_t deadline)
{
    struct timespec until;
    int64_t left = deadline - clock_ms();
    int result;

    clock_gettime(CLOCK_MONOTONIC, &until);
    left = left > 0 ? left : 0;
    until.tv_sec += left / 1000;
    until.tv_nsec += left % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    result = pthread_mutex_clocklock(&state.share->turn, CLOCK_MONOTONIC, &until);
    if (result == EOWNERDEAD) {
        /* Its line is out or not begun: one write(2) has no middle. */
        pthread_mutex_consistent(&state.share->turn);
        result = 0;
    }
    return result == 0;
}

/* Waits until nobody is inside a short write; those that start now see long_line and queue. */
static bool lanes_are_quiet(int64_t deadline)
{
    for (size_t i = 0; i < state.lane_count; i++) {
        struct log_lane *lane =
            (struct log_lane *)(void *)(state.lanes + i * state.lane_stride);

        while (lane != state.own && atomic_load(&lane->writing) != 0) {
            if (clock_ms() >= deadline) {
                return false;
            }
            poll(NULL, 0, 1);
        }
    }
    return true;
}

static bool write_in_turn(const char *bytes, size_t n, int64_t deadline)
{
    bool done;

    if (!take_turn(deadline)) {
        return false;
    }
    atomic_store(&state.share->long_line, 1);
    done = lanes_are_quiet(deadline) && outlet_write(&state.outlet, bytes, n, deadline);
    atomic_store(&state.share->long_line, 0);
    pthread_mutex_unlock(&state.share->turn);
    return done;
}

/* A short write needs no lock, only the word that no long line is on its way. */
static bool write_in_lane(const char *bytes, size_t n, int64_t deadline)
{
    bool done = false, queue;

    atomic_store(&state.own->writing, 1);
    queue = atomic_load(&state.share->long_line) != 0;
    if (!queue) {
        done = outlet_write(&state.outlet, bytes, n, deadline);
    }
    atomic_store_explicit(&state.own->writing, 0, memory_order_release);
    return queue ? write_in_turn(bytes, n, deadline) : done;
}

static bool write_out(const char *bytes, size_t n)
{
    int64_t deadline = clock_ms() + (state.stalled ? 0 : state.patience_ms);
    bool done;

    if (state.share == NULL || state.outlet.kind == OUTLET_SYSLOG) {
        done = outlet_write(&state.outlet, bytes, n, deadline);
    } else if (n > PIPE_BUF || state.own == NULL) {
        done = write_in_turn(bytes, n, deadline);
    } else {
        done = write_in_lane(bytes, n, deadline);
    }
    state.stalled = !done;
    return done;
}

/* -- events -------------------------------------------------------------------------------- */

struct jsonout *log_event(const char *event)
{
    char now[CLOCK_TEXT_SIZE];

    if (state.open || state.outlet.kind == OUTLET_NONE) {
        return NULL;
    }
    state.open = true;
    state.line = buf_over(state.bytes + state.waiting, LOG_LINE_MAX);
    state.json = jsonout_to(&state.line);
    clock_text(clock_wall_ms(), now);
    jsonout_open(&state.json, NULL, '{');
    jsonout_bytes(&state.json, "time", now, CLOCK_TEXT_SIZE - 1);
    jsonout_str(&state.json, "event", event);
    return &state.json;
}

void log_end(struct jsonout *j)
{
    if (j == NULL) {
        return;
    }
    state.open = false;
    jsonout_close(j, '{');
    if (!buf_addc(&state.line, '\n') || j->overflow) {
        count_dropped();
        return;
    }
    if (state.waiting + state.line.len > PIPE_BUF || state.outlet.kind == OUTLET_SYSLOG) {
        log_flush();
    }
    if (state.line.len > PIPE_BUF || state.outlet.kind == OUTLET_SYSLOG) {
        if (!write_out(state.line.data, state.line.len)) {
            count_dropped();
        }
        return;
    }
    if (state.line.data != state.bytes + state.waiting) {
        memmove(state.bytes + state.waiting, state.line.data, state.line.len);
    }
    state.waiting += state.line.len;
}

bool log_flush(void)
{
    bool done = true;

    if (state.waiting > 0) {
        done = write_out(state.bytes, state.waiting);
        for (size_t i = 0; !done && i < state.waiting; i++) {
            if (state.bytes[i] == '\n') {
                count_dropped();
            }
        }
        state.waiting = 0;
    }
    return done;
}

void log_message(const char *event, const char *format, ...)
{
    char text[1024];
    struct jsonout *j = log_event(event);
    va_list args;

    if (j != NULL) {
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        jsonout_str(j, "message", text);
        log_end(j);
        log_flush();
    }
}

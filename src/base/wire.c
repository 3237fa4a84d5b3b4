/* Reads and writes that end in time. EINTR, EAGAIN and short writes are handled here only. */
#include "base/wire.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

/* A kernel time-out may come this much after the deadline, of its own length: not worth a
   poll(2) before each read. */
#define SLACK(quiet_ms) ((quiet_ms) / 100)

static bool told_to_stop(const struct wire *w)
{
    return w->interrupted != NULL && w->interrupted(w->context);
}

/* Waits until fd is ready for the events. Returns 1, or an enum wire_fault. */
static int wait_ready(const struct wire *w, int fd, short events, int64_t deadline)
{
    struct pollfd one = {.fd = fd, .events = events};

    for (;;) {
        int n = poll(&one, 1, clock_left(deadline, clock_ms()));

        if (n > 0) {
            return 1;
        }
        if (n == 0) {
            return WIRE_TIMEOUT;
        }
        if (errno != EINTR) {
            return WIRE_CLOSED;
        }
        if (events == POLLIN && told_to_stop(w)) {
            return WIRE_INTERRUPTED;
        }
    }
}

/* May a call just block, because the kernel's own limit ends it about when the deadline
   does? */
static bool kernel_keeps(const struct wire *w, int64_t deadline, int64_t now)
{
    return w->quiet_ms > 0 && deadline - now >= w->quiet_ms - SLACK(w->quiet_ms);
}

ssize_t wire_read(const struct wire *w, void *bytes, size_t n, int64_t now, int64_t deadline)
{
    for (;; now = clock_ms()) {
        ssize_t got;

        if (!kernel_keeps(w, deadline, now)) {
            int ready = wait_ready(w, w->in, POLLIN, deadline);

            if (ready != 1) {
                return ready;
            }
        }
        got = read(w->in, bytes, n);
        if (got >= 0) {
            return got;
        }
        if (errno == EINTR && told_to_stop(w)) {
            return WIRE_INTERRUPTED;
        }
        if (errno != EINTR && errno != EAGAIN) {
            return WIRE_CLOSED;
        }
    }
}

/* What a socket takes without waiting: nearly always all. */
static size_t write_at_once(const struct wire *w, const void *bytes, size_t n)
{
    ssize_t put = w->quiet_ms > 0 ? send(w->out, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;

    return put > 0 ? (size_t)put : 0;
}

ssize_t wire_write(const struct wire *w, const void *bytes, size_t n, int64_t limit_ms)
{
    size_t done = write_at_once(w, bytes, n);
    const char *at = (const char *)bytes + done;
    size_t left = n - done;
    int64_t deadline = left > 0 ? clock_ms() + limit_ms : 0;

    while (left > 0) {
        size_t piece = left;
        ssize_t put;

        if (!kernel_keeps(w, deadline, clock_ms())) {
            int ready = wait_ready(w, w->out, POLLOUT, deadline);

            if (ready != 1) {
                return ready;
            }
            /* A pipe that polls writable has room for this much, so write(2) will not block. */
            piece = left < PIPE_BUF ? left : PIPE_BUF;
        }
        put = write(w->out, at, piece);
        if (put >= 0) {
            at += put;
            left -= (size_t)put;
        } else if (errno != EINTR && errno != EAGAIN) {
            return WIRE_CLOSED;
        }
    }
    return (ssize_t)n;
}

void wire_quickack(const struct wire *w)
{
    const int on = 1;

    setsockopt(w->in, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

void wire_half_close(const struct wire *w)
{
    shutdown(w->out, SHUT_WR);
}

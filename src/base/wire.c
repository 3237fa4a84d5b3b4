/* Reads and writes that end in time. EINTR, EAGAIN and short writes are handled here only. */
#include "base/wire.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

/* A kernel time-out may come this much after the deadline, of its own length: not worth a poll(2)
   before each read. */
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

/* May a call just block, because the kernel's own limit ends it about when the deadline does? */
static bool kernel_keeps(const struct wire *w, int64_t deadline, int64_t now)
{
    return w->quiet_ms > 0 && deadline - now >= w->quiet_ms - SLACK(w->quiet_ms);
}

ssize_t wire_read(const struct wire *w, void *bytes, size_t n, int64_t deadline)
{
    for (;;) {
        ssize_t got;

        if (!kernel_keeps(w, deadline, clock_ms())) {
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

ssize_t wire_write(const struct wire *w, const void *bytes, size_t n, int64_t deadline)
{
    const char *at = bytes;
    size_t left = n;

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

void wire_half_close(const struct wire *w)
{
    shutdown(w->out, SHUT_WR);
}

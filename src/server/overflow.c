/* Refusing without blocking. */
#include "server/overflow.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define EVENT_GAP_MS 1000

static int oldest_or_free(const struct overflow *o)
{
    int at = 0;

    for (int i = 0; i < OVERFLOW_KEPT; i++) {
        if (o->fds[i] == 0) {
            return i;
        }
        if (o->until_ms[i] < o->until_ms[at]) {
            at = i;
        }
    }
    return at;
}

void overflow_refuse(struct overflow *o, int fd, const char *server_name, int64_t now_ms)
{
    char reply[512];
    int n = snprintf(reply, sizeof reply, "421 4.3.2 %s Too many sessions, try again later\r\n",
                     server_name);
    int at = oldest_or_free(o);

    if (o->refused++ == 0 && o->next_event_ms < now_ms) {
        o->next_event_ms = now_ms;
    }
    send(fd, reply, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    if (o->fds[at] != 0) {
        close(o->fds[at]);
    }
    o->fds[at] = fd;
    o->until_ms[at] = now_ms + OVERFLOW_LINGER_MS;
}

/* Throws away what has come; of one who sends faster than that, the rest in the next step.
   Returns false when nothing will come any more. */
static bool drain(int fd)
{
    char dust[OVERFLOW_GULP];
    ssize_t n = recv(fd, dust, sizeof dust, MSG_DONTWAIT);

    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void report(struct overflow *o, int64_t now_ms)
{
    struct jsonout *j;

    if (o->refused == 0 || now_ms < o->next_event_ms) {
        return;
    }
    j = log_event("refused");
    if (j != NULL) {
        jsonout_int(j, "clients", (int64_t)o->refused);
        log_end(j);
        log_flush();
    }
    o->refused = 0;
    o->next_event_ms = now_ms + EVENT_GAP_MS;
}

void overflow_step(struct overflow *o, int64_t now_ms)
{
    for (int i = 0; i < OVERFLOW_KEPT; i++) {
        if (o->fds[i] != 0 && (!drain(o->fds[i]) || now_ms >= o->until_ms[i])) {
            close(o->fds[i]);
            o->fds[i] = 0;
        }
    }
    report(o, now_ms);
}

int64_t overflow_deadline(const struct overflow *o)
{
    int64_t next = o->refused > 0 ? o->next_event_ms : CLOCK_NEVER;

    for (int i = 0; i < OVERFLOW_KEPT; i++) {
        if (o->fds[i] != 0 && o->until_ms[i] < next) {
            next = o->until_ms[i];
        }
    }
    return next;
}

nfds_t overflow_poll(const struct overflow *o, struct pollfd *out)
{
    nfds_t n = 0;

    for (int i = 0; i < OVERFLOW_KEPT; i++) {
        if (o->fds[i] != 0) {
            out[n++] = (struct pollfd){.fd = o->fds[i], .events = POLLIN};
        }
    }
    return n;
}

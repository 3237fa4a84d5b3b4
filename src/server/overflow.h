/* Clients beyond the last worker: the master tells them 421 and closes, without ever waiting
   for them. A few are kept for a moment after the half-close, so that what they have sent
   unasked does not turn our close into a reset that swallows the 421. */
#ifndef SERVER_OVERFLOW_H
#define SERVER_OVERFLOW_H

#include <poll.h>
#include <stdint.h>

#define OVERFLOW_KEPT      64
#define OVERFLOW_LINGER_MS 2000
#define OVERFLOW_GULP      16384 /* bytes of one client that one step throws away */

struct overflow {
    int fds[OVERFLOW_KEPT]; /* 0: free; descriptor 0 is never a client here */
    int64_t until_ms[OVERFLOW_KEPT];
    uint64_t refused; /* since the last `refused` event */
    int64_t next_event_ms;
};

/* Refuses one client; takes the descriptor over. server_name goes into the reply. */
void overflow_refuse(struct overflow *overflow, int fd, const char *server_name,
                     int64_t now_ms);

/* Drains and closes what is due, and writes a `refused` event at most once a second. */
void overflow_step(struct overflow *overflow, int64_t now_ms);

/* When to step again: clock_ms(), or CLOCK_NEVER. */
int64_t overflow_deadline(const struct overflow *overflow);

/* Adds the kept descriptors to a poll set of room for OVERFLOW_KEPT; returns how many. */
nfds_t overflow_poll(const struct overflow *overflow, struct pollfd *out);

#endif

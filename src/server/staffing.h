/* Enough workers for those who come: the master steps the pool when workers run short, and
   when there may be no more it turns away who comes, at once. */
#ifndef SERVER_STAFFING_H
#define SERVER_STAFFING_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

struct master;

struct staffing {
    uint32_t idle;   /* workers free or starting, at the last look */
    bool pressed;    /* they run short: look often */
    bool held;       /* a `throttled` event is out, its end is not */
    int64_t full_ms; /* since then none was free, and there may be no more; 0: not so */
    int64_t rest_ms; /* no descriptor for who is to be refused: not before then */
};

/* Starts and retires workers as the pool wants it. Each round of the master's loop that has
   workers. */
void staffing_step(struct master *master, int64_t now_ms);

/* When to step again: clock_ms(), or CLOCK_NEVER. */
int64_t staffing_deadline(const struct master *master, int64_t now_ms);

/* While clients would be refused, adds the listeners to a poll set of room for BOARD_ADDRS;
   returns how many. */
nfds_t staffing_poll(const struct master *master, struct pollfd *out, int64_t now_ms);

/* Refuses one client on each listener of which staffing_poll()'s set says that somebody waits
   there, if there is still no worker for him. */
void staffing_refuse(struct master *master, const struct pollfd *set, nfds_t count,
                     int64_t now_ms);

#endif

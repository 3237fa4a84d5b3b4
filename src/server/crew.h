/* The master's children, as processes: how many there should be is the pool's business. */
#ifndef SERVER_CREW_H
#define SERVER_CREW_H

#include "server/master.h"

/* Forks a worker for a slot; a pool_ops function, whose context is the master. Returns its pid,
   or -1 (logged). */
pid_t crew_spawn(void *master, uint32_t slot);

/* Sends a signal to every worker. */
void crew_signal(struct master *master, int number);

/* What the workers do, counted. */
struct crew_count {
    uint32_t idle;    /* free, or starting */
    uint32_t serving; /* in a session that has not come to its last words */
};
struct crew_count crew_count(const struct master *master);

/* Has every worker come as far as its first wait? */
bool crew_settled(const struct master *master);

/* Lets n idle workers leave, those in the highest slots first: scans of the slots stay
   short. */
void crew_retire(struct master *master, uint32_t n);

/* Takes note of all children that have ended, workers and refresher. */
void crew_reap(struct master *master, int64_t now_ms);

#endif

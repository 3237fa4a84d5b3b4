/* A worker: one process that serves one SMTP session after the other. */
#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H

#include <stdint.h>

#include "mode/board.h"
#include "server/listener.h"
#include "server/settings.h"

/* The master sends a worker SIGTERM to stop it (sessions are told 421 when they are between
   transactions) and SIGUSR1 to let it leave after its session. */
struct worker {
    const struct settings *settings;
    struct board *board;
    struct listeners *listeners;
    uint32_t slot;
    int pressure_fd; /* an eventfd(2): wakes the master when idle workers run short */
};

/* Serves until told to leave, or until the master is gone. Called in a fresh child, whose only
   job this is; returns its exit status. */
int worker_run(const struct worker *worker);

#endif

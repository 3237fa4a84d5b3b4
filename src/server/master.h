/* The master: owns the listening sockets, the board, the pool and the refresher. It opens what
   is needed, and from then on nothing is fatal to it: it waits, logs and tries again. */
#ifndef SERVER_MASTER_H
#define SERVER_MASTER_H

#include "server/listener.h"
#include "server/overflow.h"
#include "server/pool.h"
#include "server/refresher_child.h"
#include "server/staffing.h"

enum master_phase {
    PHASE_STARTING, /* the first fetch is under way: nobody is served yet */
    PHASE_FILLING,  /* the first workers are starting */
    PHASE_SERVING,  /* ready */
    PHASE_LEAVING,  /* nobody came for --idle-exit: idle workers leave */
    PHASE_STOPPING, /* SIGTERM: sessions are told to end */
    PHASE_LAST,     /* no workers any more; the refresher has to go */
    PHASE_GONE,
};

struct master {
    const struct settings *settings;
    struct board board;
    struct listeners listeners;
    struct pool pool;
    struct refresher_child refresher;
    struct overflow overflow;
    struct staffing staffing;
    enum master_phase phase;
    int signals;         /* signals_open() */
    int pressure;        /* the eventfd that workers write to */
    int64_t ready_by_ms; /* go on to the next phase then, whatever is missing */
    int64_t stop_ms;     /* the phase began */
    int64_t repeat_ms;   /* tell the workers again */
    int64_t beat_ms;
    int64_t active_ms;    /* the last time that anybody was served */
    uint64_t connections; /* up to then */
};

/* Opens the run directory, the board, the sockets and all else that may fail, then gives up
   root's rights. Returns an exit code: 0, or what main shall exit with; why has one line
   then. */
int master_open(struct master *master, const struct settings *settings, char *why,
                size_t why_size);

/* Serves until stopped. Returns an exit code. */
int master_run(struct master *master);

#endif

/* The board: one file in the run directory, mapped by every process of the tree, by one-shot
   sessions and by the control tool. It holds the published policy, the master's state, a slot
   for each worker and the greylist. No pointers; its layout does not depend on any setting, so
   that it outlives restarts; a board of another layout is replaced.

     section     written by                      workers map it
     head        the refresher (board_publish)   read-only
     control     the master; few shared words    read-write
     slots       each by its worker              read-write
     greylist    all, under its lock             read-write                                   */
#ifndef MODE_BOARD_H
#define MODE_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"
#include "mode/greylist.h"
#include "mode/publication.h"
#include "mode/slot.h"

#define BOARD_SLOTS 4096
#define BOARD_ADDRS 8

/* The daemon as a whole. */
struct board_control {
    _Atomic pid_t master;    /* 0: no daemon */
    _Atomic pid_t refresher; /* 0: none runs now */
    _Atomic int64_t started_ms;
    _Atomic int64_t beat_ms; /* the master's loop went round */
    _Atomic int64_t refresher_beat_ms;
    _Atomic uint32_t workers_min, workers_max;
    _Atomic uint32_t workers_now;   /* processes, starting ones too */
    _Atomic uint32_t slots_used;    /* slots from here on were never owned by anybody */
    _Atomic uint64_t worker_deaths; /* that were not asked for */
    _Atomic uint32_t stopping;      /* the daemon is on its way out */
    char listening[BOARD_ADDRS][BOARD_ADDR_SIZE]; /* "[::]:25"; set before `master` */
    char server_name[256];
    struct log_share log;
    struct counters oneshot;        /* of --inetd sessions, and of the master's own refusals */
    _Atomic int64_t fetch_claim_ms; /* a one-shot session has started a fetch, then */
    /* A worker that found too few idle ones asks the master to look; on a line of its own,
       since every session reads it. */
    _Alignas(64) _Atomic uint32_t pressure;
    _Atomic uint32_t want_idle; /* so many idle workers are enough */
};

enum board_access {
    BOARD_READ,  /* ctl: nothing can be changed */
    BOARD_WRITE, /* master, refresher, one-shot, ctl greylist clear */
};

/* A mapped board. The caller's; the mappings last until board_close(). */
struct board {
    int fd;
    void *memory;
    struct publication *publication;
    struct board_control *control;
    struct board_slot *slots; /* BOARD_SLOTS */
    struct greylist *greylist;
};

/* Maps the board in run_dir. create: makes one (mode 0644 in the caller's name) where there is
   none or one of another layout; with it the policy says `defer` until something is published.
   Returns false and sets errno: ENOENT, EACCES ..., EPROTO for a board of another layout. */
bool board_open(struct board *board, const char *run_dir, enum board_access access,
                bool create);
void board_close(struct board *board);

/* Makes this process's view of the head read-only, for good: workers, before their first
   client. Returns false and sets errno. */
bool board_protect(struct board *board);

/* The publication on this board: see mode/publication.h. One writer at a time: the caller of
   board_publish() holds board_writer_lock(). */
void board_publish(struct board *board, const struct published *news);
uint64_t board_edition(const struct board *board);
uint64_t board_read(const struct board *board, struct published *out);

/* Takes the right to publish, by flock(2) on `refresh.lock` in run_dir: it ends with the
   process however that ends. Returns the descriptor to close when done, or -1 with errno
   (EWOULDBLOCK when another has it and wait is false). */
int board_writer_lock(const char *run_dir, bool wait);

/* Clears what a former daemon left in control and slots (counters, greylist and policy stay).
   The master, holding its own lock. */
void board_adopt(struct board *board);

/* Writes this process's events in order with all others' on the board (log_join()). own: its
   slot's lane, or NULL. Looks at no more slots than the daemon's largest pool has. */
void board_share_log(struct board *board, struct log_lane *own);

/* Sums over slots and one-shot sessions. */
void board_totals(const struct board *board, uint64_t out[COUNTERS]);

#endif

/* The refresher: fetches the mode from its source when that is due and publishes it on the
   board. It is the only writer of the policy (it holds board_writer_lock()), and nothing that
   it does, or fails to do, makes a reader wait.

   A value that names no mode is served as `defer`; a source that fails changes nothing. Events:
   mode, mode_invalid, source_failed, source_failing, source_recovered, and refreshed after a
   fetch that was asked for. */
#ifndef MODE_REFRESHER_H
#define MODE_REFRESHER_H

#include <stdbool.h>
#include <stdint.h>

#include "mode/board.h"
#include "mode/schedule.h"
#include "mode/source.h"

/* A living refresher marks the board at least this often, when no fetch keeps it. */
#define REFRESHER_BEAT_MS 5000

/* While the source fails, a line says so this often. */
#define REFRESHER_REMIND_MS 60000

/* How long a first fetch may keep the daemon from being ready. */
#define REFRESHER_READY_MS 2000

struct refresher {
    struct board *board;
    struct source *source;
    struct schedule schedule;
    struct published news; /* what the board says; this process is its only writer */
    uint64_t failures;     /* in a row, of this process */
    int64_t told_ms;       /* when a line last said that the source fails */
    bool asked;            /* by SIGHUP: the end of the next fetch is told */
    bool quiet; /* events only for what changes; false: the first reading is news too */
};

/* Takes over what a former refresher published, if it came from the same source: its mode stays
   in force until the first fetch. Otherwise publishes `defer`. The source and the board stay
   the caller's. quiet: a single fetch, which goes on where the last one ended. */
void refresher_init(struct refresher *r, struct board *board, struct source *source,
                    int64_t ttl_ms, bool quiet);

/* One fetch, however long it takes: publishes, logs, schedules the next. Returns whether the
   source answered; if not, r->news.fault says why. */
bool refresher_fetch(struct refresher *r);

/* Logs source_failing where the source fails now and nothing has said so for
   REFRESHER_REMIND_MS. now: clock_ms(). */
void refresher_remind(struct refresher *r, int64_t now);

/* Fetches when due, at each change that the source tells of, and at SIGHUP. ready_fd gets a
   newline and is closed when the first fetch has ended, or after REFRESHER_READY_MS; -1: nobody
   waits. Returns only when it cannot start, with errno. SIGTERM and SIGINT end the process at
   once, with status 0, whatever it is doing: a publication is whole or absent. */
void refresher_run(struct refresher *r, int ready_fd);

/* Copies a value as the board and the logs show it: the white space at its ends cut off, what
   is not printable ASCII as '?', cut at size - 1. */
void refresher_show(const struct reading *reading, char *out, size_t size);

#endif

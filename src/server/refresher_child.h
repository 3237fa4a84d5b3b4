/* The master's refresher: a child that runs sinkhole-refresh, started again when it dies. The
   master never touches the mode itself. */
#ifndef SERVER_REFRESHER_CHILD_H
#define SERVER_REFRESHER_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mode/board.h"
#include "server/settings.h"

struct refresher_child {
    const struct settings *settings;
    struct board *board;
    int program;        /* the executable, opened while we still may */
    int secrets;        /* secrets_take() */
    pid_t pid;          /* 0: none runs */
    int ready;          /* readable when its first fetch has ended; -1: it has */
    int64_t restart_ms; /* none runs: start one then */
    int64_t hold_ms;    /* the wait before the next restart */
};

/* Finds sinkhole-refresh beside this program or where it was installed. Returns false and sets
   errno. */
bool refresher_child_init(struct refresher_child *child, const struct settings *settings,
                          struct board *board, int secrets);

/* Starts one when none runs and it is time. A failure is logged and tried again later. */
void refresher_child_step(struct refresher_child *child, int64_t now_ms);

/* Call when `ready` is readable. */
void refresher_child_is_ready(struct refresher_child *child);

/* Takes note of a dead process; returns false when it was not the refresher. expected: the
   daemon is stopping, so none is started again. */
bool refresher_child_reaped(struct refresher_child *child, pid_t pid, int status, bool expected,
                            int64_t now_ms);

/* Sends it a signal, where it runs. */
void refresher_child_signal(const struct refresher_child *child, int number);

/* When to step again: clock_ms(), or CLOCK_NEVER. */
int64_t refresher_child_deadline(const struct refresher_child *child);

#endif

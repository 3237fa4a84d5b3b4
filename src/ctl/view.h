/* What the commands see of a daemon: its board, read once, and the words for it. */
#ifndef CTL_VIEW_H
#define CTL_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/jsonout.h"
#include "ctl/ctl.h"
#include "mode/board.h"

/* A board and what stood on it at one moment. */
struct view {
    struct board board;
    struct published now; /* zeroes where there is no board */
    int64_t at_ms;        /* clock_ms() of the look */
    bool attached;
    int error;       /* errno where it is not attached; ENOENT: no board */
    bool running;    /* the master lives */
    bool refreshing; /* the refresher lives */
};

/* Attaches to the board in ctl->run_dir and reads it. Where that fails, everything in *view
   says "nothing there". */
void view_open(struct view *view, const struct ctl *ctl, enum board_access access);

/* Reads the published policy and the state of the processes again. */
void view_renew(struct view *view);

void view_close(struct view *view);

/* Says on standard error why there is no board, when that is worse than there being none;
   returns EXIT_SYSTEM, or EXIT_OK when there simply is none. */
int view_trouble(const struct view *view, const struct ctl *ctl);

/* "3 s" between a time on the board and the look; "never" for 0. */
#define AGE_SIZE 32
const char *view_age(const struct view *view, int64_t then_ms, char out[AGE_SIZE]);

/* The same in milliseconds, for --json; -1: never. */
int64_t view_age_ms(const struct view *view, int64_t then_ms);

/* The published mode: aligned lines, or members of the open JSON object. */
void view_mode_text(const struct view *view);
void view_mode_json(const struct view *view, struct jsonout *j);

#endif

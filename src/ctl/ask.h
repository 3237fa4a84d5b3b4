/* Waiting for the daemon to do something. */
#ifndef CTL_ASK_H
#define CTL_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/view.h"

/* Signals the refresher to fetch at once. Returns false and sets errno. */
bool ask_refresh(const struct view *view);

/* Looks at the board again and again until done() says so, the daemon has gone, or timeout_ms
   are over. Returns what done() said last. */
bool ask_wait(struct view *view, int64_t timeout_ms,
              bool (*done)(const struct view *view, const void *wanted), const void *wanted);

#endif

/* The refresher is asked by a signal and answers on the board; nothing else is shared. */
#include "ctl/ask.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "base/clock.h"

/* Often enough for "at once" to look so, seldom enough to cost nothing. */
#define LOOK_EVERY_MS 5

bool ask_refresh(const struct view *view)
{
    pid_t refresher = atomic_load(&view->board.control->refresher);

    if (!view->refreshing || refresher <= 0) {
        errno = ESRCH;
        return false;
    }
    return kill(refresher, SIGHUP) == 0;
}

bool ask_wait(struct view *view, int64_t timeout_ms,
              bool (*done)(const struct view *view, const void *wanted), const void *wanted)
{
    int64_t deadline = clock_ms() + timeout_ms;

    for (;;) {
        view_renew(view);
        if (done(view, wanted)) {
            return true;
        }
        if (!view->running || clock_ms() >= deadline) {
            return false;
        }
        poll(NULL, 0, LOOK_EVERY_MS);
    }
}

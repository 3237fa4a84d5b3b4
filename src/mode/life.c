/* kill(2) with no signal, and the age of a mark. */
#include "mode/life.h"

#include <errno.h>
#include <signal.h>

#include "base/clock.h"

/* A mark in the future is of a former boot. */
static bool lives(pid_t pid, int64_t marked_ms, int64_t within_ms)
{
    int64_t age = clock_ms() - marked_ms;

    return pid > 0 && age >= 0 && age < within_ms && (kill(pid, 0) == 0 || errno == EPERM);
}

bool life_of_master(const struct board *board, int64_t within_ms)
{
    return lives(atomic_load(&board->control->master), atomic_load(&board->control->beat_ms),
                 within_ms);
}

bool life_of_refresher(const struct board *board, int64_t within_ms)
{
    return lives(atomic_load(&board->control->refresher),
                 atomic_load(&board->control->refresher_beat_ms), within_ms);
}

/* The names of states and counters, and the two ways to write into a slot. */
#include "mode/slot.h"

static const char *const counter_names[] = {
    [COUNT_CONNECTIONS] = "connections", [COUNT_PROBES] = "probes",
    [COUNT_SESSIONS] = "sessions",       [COUNT_COMMANDS] = "commands",
    [COUNT_RECIPIENTS] = "recipients",   [COUNT_ACCEPTED] = "accepted",
    [COUNT_DEFERRED] = "deferred",       [COUNT_REJECTED] = "rejected",
    [COUNT_MESSAGES] = "messages",       [COUNT_BYTES] = "bytes",
    [COUNT_BARE_LF] = "bare_lf",         [COUNT_TIMEOUTS] = "timeouts",
    [COUNT_REFUSED] = "refused",
};
_Static_assert(sizeof counter_names / sizeof counter_names[0] == COUNTERS, "each has a name");

const char *counter_name(enum counter counter)
{
    return counter_names[counter];
}

const char *slot_state_name(enum slot_state state)
{
    static const char *const names[] = {
        [SLOT_FREE] = "free",       [SLOT_STARTING] = "starting", [SLOT_IDLE] = "idle",
        [SLOT_COMMAND] = "command", [SLOT_MAIL] = "mail",         [SLOT_DATA] = "data",
        [SLOT_CLOSING] = "closing",
    };

    return state < SLOT_STATES ? names[state] : "?";
}

void slot_show(struct board_slot *slot, pid_t owner, enum slot_state state)
{
    if (atomic_load_explicit(&slot->pid, memory_order_relaxed) == owner) {
        atomic_store_explicit(&slot->state, state, memory_order_release);
    }
}

void counters_add(struct counters *counters, enum counter counter, uint64_t n)
{
    if (n > 0) {
        atomic_fetch_add_explicit(&counters->of[counter], n, memory_order_relaxed);
    }
}

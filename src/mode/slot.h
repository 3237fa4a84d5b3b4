/* One worker's record on the board: who it is, what it does, and what it has counted. */
#ifndef MODE_SLOT_H
#define MODE_SLOT_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"

#define BOARD_ADDR_SIZE 64

/* Counters of sessions, summed up over all slots for people. */
enum counter {
    COUNT_CONNECTIONS, /* accepted by the kernel for us, probes too */
    COUNT_PROBES,      /* the client sent nothing */
    COUNT_SESSIONS,
    COUNT_COMMANDS,
    COUNT_RECIPIENTS,
    COUNT_ACCEPTED,
    COUNT_DEFERRED,
    COUNT_REJECTED,
    COUNT_MESSAGES,
    COUNT_BYTES,
    COUNT_BARE_LF,
    COUNT_TIMEOUTS,
    COUNT_REFUSED, /* 421: all workers busy */
    COUNTERS,
};

/* Its name, as `status --json` has it. */
const char *counter_name(enum counter counter);

struct counters {
    _Atomic uint64_t of[COUNTERS];
};

/* Adds to a counter. Any owner of the counters; relaxed. */
void counters_add(struct counters *counters, enum counter counter, uint64_t n);

enum slot_state {
    SLOT_FREE,     /* no process */
    SLOT_STARTING, /* forked, not ready yet */
    SLOT_IDLE,     /* waits for a client */
    SLOT_COMMAND,
    SLOT_MAIL,
    SLOT_DATA,
    SLOT_CLOSING,
    SLOT_STATES,
};

const char *slot_state_name(enum slot_state state);

struct board_slot;

/* Shows what the owner of the slot does. Ignored when that is another process by now: a worker
   whose master was killed ends its session while a new master's worker has the slot. */
void slot_show(struct board_slot *slot, pid_t owner, enum slot_state state);

/* One worker's record. Written by the worker that owns it, and by the master when that has
   gone. Its counters go on over a change of owner: their sum over all slots is the total. */
struct board_slot {
    _Alignas(64) struct log_lane lane;
    _Atomic pid_t pid;
    _Atomic uint32_t state;       /* enum slot_state */
    _Atomic int64_t since_ms;     /* of the state */
    _Atomic uint32_t violation;   /* the forbidden system call that ended it, and 1; 0: none */
    char client[BOARD_ADDR_SIZE]; /* whom it serves; may be read torn: it is for people only */
    struct counters counters;
};

#endif

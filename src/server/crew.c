/* The master's children: forking workers, counting them, signalling and reaping. */
#include "server/crew.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "server/sandbox.h"
#include "server/worker.h"

pid_t crew_spawn(void *context, uint32_t number)
{
    struct master *m = context;
    struct board_slot *slot = &m->board.slots[number];
    struct board_control *control = m->board.control;
    pid_t master = getpid(), pid;

    atomic_store(&slot->violation, 0);
    atomic_store(&slot->state, SLOT_STARTING);
    if (atomic_load(&control->slots_used) <= number) {
        atomic_store(&control->slots_used, number + 1);
    }
    pid = fork();
    if (pid == 0) {
        const struct worker worker = {m->settings, &m->board, &m->listeners, number,
                                      m->pressure};

        prctl(PR_SET_PDEATHSIG, SIGTERM);
        exit(getppid() == master ? worker_run(&worker) : EXIT_OK);
    }
    if (pid < 0) {
        log_warn("unable to fork a worker");
        atomic_store(&slot->state, SLOT_FREE);
        return -1;
    }
    atomic_store(&slot->pid, pid);
    return pid;
}

void crew_signal(struct master *m, int number)
{
    for (uint32_t i = 0; i < atomic_load(&m->board.control->slots_used); i++) {
        if (m->pool.pids[i] != 0) {
            kill(m->pool.pids[i], number);
        }
    }
}

struct crew_count crew_count(const struct master *m)
{
    struct crew_count count = {.idle = 0};

    for (uint32_t i = 0; i < atomic_load(&m->board.control->slots_used); i++) {
        uint32_t state = atomic_load_explicit(&m->board.slots[i].state, memory_order_relaxed);

        count.idle += state == SLOT_IDLE || state == SLOT_STARTING;
        count.serving += state >= SLOT_COMMAND && state < SLOT_CLOSING;
    }
    return count;
}

bool crew_settled(const struct master *m)
{
    for (uint32_t i = 0; i < atomic_load(&m->board.control->slots_used); i++) {
        if (m->pool.pids[i] != 0 && atomic_load(&m->board.slots[i].state) == SLOT_STARTING) {
            return false;
        }
    }
    return true;
}

void crew_retire(struct master *m, uint32_t n)
{
    for (uint32_t i = atomic_load(&m->board.control->slots_used); i-- > 0 && n > 0;) {
        if (m->pool.pids[i] != 0 && atomic_load(&m->board.slots[i].state) == SLOT_IDLE) {
            kill(m->pool.pids[i], SIGUSR1);
            n--;
        }
    }
}

static void log_worker_death(const struct board_slot *slot, pid_t pid, uint32_t number,
                             int status)
{
    struct jsonout *j = log_event("worker_died");

    if (j != NULL) {
        jsonout_int(j, "pid", pid);
        jsonout_int(j, "slot", number);
        jsonout_int(j, WIFSIGNALED(status) ? "signal" : "status",
                    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        if (atomic_load(&slot->violation) != 0) {
            jsonout_str(j, "syscall", sandbox_call(atomic_load(&slot->violation)));
        }
        if (atomic_load(&slot->state) > SLOT_IDLE) {
            jsonout_str(j, "client", slot->client);
        }
        log_end(j);
        log_flush();
    }
}

static void worker_gone(struct master *m, pid_t pid, int status, int64_t now)
{
    bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    struct pool_death death = pool_reaped(&m->pool, pid, clean, now);
    struct board_slot *slot = &m->board.slots[death.slot];

    if (!death.known) {
        return;
    }
    if (!clean) {
        atomic_fetch_add(&m->board.control->worker_deaths, 1);
        log_worker_death(slot, pid, death.slot, status);
    }
    atomic_store(&slot->lane.writing, 0);
    atomic_store(&slot->pid, 0);
    atomic_store(&slot->state, SLOT_FREE);
}

void crew_reap(struct master *m, int64_t now)
{
    bool expected = m->phase >= PHASE_STOPPING;
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (!refresher_child_reaped(&m->refresher, pid, status, expected, now)) {
            worker_gone(m, pid, status, now);
        }
    }
}

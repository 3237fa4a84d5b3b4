/* The session's surroundings on the board. */
#include "server/serve.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"

bool server_init(struct server *s)
{
    s->edition = 0;
    s->id_count = 0;
    /* Random, so that names never meet in the logs of several hosts. */
    if (getrandom(&s->id_base, sizeof s->id_base, 0) != (ssize_t)sizeof s->id_base) {
        return false;
    }
    s->memory = malloc(session_size());
    return s->memory != NULL;
}

#define SESSION_ID_SIZE 17

static struct session_policy current_policy(void *context)
{
    struct server *s = context;

    if (s->look != NULL) {
        s->look(s->look_context);
    }
    if (board_edition(s->board) != s->edition) {
        s->edition = board_read(s->board, &s->policy);
    }
    return (struct session_policy){.policy = &s->policy.policy, .version = s->policy.version};
}

static bool first_seen(void *context)
{
    struct server *s = context;

    return greylist_first_seen(s->board->greylist, &s->peer->key, clock_ms(),
                               s->settings->greylist_window_ms);
}

static enum session_stop stopping(void *context)
{
    struct server *s = context;

    return s->stopping != NULL ? s->stopping(s->stopping_context) : STOP_NO;
}

static void show_state(void *context, enum session_state state)
{
    static const enum slot_state shown[] = {
        [SESSION_IDLE] = SLOT_COMMAND,    [SESSION_COMMAND] = SLOT_COMMAND,
        [SESSION_MAIL] = SLOT_MAIL,       [SESSION_DATA] = SLOT_DATA,
        [SESSION_CLOSING] = SLOT_CLOSING,
    };
    struct server *s = context;

    if (s->slot != NULL) {
        slot_show(s->slot, s->pid, shown[state]);
    }
}

static void count(struct counters *c, const struct session_totals *t, enum session_end end)
{
    counters_add(c, COUNT_CONNECTIONS, 1);
    counters_add(c, t->received == 0 ? COUNT_PROBES : COUNT_SESSIONS, 1);
    counters_add(c, COUNT_COMMANDS, t->commands);
    counters_add(c, COUNT_RECIPIENTS, t->recipients);
    counters_add(c, COUNT_ACCEPTED, t->accepted);
    counters_add(c, COUNT_DEFERRED, t->deferred);
    counters_add(c, COUNT_REJECTED, t->rejected);
    counters_add(c, COUNT_MESSAGES, t->messages);
    counters_add(c, COUNT_BYTES, t->bytes);
    counters_add(c, COUNT_BARE_LF, t->bare_lf);
    counters_add(c, COUNT_TIMEOUTS, end == END_TIMEOUT);
}

/* An odd multiplier makes each count another name, and neighbours unlike. */
static void name_session(struct server *s, char id[SESSION_ID_SIZE])
{
    uint64_t number = s->id_base + ++s->id_count * 0x9E3779B97F4A7C15u;

    for (size_t i = 0; i < SESSION_ID_SIZE - 1; i++, number <<= 4) {
        id[i] = "0123456789abcdef"[number >> 60];
    }
    id[SESSION_ID_SIZE - 1] = '\0';
}

void server_serve(struct server *s, struct wire *wire, const struct peer *peer)
{
    struct session_totals totals = {.commands = 0};
    char id[SESSION_ID_SIZE];
    struct session_env env = {
        .limits = &s->settings->limits,
        .server_name = s->settings->server_name,
        .client = peer->text,
        .id = id,
        .context = s,
        .policy = current_policy,
        .first_seen = first_seen,
        .stopping = stopping,
        .state = show_state,
    };

    name_session(s, id);
    s->peer = peer;
    count(s->counters, &totals, session_run(s->memory, &env, wire, &totals));
    log_flush();
}

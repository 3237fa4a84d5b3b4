/* What a session needs around it, whoever runs it: a worker of the pool or a one-shot process.
   It joins the session to the board: policy in, counters and greylist out. */
#ifndef SERVER_SERVE_H
#define SERVER_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wire.h"
#include "mode/board.h"
#include "server/listener.h"
#include "server/settings.h"
#include "smtp/session.h"

struct server {
    const struct settings *settings;
    struct board *board;
    struct counters *counters;
    struct board_slot *slot;                      /* NULL: a one-shot session has none */
    pid_t pid;                                    /* whose the slot is */
    enum session_stop (*stopping)(void *context); /* NULL: it never stops early */
    void *stopping_context;
    void (*look)(
        void *context); /* NULL: others keep the mode fresh; called before it is read */
    void *look_context;

    /* Private. */
    struct session *memory;
    struct published policy; /* a copy: shared memory is only read when the edition moves */
    uint64_t edition;
    uint64_t id_base, id_count; /* names of sessions */
    const struct peer *peer;
};

/* Prepares; allocates the session's memory. Returns false and sets errno. */
bool server_init(struct server *server);

/* Runs one session over the wire and counts it. The descriptors stay open. */
void server_serve(struct server *server, struct wire *wire, const struct peer *peer);

#endif

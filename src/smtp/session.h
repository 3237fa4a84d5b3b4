/* One SMTP session (RFC 5321), from the greeting to the closed channel. It knows no sockets, no
   processes and no clock but the deadlines that it is given: it talks through a struct wire and
   asks its surroundings through a struct session_env.

   It writes the log events `session`, `attempt` and `accepted`. */
#ifndef SMTP_SESSION_H
#define SMTP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "mode/policy.h"

/* All have a flag of the daemon; times in milliseconds. */
struct session_limits {
    size_t command_line; /* bytes with CRLF; RFC 5321 4.5.3.1.4 wants at least 512 */
    size_t headers;      /* bytes of a message's header section that accept-log keeps */
    size_t recipients;   /* accepted in one transaction; 4.5.3.1.8 wants at least 100 */
    size_t errors;       /* refused for syntax or order; more: 421 4.7.0; 0: any number */
    int64_t command_ms;  /* for a whole command line to come; 4.5.3.2.7: 300,000 */
    int64_t data_gap_ms; /* between two reads within DATA; 4.5.3.2.5: 180,000 */
    int64_t data_ms;     /* for the whole of DATA */
    int64_t closing_ms;  /* how long a session lives on after a 421: 2,000 */
    int64_t drain_ms;    /* how long unread input is taken after the half-close: 2,000 */
};

#define SESSION_LINE_MAX   65536 /* the largest command_line that may be set */
#define SESSION_HEADER_MAX 12288 /* the largest headers that may be set: fits one log line */

/* What a worker is doing, for the board. A session says all but SESSION_IDLE. */
enum session_state {
    SESSION_IDLE,    /* no client */
    SESSION_COMMAND, /* between transactions */
    SESSION_MAIL,    /* a transaction is open */
    SESSION_DATA,    /* taking a message */
    SESSION_CLOSING, /* after a 421, and from the last words on */
};

/* How far the server wants to stop. */
enum session_stop {
    STOP_NO,
    STOP_IDLE, /* end at the next moment without a transaction, with 421 4.3.2 */
    STOP_NOW,  /* the drain time is over: end at once, with 421 4.3.2 if that can be said */
};

/* What is in force when an answer is due. */
struct session_policy {
    const struct policy *policy; /* valid until the next call */
    uint64_t version;            /* of the mode's source, for the log */
};

/* How one session ended: the `end` field of its log line. */
enum session_end {
    END_QUIT,     /* QUIT was answered */
    END_CLIENT,   /* the client closed or reset */
    END_421,      /* we closed after a 421 of the policy's */
    END_TIMEOUT,  /* 421 4.4.2 */
    END_SHUTDOWN, /* the server stops */
    END_ABUSE,    /* 421 4.7.0: too many errors */
};

/* Sums of one session, for the worker's slot on the board. received: bytes of any kind; none
   makes it a probe. */
struct session_totals {
    uint64_t received, commands, recipients, accepted, deferred, rejected, messages, bytes,
        bare_lf;
};

struct session_env {
    const struct session_limits *limits;
    const char *server_name; /* greeting and EHLO */
    const char *client; /* printable address: "192.0.2.7", "2001:db8::1", "unix", "unknown" */
    const char *id;     /* this session's name in the log; unique over all hosts */

    void *context; /* handed to all of these: */
    struct session_policy (*policy)(void *context);
    bool (*first_seen)(void *context); /* see struct policy_facts */
    enum session_stop (*stopping)(void *context);
    void (*state)(void *context, enum session_state state); /* each change; cheap */
};

/* The memory of one session at a time; about 150 KiB, made once for each worker. */
struct session;
size_t session_size(void);

/* Runs one session over the wire and returns when the channel may be closed: replies are out,
   the writing side is shut down where that matters, unread input is drained within limits.
   memory: session_size() bytes, aligned for any type, not cleared by the caller. */
enum session_end session_run(struct session *memory, const struct session_env *env,
                             struct wire *wire, struct session_totals *totals);

#endif

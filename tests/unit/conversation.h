/* A session of smtp/session.h with everything around it in the test's hands: the bytes arrive
   in packets of the test's choice, the policy is a script, and the log is read back.

   The client's side is one end of a SOCK_SEQPACKET pair, where a read takes one packet and no
   more: how the input falls into reads is exact, and no second thread is needed. */
#ifndef UNIT_CONVERSATION_H
#define UNIT_CONVERSATION_H

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/wire.h"
#include "mode/policy.h"
#include "smtp/session.h"

#define GREETING "220 mx.test ESMTP Sinkhole\r\n"
#define HELO     "250 mx.test\r\n"
#define MAIL     "250 2.1.0 Sender ok\r\n"
#define RCPT     "250 2.1.5 Recipient ok\r\n"
#define DATA     "354 End data with <CR><LF>.<CR><LF>\r\n"
#define MESSAGE  "250 2.0.0 OK: id-1\r\n"
#define OK       "250 2.0.0 OK\r\n"
#define BYE      "221 2.0.0 Bye\r\n"
#define DEFERRED "421 4.3.2 Service temporarily unavailable\r\n"
#define BOUNCED  "550 5.1.1 User unknown\r\n"
#define STOPPED  "421 4.3.2 Server is shutting down\r\n"
#define TIMEOUT  "421 4.4.2 Timeout, closing connection\r\n"

struct conversation {
    struct session_limits limits;
    struct session_env env;
    struct wire wire;
    struct session *memory;
    int client;                        /* the test's end */
    int events;                        /* the log's reading end */
    const struct policy *policies[16]; /* one for each time it is asked, the last for ever */
    int asked;
    bool seen; /* by the greylist; asking sets it */
    int seen_asked;
    enum session_stop stop;       /* from when on: */
    enum session_state stop_when; /* ... this state was told; SESSION_IDLE: from the start */
    enum session_state state;     /* the last that was told */
    unsigned states;              /* a bit for each that was told */
    /* Results. */
    enum session_end end;
    struct session_totals totals;
    char replies[65536]; /* all of them */
    int writes;          /* packets that they came in */
    char log[262144];
};

static inline struct session_policy conversation_policy(void *context)
{
    struct conversation *c = context;
    int i = c->asked++;

    while (i > 0 && (i >= 16 || c->policies[i] == NULL)) {
        i--;
    }
    return (struct session_policy){.policy = c->policies[i], .version = 42};
}

static inline bool conversation_first_seen(void *context)
{
    struct conversation *c = context;
    bool first = !c->seen;

    c->seen = true;
    c->seen_asked++;
    return first;
}

static inline enum session_stop conversation_stopping(void *context)
{
    struct conversation *c = context;

    if (c->stop_when == SESSION_IDLE || (c->states & (1U << c->stop_when)) != 0) {
        return c->stop;
    }
    return STOP_NO;
}

static inline void conversation_state(void *context, enum session_state state)
{
    struct conversation *c = context;

    c->state = state;
    c->states |= 1U << state;
}

/* A conversation in one mode, with limits that no test meets by accident. */
static inline struct conversation *conversation_in(enum mode mode)
{
    struct conversation *c = calloc(1, sizeof *c);
    int pair[2], log[2];

    ck_assert_ptr_nonnull(c);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    ck_assert_int_eq(pipe2(log, O_NONBLOCK), 0);
    ck_assert_int_ge(fcntl(log[1], F_SETPIPE_SZ, (int)sizeof c->log), (int)sizeof c->log);
    log_open(log[1]);
    c->events = log[0];
    c->client = pair[0];
    c->wire = (struct wire){.in = pair[1], .out = pair[1]};
    c->policies[0] = mode_policy(mode);
    c->limits = (struct session_limits){
        .command_line = 512,
        .headers = SESSION_HEADER_MAX,
        .recipients = 100,
        .command_ms = 60000,
        .data_gap_ms = 60000,
        .data_ms = 60000,
        .closing_ms = 60000,
        .drain_ms = 60000,
    };
    c->env = (struct session_env){
        .limits = &c->limits,
        .server_name = "mx.test",
        .client = "192.0.2.7",
        .id = "id-1",
        .context = c,
        .policy = conversation_policy,
        .first_seen = conversation_first_seen,
        .stopping = conversation_stopping,
        .state = conversation_state,
    };
    c->memory = malloc(session_size());
    ck_assert_ptr_nonnull(c->memory);
    memset(c->memory, 0xA5, session_size()); /* as another session may have left it */
    return c;
}

/* One packet of input. */
static inline void conversation_send(struct conversation *c, const void *bytes, size_t n)
{
    ck_assert_int_eq(send(c->client, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
}

/* The text `times` times, in as few packets as that takes: the pair holds some 200 of them. */
static inline void conversation_send_many(struct conversation *c, const char *text, int times)
{
    char bytes[8192];
    size_t n = strlen(text), have = 0;

    for (int i = 0; i < times; i++) {
        memcpy(bytes + have, text, n);
        have += n;
        if (have + n > sizeof bytes || i == times - 1) {
            conversation_send(c, bytes, have);
            have = 0;
        }
    }
}

/* The client has nothing more to say. */
static inline void conversation_hang_up(struct conversation *c)
{
    ck_assert_int_eq(shutdown(c->client, SHUT_WR), 0);
}

/* Runs the session on what was sent, and collects replies and log. */
static inline void conversation_run(struct conversation *c)
{
    size_t have = 0;
    ssize_t n;

    c->end = session_run(c->memory, &c->env, &c->wire, &c->totals);
    close(c->wire.in);
    while ((n = recv(c->client, c->replies + have, sizeof c->replies - 1 - have, 0)) > 0) {
        have += (size_t)n;
        c->writes++;
    }
    c->replies[have] = '\0';
    log_flush();
    n = read(c->events, c->log, sizeof c->log - 1);
    c->log[n > 0 ? n : 0] = '\0';
}

/* The whole of it for input in pieces of `piece` bytes. */
static inline struct conversation *conversation_play(enum mode mode, const char *in,
                                                     size_t piece)
{
    struct conversation *c = conversation_in(mode);
    size_t n = strlen(in);

    for (size_t at = 0; at < n; at += piece) {
        conversation_send(c, in + at, at + piece < n ? piece : n - at);
    }
    conversation_hang_up(c);
    conversation_run(c);
    return c;
}

/* How many log lines hold the text. */
static inline int conversation_logged(const struct conversation *c, const char *text)
{
    int lines = 0;

    for (const char *line = c->log; *line != '\0';) {
        const char *end = strchr(line, '\n');
        const char *found = strstr(line, text);

        lines += found != NULL && found < end;
        line = end + 1;
    }
    return lines;
}

static inline void conversation_over(struct conversation *c)
{
    log_open(-1);
    close(c->client);
    close(c->events);
    free(c->memory);
    free(c);
}

#endif

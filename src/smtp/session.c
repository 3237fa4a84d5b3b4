/* The course of a session: greet, then work off what has come and wait for more, until it is
   over. One read takes all that there is, and one write answers all of it. */
#include "smtp/session.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#include "smtp/mail.h"
#include "smtp/record.h"
#include "smtp/talk.h"
#include "smtp/verbs.h"

size_t session_size(void)
{
    return sizeof(struct session);
}

static void start(struct session *s, const struct session_env *env, const struct wire *wire)
{
    memset(s, 0, offsetof(struct session, farewell_bytes));
    s->env = env;
    s->wire = wire;
    s->started = clock_ms();
    s->lines = line_reader_for(env->limits->command_line);
    s->in = buf_over(s->in_bytes, sizeof s->in_bytes);
    s->out = buf_over(s->out_bytes, sizeof s->out_bytes);
}

static void greet(struct session *s)
{
    char text[REPLY_MAX / 2];
    struct buf words = buf_over(text, sizeof text - 1);

    talk_state(s, SESSION_COMMAND);
    buf_adds(&words, s->env->server_name);
    buf_adds(&words, " ESMTP Sinkhole");
    text[words.len] = '\0';
    s->refused =
        !reply_positive(talk_answer(s, talk_ask(s, STAGE_CONNECT), (struct reply){220, text}));
}

/* Does the server stop, and is this a moment to say so? */
static bool must_leave(struct session *s)
{
    enum session_stop stop = s->env->stopping(s->env->context);

    if (stop == STOP_NO || (stop == STOP_IDLE && s->mail.open)) {
        return false;
    }
    if (talk_closing(s)) {
        talk_end(s, END_421);
    } else {
        talk_depart(s, (struct reply){421, "4.3.2 Server is shutting down"}, END_SHUTDOWN);
    }
    return true;
}

static void take_message(struct session *s)
{
    const char *bytes = s->in.data + s->at;
    size_t n = body_feed(&s->mail.body, bytes, s->in.len - s->at);

    header_feed(&s->mail.header, bytes, n);
    s->at += n;
    if (s->mail.body.state == BODY_ENDED) {
        mail_take_message(s);
    }
}

/* Returns false when there is no whole line. */
static bool take_line(struct session *s)
{
    struct span line;
    size_t used;
    enum line_result result =
        line_next(&s->lines, s->in.data + s->at, s->in.len - s->at, &line, &used);

    s->at += used;
    if (result == LINE_MORE) {
        return false;
    }
    s->deadline = 0;
    if (result == LINE_LONG) {
        verbs_too_long(s);
    } else {
        verbs_obey(s, line);
    }
    return true;
}

static void work_off(struct session *s)
{
    while (!s->over && s->at < s->in.len) {
        if (s->in_data) {
            take_message(s);
        } else if (must_leave(s) || !take_line(s)) {
            break;
        }
    }
}

/* A command has its time from when we began to wait for it, however slowly its bytes come. */
static int64_t deadline_at(struct session *s, int64_t now)
{
    const struct session_limits *limits = s->env->limits;

    if (talk_closing(s)) {
        return s->until;
    }
    if (s->in_data) {
        return s->until < now + limits->data_gap_ms ? s->until : now + limits->data_gap_ms;
    }
    if (s->deadline == 0) {
        s->deadline = now + limits->command_ms;
    }
    return s->deadline;
}

/* A deadline counts even while bytes keep coming, which wire_read() would go on taking. */
static ssize_t read_before(struct session *s, int64_t now, int64_t deadline)
{
    if (deadline <= now) {
        return WIRE_TIMEOUT;
    }
    return wire_read(s->wire, s->in.data + s->in.len, buf_room(&s->in), now, deadline);
}

static void time_out(struct session *s)
{
    if (talk_closing(s)) {
        talk_end(s, END_421);
    } else {
        talk_depart(s, (struct reply){421, "4.4.2 Timeout, closing connection"}, END_TIMEOUT);
    }
}

/* A message that did not come in one piece may be one of many small ones, each sent when the
   last was acknowledged. Most come whole, and save the system call. */
static void acknowledge(struct session *s)
{
    if (s->in_data && s->mail.waits++ == 1) {
        wire_quickack(s->wire);
    }
}

static void wait_for_more(struct session *s)
{
    int64_t now = clock_ms();
    ssize_t n;

    buf_drop(&s->in, s->at);
    s->at = 0;
    acknowledge(s);
    n = read_before(s, now, deadline_at(s, now));
    if (n > 0) {
        s->in.len += (size_t)n;
        s->sum.received += (uint64_t)n;
    } else if (n == WIRE_CLOSED) {
        talk_end(s, END_CLIENT);
    } else if (n == WIRE_TIMEOUT) {
        time_out(s);
    }
}

/* Closing with unread input makes the kernel reset the connection, and the client may never see
   our last words. So: half-close, then take what still comes, for a while. */
static void drain(struct session *s)
{
    int64_t now = clock_ms();
    int64_t end = now + s->env->limits->drain_ms;

    wire_half_close(s->wire);
    s->in.len = 0;
    while (read_before(s, now, end) > 0) {
        now = clock_ms();
    }
}

/* May there be input that was not read? A client that says QUIT and nothing more has none. */
static bool needs_drain(const struct session *s)
{
    if (s->mute || s->end == END_CLIENT) {
        return false;
    }
    return s->end != END_QUIT || s->at < s->in.len;
}

static void finish(struct session *s)
{
    mail_end(s);
    talk_state(s, SESSION_CLOSING); /* before the client can know */
    talk_flush(s);
    s->sum.bare_lf = s->lines.bare_lf;
    record_session(s);
    log_flush();
    if (needs_drain(s)) {
        drain(s);
    }
}

enum session_end session_run(struct session *memory, const struct session_env *env,
                             struct wire *wire, struct session_totals *totals)
{
    struct session *s = memory;

    start(s, env, wire);
    greet(s);
    while (!s->over) {
        work_off(s);
        if (!s->over && !must_leave(s)) {
            talk_flush(s);
        }
        if (!s->over) {
            wait_for_more(s);
        }
    }
    finish(s);
    *totals = s->sum;
    return s->end;
}

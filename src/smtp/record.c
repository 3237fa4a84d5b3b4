/* Log lines out of a session's memory. Whatever a client sends, no line passes its limit: lists
   of recipients go on in a further line, headers are cut. */
#include "smtp/record.h"

#include "base/clock.h"
#include "base/log.h"

#include "smtp/reply.h"
#include "smtp/talk.h"

/* Recipients go on in a further line when this one is as long as that: up to PIPE_BUF (4096) a
   line needs no lock to stay whole. */
#define PART_MAX 3072

/* What a line with headers may grow to, with room for the fields behind them. */
#define HEADERS_END (LOG_LINE_MAX - 512)

#define MESSAGE_ID_MAX 256

/* A list of recipients that is spread over lines. */
struct parts {
    const char *event;
    bool accepted_only; /* and then as plain strings */
    int64_t number;
    size_t at; /* into the roll */
};

static struct jsonout *begin(const struct session *s, const char *event)
{
    struct jsonout *j = log_event(event);

    if (j != NULL) {
        jsonout_str(j, "session", s->env->id);
        jsonout_str(j, "client", s->env->client);
        jsonout_bytes(j, "helo", s->helo, s->helo_len);
    }
    return j;
}

static void end(struct jsonout *j, const struct session *s)
{
    jsonout_str(j, "mode", s->policy.policy->name);
    jsonout_int(j, "version", (int64_t)s->policy.version);
    log_end(j);
}

static void add_recipient(struct jsonout *j, struct span address, uint16_t code)
{
    jsonout_open(j, NULL, '{');
    jsonout_bytes(j, "to", address.at, address.n);
    jsonout_int(j, "code", code);
    jsonout_close(j, '{');
}

/* Recipients from parts->at on, until the line is full. Returns true when more are left. */
static bool add_recipients(struct jsonout *j, const struct session *s, struct parts *parts)
{
    struct span address;
    uint16_t code;
    bool more = false;
    size_t at = parts->at;

    jsonout_open(j, "rcpts", '[');
    while (roll_next(&s->mail.roll, &at, &address, &code)) {
        more = !parts->accepted_only || reply_positive(code);
        if (more && j->to->len > PART_MAX) {
            break;
        }
        if (more && parts->accepted_only) {
            jsonout_bytes(j, NULL, address.at, address.n);
        } else if (more) {
            add_recipient(j, address, code);
        }
        parts->at = at;
        more = false;
    }
    jsonout_close(j, '[');
    return more;
}

/* Writes the lines that are full and returns the last one, still open; NULL without a log. */
static struct jsonout *begin_mail(const struct session *s, struct parts *parts)
{
    for (;;) {
        struct jsonout *j = begin(s, parts->event);
        bool more;

        if (j == NULL) {
            return NULL;
        }
        jsonout_bytes(j, "from", s->mail.from, s->mail.from_len);
        more = add_recipients(j, s, parts);
        if (more || parts->number > 0) {
            jsonout_int(j, "part", ++parts->number);
        }
        if (!more) {
            return j;
        }
        jsonout_bool(j, "more", true);
        end(j, s);
    }
}

static void add_message(struct jsonout *j, const struct session *s)
{
    struct span id;

    if (header_find(&s->mail.header, "message-id", &id)) {
        jsonout_bytes(j, "message_id", id.at, id.n < MESSAGE_ID_MAX ? id.n : MESSAGE_ID_MAX);
    }
    jsonout_int(j, "bytes", (int64_t)s->mail.body.bytes);
}

void record_attempt(const struct session *s)
{
    struct parts parts = {.event = "attempt"};
    struct jsonout *j = begin_mail(s, &parts);

    if (j == NULL) {
        return;
    }
    if (s->mail.roll.unlisted > 0) {
        jsonout_int(j, "unlisted", (int64_t)s->mail.roll.unlisted);
    }
    if (s->mail.code != 0) {
        jsonout_int(j, "code", s->mail.code);
    }
    if (s->mail.has_data) {
        add_message(j, s);
    }
    end(j, s);
}

/* One header as [name, value]; taken back, with false, when the line has no room for it. */
static bool add_header(struct jsonout *j, struct span name, struct span value)
{
    const struct jsonout before = *j;
    size_t length = j->to->len;

    jsonout_open(j, NULL, '[');
    jsonout_bytes(j, NULL, name.at, name.n);
    jsonout_bytes(j, NULL, value.at, value.n);
    jsonout_close(j, '[');
    if (!j->overflow && j->to->len <= HEADERS_END) {
        return true;
    }
    *j = before;
    j->to->len = length;
    return false;
}

static void add_headers(struct jsonout *j, const struct session *s)
{
    struct span name, value;
    size_t at = 0;
    bool cut = s->mail.header.truncated;

    jsonout_open(j, "headers", '[');
    while (header_next(&s->mail.header, &at, &name, &value)) {
        if (!add_header(j, name, value)) {
            cut = true;
            break;
        }
    }
    jsonout_close(j, '[');
    if (cut) {
        jsonout_bool(j, "headers_truncated", true);
    }
}

void record_accepted(const struct session *s)
{
    struct parts parts = {.event = "accepted", .accepted_only = true};
    struct jsonout *j = begin_mail(s, &parts);

    if (j != NULL) {
        add_message(j, s);
        add_headers(j, s);
        end(j, s);
    }
    log_flush();
}

static const char *end_name(enum session_end end)
{
    static const char *const names[] = {
        [END_QUIT] = "quit",       [END_CLIENT] = "client",     [END_421] = "421",
        [END_TIMEOUT] = "timeout", [END_SHUTDOWN] = "shutdown", [END_ABUSE] = "abuse",
    };

    return names[end];
}

void record_session(const struct session *s)
{
    const struct session_totals *sum = &s->sum;
    struct jsonout *j = s->sum.received > 0 ? begin(s, "session") : NULL;

    if (j == NULL) {
        return;
    }
    jsonout_int(j, "commands", (int64_t)sum->commands);
    jsonout_int(j, "recipients", (int64_t)sum->recipients);
    jsonout_int(j, "accepted", (int64_t)sum->accepted);
    jsonout_int(j, "deferred", (int64_t)sum->deferred);
    jsonout_int(j, "rejected", (int64_t)sum->rejected);
    jsonout_int(j, "messages", (int64_t)sum->messages);
    jsonout_int(j, "bytes", (int64_t)sum->bytes);
    if (sum->bare_lf > 0) {
        jsonout_int(j, "bare_lf", (int64_t)sum->bare_lf);
    }
    jsonout_str(j, "end", end_name(s->end));
    jsonout_int(j, "ms", clock_ms() - s->started);
    end(j, s);
}

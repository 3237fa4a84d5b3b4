/* The report for programs. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonout.h"
#include "base/log.h"
#include "report/show.h"
#include "report/tally.h"

/* The longest piece between two flushes is one attempt: its texts come from a log line. */
#define PIECE_MAX (8 * LOG_LINE_MAX)

struct writer {
    struct jsonout json;
    struct buf buf;
    FILE *out;
    char bytes[PIECE_MAX];
};

/* jsonout writes into a buffer; a report may be far larger than any. */
static void flush(struct writer *w)
{
    fwrite(w->buf.data, 1, w->buf.len, w->out);
    w->buf.len = 0;
}

static void add_time(struct jsonout *j, const char *key, int64_t at_ms)
{
    char text[CLOCK_TEXT_SIZE];

    clock_text(at_ms, text);
    jsonout_str(j, key, text);
}

static void add_attempt(struct writer *w, const struct attempt *a)
{
    enum answer answer = attempt_answer(a);
    struct jsonout *j = &w->json;

    jsonout_open(j, NULL, '{');
    add_time(j, "time", a->at_ms);
    jsonout_str(j, "session", a->session);
    jsonout_str(j, "client", a->client);
    jsonout_str(j, "helo", a->helo);
    if (answer == ANSWER_CUT) {
        jsonout_null(j, "code");
    } else {
        jsonout_int(j, "code", a->code);
    }
    jsonout_str(j, "answer", answer_name(answer));
    jsonout_str(j, "mode", a->mode);
    jsonout_int(j, "version", a->version);
    jsonout_close(j, '{');
    flush(w);
}

static void add_message(struct writer *w, const struct ledger *ledger, const struct message *m)
{
    struct jsonout *j = &w->json;

    jsonout_open(j, NULL, '{');
    if (m->message_id != NULL) {
        jsonout_str(j, "message_id", m->message_id);
    } else {
        jsonout_null(j, "message_id");
    }
    jsonout_str(j, "from", m->from);
    jsonout_str(j, "to", m->to);
    jsonout_str(j, "state", state_name(m->state));
    jsonout_open(j, "attempts", '[');
    for (size_t i = 0; i < m->count; i++) {
        add_attempt(w, &ledger->attempts[m->first + i]);
    }
    jsonout_close(j, '[');
    jsonout_close(j, '{');
    flush(w);
}

static void add_messages(struct writer *w, const struct ledger *ledger)
{
    jsonout_open(&w->json, "messages", '[');
    for (size_t i = 0; i < ledger->message_count; i++) {
        add_message(w, ledger, &ledger->messages[i]);
    }
    jsonout_close(&w->json, '[');
    jsonout_open(&w->json, "lost", '[');
    for (size_t i = 0; i < ledger->lost_count; i++) {
        jsonout_str(&w->json, NULL, ledger->lost[i]);
        flush(w);
    }
    jsonout_close(&w->json, '[');
}

static void add_intervals(struct writer *w, const struct ledger *ledger)
{
    struct interval intervals[INTERVALS];
    struct jsonout *j = &w->json;

    tally_intervals(ledger, intervals);
    jsonout_open(j, "intervals", '[');
    for (size_t i = 0; i < INTERVALS; i++) {
        jsonout_open(j, NULL, '{');
        if (intervals[i].below_ms != INT64_MAX) {
            jsonout_int(j, "below_ms", intervals[i].below_ms);
        } else {
            jsonout_null(j, "below_ms");
        }
        jsonout_int(j, "count", (int64_t)intervals[i].count);
        jsonout_close(j, '{');
    }
    jsonout_close(j, '[');
}

static void add_clients(struct writer *w, const struct ledger *ledger)
{
    struct client *clients;
    size_t count = tally_clients(ledger, &clients);
    struct jsonout *j = &w->json;

    jsonout_open(j, "clients", '[');
    for (size_t i = 0; i < count; i++) {
        jsonout_open(j, NULL, '{');
        jsonout_str(j, "client", clients[i].address);
        jsonout_str(j, "helo", clients[i].helo);
        for (int k = 0; k < ANSWERS; k++) {
            jsonout_int(j, answer_name((enum answer)k), (int64_t)clients[i].answers[k]);
        }
        jsonout_close(j, '{');
        flush(w);
    }
    jsonout_close(j, '[');
    free(clients);
}

static void add_totals(struct writer *w, const struct ledger *ledger)
{
    static const struct {
        const char *key;
        enum state state;
    } totals[] = {
        {"accepted_once", STATE_ONCE},
        {"pending", STATE_PENDING},
        {"duplicated", STATE_DUPLICATED},
        {"bounced", STATE_BOUNCED},
    };
    struct jsonout *j = &w->json;

    jsonout_open(j, "totals", '{');
    jsonout_int(j, "attempts", (int64_t)ledger->attempt_count);
    for (size_t i = 0; i < sizeof totals / sizeof totals[0]; i++) {
        jsonout_int(j, totals[i].key, (int64_t)ledger->total[totals[i].state]);
    }
    if (ledger->expecting) {
        jsonout_int(j, "lost", (int64_t)ledger->lost_count);
    }
    jsonout_int(j, "lines_not_understood", (int64_t)ledger->strange);
    jsonout_close(j, '{');
    jsonout_bool(j, "proven", ledger_proven(ledger));
}

void show_json(const struct ledger *ledger, FILE *out)
{
    struct writer *w = pool_grow(NULL, 1, sizeof *w);

    w->out = out;
    w->buf = buf_over(w->bytes, sizeof w->bytes);
    w->json = jsonout_to(&w->buf);
    jsonout_open(&w->json, NULL, '{');
    add_messages(w, ledger);
    add_clients(w, ledger);
    add_intervals(w, ledger);
    add_totals(w, ledger);
    jsonout_close(&w->json, '{');
    flush(w);
    fputc('\n', out);
    free(w);
}

/* The report for people. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "report/show.h"
#include "report/tally.h"

#define WAITED_SIZE 32
#define BAR_MAX     40

/* "2026-01-02 03:04:05.678" */
static const char *time_text(int64_t at_ms, char out[CLOCK_TEXT_SIZE])
{
    clock_text(at_ms, out);
    out[10] = ' ';
    out[CLOCK_TEXT_SIZE - 2] = '\0';
    return out;
}

/* "+12 min", or nothing for the first attempt. */
static const char *waited_text(const struct attempt *a, size_t nth, char out[WAITED_SIZE])
{
    out[0] = '\0';
    if (nth > 0) {
        int64_t ms = a->at_ms - (a - 1)->at_ms;

        out[0] = '+';
        if (ms < 10000) {
            snprintf(out + 1, WAITED_SIZE - 1, "%" PRId64 ".%" PRId64 " s", ms / 1000,
                     ms % 1000 / 100);
        } else {
            format_duration(ms, out + 1, WAITED_SIZE - 1);
        }
    }
    return out;
}

static void show_attempt(const struct attempt *a, size_t nth, FILE *out)
{
    char when[CLOCK_TEXT_SIZE], waited[WAITED_SIZE], code[12] = "-";
    enum answer answer = attempt_answer(a);

    if (answer != ANSWER_CUT) {
        snprintf(code, sizeof code, "%d", a->code);
    }
    fprintf(out, "    %s  %-10s  %3s %-8s  %-15s %s  %s", time_text(a->at_ms, when),
            waited_text(a, nth, waited), code, answer_name(answer), a->client, a->helo,
            a->mode);
    fprintf(out, a->version > 0 ? " (version %" PRId64 ")\n" : "\n", a->version);
}

static void show_message(const struct ledger *ledger, const struct message *m, FILE *out)
{
    const char *id = m->message_id != NULL ? m->message_id : "(no Message-ID seen)";

    if (m->state == STATE_SHARED) {
        id = "(one of the messages of this envelope)";
    }
    fprintf(out, "%s  <%s> to <%s>  %s, %zu attempt%s\n", id, m->from, m->to,
            state_name(m->state), m->count, m->count == 1 ? "" : "s");
    for (size_t i = 0; i < m->count; i++) {
        show_attempt(&ledger->attempts[m->first + i], i, out);
    }
}

static void show_intervals(const struct ledger *ledger, FILE *out)
{
    struct interval intervals[INTERVALS];
    size_t most = 0;

    tally_intervals(ledger, intervals);
    for (size_t i = 0; i < INTERVALS; i++) {
        most = intervals[i].count > most ? intervals[i].count : most;
    }
    if (most == 0) {
        return;
    }
    fputs("\nretried after\n", out);
    for (size_t i = 0; i < INTERVALS; i++) {
        int bar = (int)((intervals[i].count * BAR_MAX + most - 1) / most);

        fprintf(out, "    %-16s %6zu%s%.*s\n", intervals[i].name, intervals[i].count,
                bar > 0 ? "  " : "", bar, "########################################");
    }
}

static void show_clients(const struct ledger *ledger, FILE *out)
{
    struct client *clients;
    size_t count = tally_clients(ledger, &clients);

    fputs("\nclient                                            accepted  deferred   refused   "
          "    cut\n",
          out);
    for (size_t i = 0; i < count; i++) {
        const struct client *c = &clients[i];

        fprintf(out, "%-15s %-32s", c->address, c->helo);
        for (size_t k = 0; k < ANSWERS; k++) {
            fprintf(out, "%10zu", c->answers[k]);
        }
        fputc('\n', out);
    }
    free(clients);
}

static void show_verdict(const struct ledger *ledger, FILE *out)
{
    const size_t *total = ledger->total;

    fprintf(out, "%zu accepted once", total[STATE_ONCE]);
    if (ledger->expecting) {
        fprintf(out, ", %zu lost", ledger->lost_count);
    }
    if (!ledger->expecting || total[STATE_PENDING] > 0) {
        fprintf(out, ", %zu pending", total[STATE_PENDING]);
    }
    fprintf(out, ", %zu duplicated", total[STATE_DUPLICATED]);
    if (total[STATE_BOUNCED] > 0) {
        fprintf(out, ", %zu bounced", total[STATE_BOUNCED]);
    }
    fputc('\n', out);
}

void show_text(const struct ledger *ledger, FILE *out)
{
    char first[CLOCK_TEXT_SIZE], last[CLOCK_TEXT_SIZE];
    int64_t first_ms, last_ms;

    if (ledger->attempt_count == 0) {
        fputs("no delivery attempt in these lines\n", out);
        return;
    }
    for (size_t i = 0; i < ledger->message_count; i++) {
        show_message(ledger, &ledger->messages[i], out);
    }
    for (size_t i = 0; i < ledger->lost_count; i++) {
        fprintf(out, "%s  lost: never accepted\n", ledger->lost[i]);
    }
    show_intervals(ledger, out);
    show_clients(ledger, out);
    tally_span(ledger, &first_ms, &last_ms);
    fprintf(out, "\n%zu attempts from %s to %s UTC\n", ledger->attempt_count,
            time_text(first_ms, first), time_text(last_ms, last));
    show_verdict(ledger, out);
}

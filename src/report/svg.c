/* The report as a picture: time runs to the right, each message has a row, each attempt a
   mark. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "report/show.h"
#include "report/tally.h"

#define WIDTH       1000
#define LEFT        60
#define LEFT_NAMED  260 /* with the messages' names */
#define RIGHT       30
#define TOP         112
#define BOTTOM      44
#define ROWS_PX     560.0
#define ROW_MIN     1.2
#define ROW_MAX     22.0
#define NAMED_MAX   40 /* more rows have no room for names */
#define SHAPES      4
#define LEGEND_Y    54
#define LEGEND_STEP 20
#define TICKS       8

static const char *const colours[ANSWERS] = {
    [ANSWER_ACCEPTED] = "#1a7f37",
    [ANSWER_DEFERRED] = "#d4a017",
    [ANSWER_REFUSED] = "#cf222e",
    [ANSWER_CUT] = "#6e7781",
};

struct canvas {
    FILE *out;
    int64_t from_ms, span_ms;
    double left, row, height;
    struct client *clients; /* a client's place among them is the shape of its marks */
    size_t client_count;
};

/* One character beyond ASCII; U+FFFD for what is none, or none that XML 1.0 knows (U+FFFE and
   U+FFFF). Returns how many bytes it took. */
static size_t put_wide(FILE *out, const char *text)
{
    size_t n = bytes_utf8((const unsigned char *)text, strlen(text));

    if (n == 0 || strncmp(text, "\xEF\xBF\xBE", 3) == 0 ||
        strncmp(text, "\xEF\xBF\xBF", 3) == 0) {
        fputs("\xEF\xBF\xBD", out);
    } else {
        fwrite(text, 1, n, out);
    }
    return n > 0 ? n : 1;
}

/* Text between tags or in an attribute. */
static void put_text(FILE *out, const char *text)
{
    while (*text != '\0') {
        if ((unsigned char)*text >= 0x80) {
            text += put_wide(out, text);
            continue;
        }
        switch (*text) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            /* XML 1.0 knows no other control characters */
            fputc(*text < ' ' ? ' ' : *text, out);
        }
        text++;
    }
}

static double x_of(const struct canvas *c, int64_t at_ms)
{
    double share = (double)(at_ms - c->from_ms) / (double)c->span_ms;

    return c->left + share * (WIDTH - c->left - RIGHT);
}

static double y_of(const struct canvas *c, size_t row)
{
    return TOP + ((double)row + 0.5) * c->row;
}

/* One mark around x, y. */
static void put_shape(FILE *out, size_t shape, double x, double y, double r, const char *colour)
{
    switch (shape % SHAPES) {
    case 0:
        fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"", x, y, r);
        break;
    case 1:
        fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"", x - r, y - r,
                2 * r, 2 * r);
        break;
    case 2:
        fprintf(out, "<path d=\"M%.1f %.1fl%.1f %.1fl%.1f %.1fl%.1f %.1fz\"", x, y - 1.3 * r,
                1.3 * r, 1.3 * r, -1.3 * r, 1.3 * r, -1.3 * r, -1.3 * r);
        break;
    default:
        fprintf(out, "<path d=\"M%.1f %.1fl%.1f %.1fh%.1fz\"", x, y - 1.2 * r, 1.2 * r, 2.2 * r,
                -2.4 * r);
    }
    fprintf(out, " fill=\"%s\"", colour);
}

static size_t shape_of(const struct canvas *c, const struct attempt *a)
{
    size_t i = 0;

    while (i < c->client_count && (strcmp(c->clients[i].address, a->client) != 0 ||
                                   strcmp(c->clients[i].helo, a->helo) != 0)) {
        i++;
    }
    return i;
}

static void put_attempt(const struct canvas *c, const struct attempt *a, double y)
{
    enum answer answer = attempt_answer(a);
    double r = c->row * 0.36 < 1.4 ? 1.4 : c->row * 0.36;
    char when[CLOCK_TEXT_SIZE];

    clock_text(a->at_ms, when);
    put_shape(c->out, shape_of(c, a), x_of(c, a->at_ms), y, r, colours[answer]);
    fputs("><title>", c->out);
    if (answer != ANSWER_CUT) {
        fprintf(c->out, "%d ", a->code);
    }
    fprintf(c->out, "%s %s ", answer_name(answer), when);
    put_text(c->out, a->client);
    fputc(' ', c->out);
    put_text(c->out, a->helo);
    fputs("</title></", c->out);
    fputs(shape_of(c, a) % SHAPES == 0   ? "circle"
          : shape_of(c, a) % SHAPES == 1 ? "rect"
                                         : "path",
          c->out);
    fputs(">\n", c->out);
}

static void put_row(const struct canvas *c, const struct ledger *ledger, size_t row)
{
    const struct message *m = &ledger->messages[row];
    const struct attempt *attempts = &ledger->attempts[m->first];
    double y = y_of(c, row);

    if (ledger->message_count <= NAMED_MAX) {
        fprintf(c->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\" dy=\".35em\">",
                c->left - 12, y);
        put_text(c->out, m->message_id != NULL ? m->message_id : m->to);
        fputs("</text>\n", c->out);
    }
    fprintf(c->out, "<path d=\"M%.1f %.1fH%.1f\" stroke=\"#d0d7de\" stroke-width=\"%.1f\"/>\n",
            x_of(c, attempts[0].at_ms), y, x_of(c, attempts[m->count - 1].at_ms),
            c->row < 4 ? 0.4 : 1.0);
    for (size_t i = 0; i < m->count; i++) {
        put_attempt(c, &attempts[i], y);
    }
}

/* A round number of milliseconds that divides the span into at most TICKS. */
static int64_t tick_ms(int64_t span_ms)
{
    static const int64_t steps[] = {
        100,    200,    500,    1000,   2000,    5000,    10000,   15000,    30000,    60000,
        120000, 300000, 600000, 900000, 1800000, 3600000, 7200000, 21600000, 43200000, 86400000,
    };
    const size_t count = sizeof steps / sizeof steps[0];

    for (size_t i = 0; i < count; i++) {
        if (span_ms / steps[i] < TICKS) {
            return steps[i];
        }
    }
    return (span_ms / TICKS / steps[count - 1] + 1) * steps[count - 1];
}

static void put_axis(const struct canvas *c)
{
    double bottom = TOP + c->height;
    int64_t step = tick_ms(c->span_ms);

    for (int64_t t = 0; t <= c->span_ms; t += step) {
        double x = x_of(c, c->from_ms + t);

        fprintf(c->out, "<path d=\"M%.1f %dV%.1f\" stroke=\"#eaeef2\"/>\n", x, TOP, bottom);
        fprintf(c->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", x, bottom + 18);
        if (step < 1000) {
            fprintf(c->out, "%" PRId64 ".%" PRId64 " s", t / 1000, t % 1000 / 100);
        } else if (step < 60000) {
            fprintf(c->out, "%" PRId64 " s", t / 1000);
        } else if (step < 3600000) {
            fprintf(c->out, "%" PRId64 " min", t / 60000);
        } else {
            fprintf(c->out, "%" PRId64 " h", t / 3600000);
        }
        fputs("</text>\n", c->out);
    }
}

/* A dashed line where the mode changed. */
static void put_changes(const struct canvas *c, const struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->change_count; i++) {
        const struct change *change = &ledger->changes[i];
        double x = x_of(c, change->at_ms);

        if (change->at_ms < c->from_ms || change->at_ms > c->from_ms + c->span_ms) {
            continue;
        }
        fprintf(c->out,
                "<path d=\"M%.1f %dV%.1f\" stroke=\"#0969da\" stroke-dasharray=\"4 3\"/>\n", x,
                TOP - 6, TOP + c->height);
        fprintf(c->out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" fill=\"#0969da\">", x,
                TOP - 12);
        put_text(c->out, change->mode);
        fputs("</text>\n", c->out);
    }
}

/* One entry: a mark and its name, in the nth of SHAPES columns. */
static void put_entry(const struct canvas *c, size_t shape, size_t nth, double y,
                      const char *colour, const char *name)
{
    double x = LEFT + (double)nth * (WIDTH - LEFT - RIGHT) / SHAPES;

    put_shape(c->out, shape, x, y, 5, colour);
    fprintf(c->out, "/><text x=\"%.1f\" y=\"%.1f\">", x + 10, y + 4);
    put_text(c->out, name);
    fputs("</text>\n", c->out);
}

/* The answers' colours, and below them the clients' shapes. */
static void put_legend(const struct canvas *c)
{
    for (size_t i = 0; i < ANSWERS; i++) {
        put_entry(c, 0, i, LEGEND_Y, colours[i], answer_name((enum answer)i));
    }
    for (size_t i = 0; i < c->client_count && i < SHAPES; i++) {
        const struct client *client = &c->clients[i];

        put_entry(c, i, i, LEGEND_Y + LEGEND_STEP, "#57606a",
                  *client->helo != '\0' ? client->helo : client->address);
    }
}

static void put_head(const struct canvas *c, const struct ledger *ledger)
{
    double height = TOP + c->height + BOTTOM;
    char when[CLOCK_TEXT_SIZE];

    clock_text(c->from_ms, when);
    fprintf(c->out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" "
            "font-family=\"sans-serif\" font-size=\"12\" fill=\"#1f2328\">\n"
            "<rect width=\"%d\" height=\"%.0f\" fill=\"#ffffff\"/>\n",
            WIDTH, height, WIDTH, height);
    fprintf(c->out, "<text x=\"%d\" y=\"32\" font-size=\"16\">%zu accepted once, ", LEFT,
            ledger->total[STATE_ONCE]);
    if (ledger->expecting) {
        fprintf(c->out, "%zu lost, ", ledger->lost_count);
    }
    fprintf(c->out, "%zu pending, %zu duplicated; %zu attempts from %s</text>\n",
            ledger->total[STATE_PENDING], ledger->total[STATE_DUPLICATED],
            ledger->attempt_count, when);
}

void show_svg(const struct ledger *ledger, FILE *out)
{
    struct canvas c = {.out = out};
    size_t rows = ledger->message_count > 0 ? ledger->message_count : 1;
    int64_t last_ms;

    tally_span(ledger, &c.from_ms, &last_ms);
    c.span_ms = last_ms > c.from_ms ? last_ms - c.from_ms : 1;
    c.left = ledger->message_count <= NAMED_MAX ? LEFT_NAMED : LEFT;
    c.row = ROWS_PX / (double)rows;
    c.row = c.row > ROW_MAX ? ROW_MAX : c.row < ROW_MIN ? ROW_MIN : c.row;
    c.height = c.row * (double)rows;
    c.client_count = tally_clients(ledger, &c.clients);
    put_head(&c, ledger);
    put_legend(&c);
    put_axis(&c);
    for (size_t i = 0; i < ledger->message_count; i++) {
        put_row(&c, ledger, i);
    }
    put_changes(&c, ledger);
    fputs("</svg>\n", out);
    free(c.clients);
}

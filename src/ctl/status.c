/* `status`: everything about a running daemon on one page. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "ctl/commands.h"
#include "ctl/print.h"
#include "ctl/view.h"

#define JSON_SIZE 16384

/* What is summed up from the whole board. */
struct sums {
    unsigned workers[SLOT_STATES];
    unsigned busy;
    uint64_t counters[COUNTERS];
};

static void sum_up(const struct board *board, struct sums *sums)
{
    *sums = (struct sums){0};
    for (size_t i = 0; i < BOARD_SLOTS; i++) {
        uint32_t state = atomic_load(&board->slots[i].state);

        if (state < SLOT_STATES && atomic_load(&board->slots[i].pid) != 0) {
            sums->workers[state]++;
            sums->busy += state > SLOT_IDLE;
        }
    }
    board_totals(board, sums->counters);
}

/* -- for people ---------------------------------------------------------------------------- */

static void print_daemon(const struct ctl *ctl, const struct view *view)
{
    const struct board_control *control = view->board.control;
    char age[AGE_SIZE];

    if (!view->running) {
        print_line("daemon", "%snot running%s; this is what was left in %s", paint(PAINT_RED),
                   paint(PAINT_NONE), ctl->run_dir);
        return;
    }
    print_line("daemon", "%s%s%s for %s, process %d", paint(PAINT_GREEN),
               atomic_load(&control->stopping) ? "stopping, was running" : "running",
               paint(PAINT_NONE), view_age(view, atomic_load(&control->started_ms), age),
               (int)atomic_load(&control->master));
    if (view->refreshing) {
        print_line("refresher", "%srunning%s, process %d", paint(PAINT_GREEN),
                   paint(PAINT_NONE), (int)atomic_load(&control->refresher));
    } else {
        print_line("refresher", "%snot running%s", paint(PAINT_RED), paint(PAINT_NONE));
    }
    for (size_t i = 0; i < BOARD_ADDRS && control->listening[i][0] != '\0'; i++) {
        print_line(i == 0 ? "listening" : "", "%.*s", BOARD_ADDR_SIZE, control->listening[i]);
    }
    print_line("greets as", "%.255s", control->server_name);
}

static void print_workers(const struct view *view, const struct sums *sums)
{
    const struct board_control *control = view->board.control;

    printf("%-10s %u of %u to %u: %u idle, %u busy", "workers",
           atomic_load(&control->workers_now), atomic_load(&control->workers_min),
           atomic_load(&control->workers_max), sums->workers[SLOT_IDLE], sums->busy);
    for (int state = SLOT_IDLE + 1; state < SLOT_STATES; state++) {
        if (sums->workers[state] > 0) {
            printf(", %u %s", sums->workers[state], slot_state_name((enum slot_state)state));
        }
    }
    putchar('\n');
    if (atomic_load(&control->worker_deaths) > 0) {
        print_line("", "%s%llu died unasked%s", paint(PAINT_RED),
                   (unsigned long long)atomic_load(&control->worker_deaths), paint(PAINT_NONE));
    }
}

/* Three counters a line. */
static void print_counters(const struct sums *sums)
{
    putchar('\n');
    for (int i = 0; i < COUNTERS; i++) {
        printf("%-12s %12llu%s", counter_name((enum counter)i),
               (unsigned long long)sums->counters[i],
               i % 3 == 2 || i == COUNTERS - 1 ? "\n" : "   ");
    }
}

static void print_status(const struct ctl *ctl, const struct view *view,
                         const struct sums *sums)
{
    uint64_t dropped = atomic_load(&view->board.control->log.dropped);

    print_daemon(ctl, view);
    view_mode_text(view);
    if (view->running) {
        print_workers(view, sums);
    }
    print_line("greylist", "%u client address%s", view->board.greylist->count,
               view->board.greylist->count == 1 ? "" : "es");
    print_line("log", "%s%llu line%s dropped%s", dropped > 0 ? paint(PAINT_RED) : "",
               (unsigned long long)dropped, dropped == 1 ? "" : "s",
               dropped > 0 ? paint(PAINT_NONE) : "");
    print_counters(sums);
}

/* -- for programs -------------------------------------------------------------------------- */

static void put_daemon(const struct view *view, struct jsonout *j)
{
    const struct board_control *control = view->board.control;

    jsonout_bool(j, "running", view->running);
    jsonout_int(j, "master", view->running ? atomic_load(&control->master) : 0);
    jsonout_int(j, "refresher", view->refreshing ? atomic_load(&control->refresher) : 0);
    jsonout_bool(j, "stopping", atomic_load(&control->stopping) != 0);
    jsonout_int(j, "up_ms", view_age_ms(view, atomic_load(&control->started_ms)));
    jsonout_int(j, "beat_ago_ms", view_age_ms(view, atomic_load(&control->beat_ms)));
    jsonout_open(j, "listening", '[');
    for (size_t i = 0; i < BOARD_ADDRS && control->listening[i][0] != '\0'; i++) {
        jsonout_bytes(j, NULL, control->listening[i],
                      strnlen(control->listening[i], BOARD_ADDR_SIZE));
    }
    jsonout_close(j, '[');
    jsonout_bytes(j, "server_name", control->server_name,
                  strnlen(control->server_name, sizeof control->server_name));
}

static void put_workers(const struct view *view, const struct sums *sums, struct jsonout *j)
{
    const struct board_control *control = view->board.control;

    jsonout_open(j, "workers", '{');
    jsonout_int(j, "now", atomic_load(&control->workers_now));
    jsonout_int(j, "min", atomic_load(&control->workers_min));
    jsonout_int(j, "max", atomic_load(&control->workers_max));
    jsonout_int(j, "deaths", (int64_t)atomic_load(&control->worker_deaths));
    jsonout_int(j, "busy", sums->busy);
    for (int state = SLOT_STARTING; state < SLOT_STATES; state++) {
        jsonout_int(j, slot_state_name((enum slot_state)state), sums->workers[state]);
    }
    jsonout_close(j, '{');
}

static void put_status(const struct view *view, const struct sums *sums, struct jsonout *j)
{
    put_daemon(view, j);
    jsonout_open(j, "mode", '{');
    view_mode_json(view, j);
    jsonout_close(j, '{');
    put_workers(view, sums, j);
    jsonout_int(j, "greylist", view->board.greylist->count);
    jsonout_int(j, "log_dropped", (int64_t)atomic_load(&view->board.control->log.dropped));
    jsonout_open(j, "counters", '{');
    for (int i = 0; i < COUNTERS; i++) {
        jsonout_int(j, counter_name((enum counter)i), (int64_t)sums->counters[i]);
    }
    jsonout_close(j, '{');
}

/* ------------------------------------------------------------------------------------------ */

static void tell_nothing(const struct ctl *ctl)
{
    if (ctl->json) {
        puts("{\"running\":false}");
    } else {
        printf("no daemon has run here: there is no board in %s\n"
               "(--run-dir or SINKHOLE_RUN_DIR name another place)\n",
               ctl->run_dir);
    }
}

static void tell(const struct ctl *ctl, const struct view *view)
{
    static char text[JSON_SIZE];
    struct buf buf = buf_over(text, sizeof text);
    struct jsonout j = jsonout_to(&buf);
    struct sums sums;

    sum_up(&view->board, &sums);
    if (!ctl->json) {
        print_status(ctl, view, &sums);
        return;
    }
    jsonout_open(&j, NULL, '{');
    put_status(view, &sums, &j);
    jsonout_close(&j, '{');
    print_json(&j);
}

static int run(const struct ctl *ctl)
{
    struct view view;
    int status;

    view_open(&view, ctl, BOARD_READ);
    status = view_trouble(&view, ctl);
    if (status != EXIT_OK) {
        return status;
    }
    if (view.attached) {
        tell(ctl, &view);
    } else {
        tell_nothing(ctl);
    }
    view_close(&view);
    return EXIT_OK;
}

const struct ctl_command ctl_status = {
    .name = "status",
    .operands = "",
    .summary = "the daemon, its mode, its workers, its counters",
    .help =
        "Shows the daemon and its refresher, where it listens, the mode with its source,\n"
        "version and age, what fails and since when, the workers by state, the greylist's\n"
        "size, log lines dropped and the counters. The manual page lists what --json has.\n",
    .takes = TAKES_JSON,
    .run = run,
};

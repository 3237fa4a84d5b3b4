/* `workers`: one line for each process of the pool. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "ctl/commands.h"
#include "ctl/print.h"
#include "ctl/view.h"

/* A slot as it stood when it was read: the owner goes on writing. */
struct row {
    size_t slot;
    pid_t pid;
    enum slot_state state;
    int64_t since_ms;
    char client[BOARD_ADDR_SIZE];
    uint64_t sessions;
};

static bool read_row(const struct view *view, size_t i, struct row *row)
{
    const struct board_slot *slot = &view->board.slots[i];

    *row = (struct row){
        .slot = i,
        .pid = atomic_load(&slot->pid),
        .state = atomic_load(&slot->state),
        .since_ms = atomic_load(&slot->since_ms),
        .sessions = atomic_load(&slot->counters.of[COUNT_SESSIONS]),
    };
    memcpy(row->client, slot->client, sizeof row->client - 1);
    return row->pid != 0 && row->state != SLOT_FREE && row->state < SLOT_STATES;
}

static bool has_client(const struct row *row)
{
    return row->state > SLOT_IDLE && row->client[0] != '\0';
}

static void print_row(const struct view *view, const struct row *row)
{
    char age[AGE_SIZE];
    bool busy = row->state > SLOT_IDLE;

    printf("%4zu  %7d  %s%-8s%s  %11s  %8llu  %s\n", row->slot, (int)row->pid,
           busy ? paint(PAINT_GREEN) : "", slot_state_name(row->state),
           busy ? paint(PAINT_NONE) : "", view_age(view, row->since_ms, age),
           (unsigned long long)row->sessions, has_client(row) ? row->client : "-");
}

static void print_row_json(const struct view *view, const struct row *row, bool comma)
{
    char text[512];
    struct buf buf = buf_over(text, sizeof text);
    struct jsonout j = jsonout_to(&buf);

    j.comma = comma;
    jsonout_open(&j, NULL, '{');
    jsonout_int(&j, "slot", (int64_t)row->slot);
    jsonout_int(&j, "pid", row->pid);
    jsonout_str(&j, "state", slot_state_name(row->state));
    jsonout_int(&j, "for_ms", view_age_ms(view, row->since_ms));
    jsonout_int(&j, "sessions", (int64_t)row->sessions);
    if (has_client(row)) {
        jsonout_str(&j, "client", row->client);
    } else {
        jsonout_null(&j, "client");
    }
    jsonout_close(&j, '{');
    fwrite(text, 1, buf.len, stdout);
}

static int run(const struct ctl *ctl)
{
    struct view view;
    struct row row;
    size_t shown = 0;

    view_open(&view, ctl, BOARD_READ);
    if (view_trouble(&view, ctl) != EXIT_OK) {
        return EXIT_SYSTEM;
    }
    fputs(ctl->json ? "[" : "", stdout);
    for (size_t i = 0; view.running && i < BOARD_SLOTS; i++) {
        if (!read_row(&view, i, &row)) {
            continue;
        }
        if (ctl->json) {
            print_row_json(&view, &row, shown > 0);
        } else {
            fputs(shown == 0 ? "slot      pid  state             for  sessions  client\n" : "",
                  stdout);
            print_row(&view, &row);
        }
        shown++;
    }
    if (ctl->json) {
        puts("]");
    } else if (shown == 0) {
        printf("no daemon runs in %s, so there are no workers\n", ctl->run_dir);
    }
    view_close(&view);
    return EXIT_OK;
}

const struct ctl_command ctl_workers = {
    .name = "workers",
    .operands = "",
    .summary = "the processes of the pool, and whom each serves",
    .help = "Lists the daemon's workers: slot on the board, process, state (starting, idle,\n"
            "command, mail, data, closing) and since when, sessions served in this slot, and\n"
            "the client.\n",
    .takes = TAKES_JSON,
    .run = run,
};

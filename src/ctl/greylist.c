/* `greylist list` and `greylist clear`. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "ctl/commands.h"
#include "ctl/print.h"
#include "ctl/view.h"

#define BATCH 256

static void print_entry(const struct view *view, const struct greylist_entry *entry)
{
    char address[46], age[AGE_SIZE];

    greylist_key_text(&entry->key, address);
    printf("%-39s  %11s  %8llu\n", address, view_age(view, entry->first_ms, age),
           (unsigned long long)entry->attempts);
}

static void print_entry_json(const struct view *view, const struct greylist_entry *entry,
                             bool comma)
{
    char text[256], address[46];
    struct buf buf = buf_over(text, sizeof text);
    struct jsonout j = jsonout_to(&buf);

    greylist_key_text(&entry->key, address);
    j.comma = comma;
    jsonout_open(&j, NULL, '{');
    jsonout_str(&j, "client", address);
    jsonout_int(&j, "first_seen_ago_ms", view_age_ms(view, entry->first_ms));
    jsonout_int(&j, "attempts", (int64_t)entry->attempts);
    jsonout_close(&j, '{');
    fwrite(text, 1, buf.len, stdout);
}

static void print_batch(const struct ctl *ctl, const struct view *view,
                        const struct greylist_entry *entries, size_t n, bool first)
{
    if (!ctl->json && first && n > 0) {
        puts("client                                    first seen  attempts");
    }
    for (size_t i = 0; i < n; i++) {
        if (ctl->json) {
            print_entry_json(view, &entries[i], !first || i > 0);
        } else {
            print_entry(view, &entries[i]);
        }
    }
}

static int list(const struct ctl *ctl, struct view *view)
{
    struct greylist_entry entries[BATCH];
    size_t from = 0, n = 0;

    fputs(ctl->json ? "[" : "", stdout);
    while (view->attached &&
           (n = greylist_copy(view->board.greylist, from, entries, BATCH)) > 0) {
        print_batch(ctl, view, entries, n, from == 0);
        from += n;
    }
    if (ctl->json) {
        puts("]");
    } else if (from == 0) {
        puts("the greylist is empty");
    }
    return EXIT_OK;
}

static int clear(const struct ctl *ctl, struct view *view)
{
    size_t n = view->attached ? greylist_clear(view->board.greylist) : 0;

    if (ctl->json) {
        printf("{\"forgotten\":%zu}\n", n);
    } else {
        printf("forgot %zu client address%s\n", n, n == 1 ? "" : "es");
    }
    return EXIT_OK;
}

static int run(const struct ctl *ctl)
{
    static const struct {
        const char *word;
        int (*run)(const struct ctl *ctl, struct view *view);
    } verbs[] = {{"list", list}, {"clear", clear}};

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        struct view view;
        int status;

        if (strcmp(ctl->operand[0], verbs[i].word) != 0) {
            continue;
        }
        view_open(&view, ctl, BOARD_WRITE); /* to copy it, too, is to take its lock */
        status = view_trouble(&view, ctl);
        if (status == EXIT_OK) {
            status = verbs[i].run(ctl, &view);
        }
        view_close(&view);
        return status;
    }
    return ctl_complain(EXIT_USAGE, "greylist %.80s: there are: list, clear", ctl->operand[0]);
}

const struct ctl_command ctl_greylist = {
    .name = "greylist",
    .operands = "list|clear",
    .summary = "the client addresses that greylist mode has seen",
    .help = "list   each client address, when it came first and how often it has asked since\n"
            "clear  forget them all: each is deferred once more\n",
    .takes = TAKES_JSON,
    .least = 1,
    .most = 1,
    .words = "list clear",
    .run = run,
};

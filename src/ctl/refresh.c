/* `refresh`: fetch the mode now, and show what came. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/helper.h"
#include "ctl/origin.h"
#include "ctl/print.h"
#include "ctl/view.h"

#define JSON_SIZE 8192

static bool attempted_since(const struct view *view, const void *wanted)
{
    return view->now.attempted_ms >= *(const int64_t *)wanted;
}

static int show(const struct ctl *ctl, const struct view *view)
{
    char text[JSON_SIZE];
    struct buf buf = buf_over(text, sizeof text);
    struct jsonout j = jsonout_to(&buf);

    if (ctl->json) {
        jsonout_open(&j, NULL, '{');
        view_mode_json(view, &j);
        jsonout_close(&j, '{');
        print_json(&j);
    } else {
        view_mode_text(view);
    }
    return view->now.failing_ms != 0 ? EXIT_SYSTEM : EXIT_OK;
}

static int ask_daemon(const struct ctl *ctl, struct view *view)
{
    int64_t asked_ms = clock_ms();
    char patience[AGE_SIZE];

    if (!ask_refresh(view)) {
        return ctl_complain(EXIT_SYSTEM, "the refresher cannot be signalled: %s (%s)",
                            strerror(errno),
                            errno == EPERM ? "be root, or the daemon's user"
                                           : "the daemon starts it again by itself");
    }
    if (!ask_wait(view, ctl->timeout_ms, attempted_since, &asked_ms)) {
        format_duration(ctl->timeout_ms, patience, sizeof patience);
        return view->running
                   ? ctl_complain(EXIT_TIMEOUT, "no answer within %s", patience)
                   : ctl_complain(EXIT_SYSTEM, "the daemon ended before the mode was fetched");
    }
    return show(ctl, view);
}

/* Without a daemon, one fetch for the board of one-shot sessions. */
static int fetch_once(const struct ctl *ctl, struct view *view)
{
    static const char *const words[] = {"--once", NULL};
    char spec[SOURCE_SPEC_SIZE], said[64]; /* the board says it better */
    int status = origin_spec(ctl, view, spec);

    if (status == EXIT_OK) {
        status = helper_run(ctl, spec, words, said, sizeof said);
    }
    view_close(view);
    view_open(view, ctl, BOARD_READ);
    if (status == EXIT_OK && view->attached) {
        status = show(ctl, view);
    }
    return status;
}

static int run(const struct ctl *ctl)
{
    struct view view;
    int status;

    view_open(&view, ctl, BOARD_READ);
    status = view_trouble(&view, ctl);
    if (status == EXIT_OK) {
        status = view.running ? ask_daemon(ctl, &view) : fetch_once(ctl, &view);
    }
    view_close(&view);
    return status;
}

const struct ctl_command ctl_refresh = {
    .name = "refresh",
    .operands = "",
    .summary = "fetch the mode now, wait for it and show it",
    .help = "Has the running daemon fetch the mode at once, waits until that has ended and\n"
            "shows the result; exit status 111 when the fetch failed. Without a daemon, one\n"
            "fetch is made for the board that one-shot sessions (sinkholed --inetd) read.\n",
    .takes = TAKES_JSON | TAKES_TIMEOUT,
    .run = run,
};

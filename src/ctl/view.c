/* Looking at the board. */
#include "ctl/view.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "ctl/print.h"
#include "mode/life.h"

/* Who has not marked the board for so long is somebody else: more than any fetch takes, and any
   round of the master. */
#define MARK_MAX_MS 60000

void view_renew(struct view *view)
{
    view->at_ms = clock_ms();
    board_read(&view->board, &view->now);
    view->running = life_of_master(&view->board, MARK_MAX_MS);
    view->refreshing = life_of_refresher(&view->board, MARK_MAX_MS);
}

void view_open(struct view *view, const struct ctl *ctl, enum board_access access)
{
    *view = (struct view){.at_ms = clock_ms()};
    view->attached = board_open(&view->board, ctl->run_dir, access, false);
    if (view->attached) {
        view_renew(view);
    } else {
        view->error = errno;
    }
}

void view_close(struct view *view)
{
    if (view->attached) {
        board_close(&view->board);
    }
}

int view_trouble(const struct view *view, const struct ctl *ctl)
{
    if (view->attached || view->error == ENOENT || view->error == ENOTDIR) {
        return EXIT_OK;
    }
    if (view->error == EPROTO) {
        return ctl_complain(EXIT_SYSTEM, "the board in %s is of another version of Sinkhole",
                            ctl->run_dir);
    }
    return ctl_complain(EXIT_SYSTEM, "the board in %s cannot be opened: %s%s", ctl->run_dir,
                        strerror(view->error),
                        view->error == EACCES ? " (be root, or the daemon's user)" : "");
}

int64_t view_age_ms(const struct view *view, int64_t then_ms)
{
    if (then_ms == 0) {
        return -1;
    }
    return view->at_ms > then_ms ? view->at_ms - then_ms : 0;
}

const char *view_age(const struct view *view, int64_t then_ms, char out[AGE_SIZE])
{
    if (then_ms == 0) {
        return "never";
    }
    format_duration(view_age_ms(view, then_ms), out, AGE_SIZE);
    return out;
}

static void print_source(const struct view *view)
{
    const struct published *now = &view->now;
    char age[AGE_SIZE], version[32] = "";

    if (now->version > 0) {
        snprintf(version, sizeof version, ", version %llu", (unsigned long long)now->version);
    }
    if (now->fetched_ms == 0) {
        print_line("source", "%s, not read yet", now->source);
    } else {
        print_line("source", "%s%s, read %s ago", now->source, version,
                   view_age(view, now->fetched_ms, age));
    }
}

void view_mode_text(const struct view *view)
{
    const struct published *now = &view->now;
    char age[AGE_SIZE];

    print_line("mode", "%s%s%s, for %s", paint(PAINT_BOLD), now->policy.name, paint(PAINT_NONE),
               now->changed_ms == 0 ? "as long as nothing has been read"
                                    : view_age(view, now->changed_ms, age));
    print_source(view);
    if (now->fetched_ms != 0 && !now->valid) {
        print_line("", "%sits value \"%s\" is no mode%s; there are: %s", paint(PAINT_RED),
                   now->value, paint(PAINT_NONE), mode_list());
    }
    if (now->failing_ms != 0) {
        print_line("", "%sfailing for %s%s: %s: %s", paint(PAINT_RED),
                   view_age(view, now->failing_ms, age), paint(PAINT_NONE), now->fault.code,
                   now->fault.text);
    }
}

/* A number that may be missing. */
static void put_age(const struct view *view, struct jsonout *j, const char *key,
                    int64_t then_ms)
{
    if (then_ms == 0) {
        jsonout_null(j, key);
    } else {
        jsonout_int(j, key, view_age_ms(view, then_ms));
    }
}

void view_mode_json(const struct view *view, struct jsonout *j)
{
    const struct published *now = &view->now;

    jsonout_str(j, "mode", now->policy.name);
    jsonout_str(j, "value", now->value);
    jsonout_bool(j, "valid", now->valid);
    jsonout_str(j, "source", now->source);
    jsonout_int(j, "version", (int64_t)now->version);
    put_age(view, j, "served_for_ms", now->changed_ms);
    put_age(view, j, "fetched_ago_ms", now->fetched_ms);
    put_age(view, j, "failing_for_ms", now->failing_ms);
    if (now->failing_ms != 0) {
        jsonout_open(j, "fault", '{');
        jsonout_str(j, "code", now->fault.code);
        jsonout_str(j, "text", now->fault.text);
        jsonout_close(j, '{');
    } else {
        jsonout_null(j, "fault");
    }
    jsonout_int(j, "ttl_ms", now->ttl_ms);
    jsonout_int(j, "fetches", (int64_t)now->fetches);
    jsonout_int(j, "failures", (int64_t)now->failures);
}

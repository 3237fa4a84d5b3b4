/* `mode`: which one is in force; `mode set`: another. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/origin.h"
#include "ctl/print.h"
#include "ctl/view.h"
#include "mode/policy.h"
#include "mode/refresher.h"

#define JSON_SIZE 8192

/* -- mode ---------------------------------------------------------------------------------- */

static void show_reading_json(const char *spec, const struct reading *reading, bool valid,
                              enum mode mode)
{
    char text[JSON_SIZE], value[BOARD_VALUE_SIZE];
    struct buf buf = buf_over(text, sizeof text);
    struct jsonout j = jsonout_to(&buf);

    refresher_show(reading, value, sizeof value);
    jsonout_open(&j, NULL, '{');
    jsonout_str(&j, "mode", mode_name(mode));
    jsonout_str(&j, "value", value);
    jsonout_bool(&j, "valid", valid);
    jsonout_str(&j, "source", spec);
    jsonout_int(&j, "version", (int64_t)reading->version);
    jsonout_bool(&j, "running", false);
    jsonout_close(&j, '{');
    print_json(&j);
}

static int tell_nowhere(const struct ctl *ctl, int status)
{
    fprintf(stderr,
            "No daemon runs here to ask (run directory %s); --mode-source names a source.\n",
            ctl->run_dir);
    return status;
}

/* No daemon to ask: what the source says is what one would serve. */
static int show_source(const struct ctl *ctl, const struct view *view)
{
    char spec[SOURCE_SPEC_SIZE];
    struct reading reading;
    enum mode mode = MODE_DEFER;
    bool valid;
    int status = origin_spec(ctl, view, spec);

    if (status == EXIT_OK) {
        status = origin_fetch(ctl, spec, &reading);
    }
    if (status != EXIT_OK) {
        return view->running ? status : tell_nowhere(ctl, status);
    }
    valid = mode_parse(reading.value, reading.length, &mode);
    if (ctl->json) {
        show_reading_json(spec, &reading, valid, mode);
        return EXIT_OK;
    }
    print_line("mode", "%s%s%s", paint(PAINT_BOLD), mode_name(mode), paint(PAINT_NONE));
    print_line("source", "%s, read now%s", spec,
               view->running ? "" : ": no daemon runs here that would serve it");
    if (!valid) {
        print_line("", "its value is no mode, so defer is served; there are: %s", mode_list());
    }
    return EXIT_OK;
}

static int show_board(const struct ctl *ctl, const struct view *view)
{
    char text[JSON_SIZE];
    struct buf buf = buf_over(text, sizeof text);
    struct jsonout j = jsonout_to(&buf);

    if (!ctl->json) {
        view_mode_text(view);
        return EXIT_OK;
    }
    jsonout_open(&j, NULL, '{');
    view_mode_json(view, &j);
    jsonout_bool(&j, "running", true);
    jsonout_close(&j, '{');
    print_json(&j);
    return EXIT_OK;
}

/* Does a running daemon read the source that this command means? */
static bool daemon_reads(const struct ctl *ctl, const struct view *view)
{
    char spec[SOURCE_SPEC_SIZE];

    return view->running && (ctl->source == NULL || (origin_spec(ctl, view, spec) == EXIT_OK &&
                                                     strcmp(spec, view->now.source) == 0));
}

static int show(const struct ctl *ctl, struct view *view)
{
    return daemon_reads(ctl, view) ? show_board(ctl, view) : show_source(ctl, view);
}

/* -- mode set ------------------------------------------------------------------------------ */

/* What has to stand on the board for the new mode to be served. */
struct wanted {
    const char *name;
    uint64_t version; /* 0: the source has none */
    int64_t since_ms; /* else a fetch not older than this has to say it */
};

static bool is_served(const struct view *view, const void *argument)
{
    const struct wanted *wanted = argument;

    if (strcmp(view->now.policy.name, wanted->name) != 0) {
        return false;
    }
    return wanted->version > 0 ? view->now.version >= wanted->version
                               : view->now.fetched_ms >= wanted->since_ms;
}

static void list_modes(FILE *to)
{
    for (int mode = 0; mode < MODE_COUNT; mode++) {
        fprintf(to, "  %-11s %s\n", mode_name((enum mode)mode), mode_summary((enum mode)mode));
    }
}

static int complain_value(const char *value)
{
    ctl_complain(EXIT_USAGE, "'%.80s' is no mode; nothing was changed. There are:", value);
    list_modes(stderr);
    return EXIT_USAGE;
}

static int wait_served(const struct ctl *ctl, struct view *view, const struct wanted *wanted,
                       int64_t started_ms)
{
    char time[AGE_SIZE];
    int64_t took_ms;

    ask_refresh(view); /* where that is not allowed, the daemon's own schedule does it */
    if (!ask_wait(view, ctl->timeout_ms, is_served, wanted)) {
        format_duration(ctl->timeout_ms, time, sizeof time);
        if (!view->running) {
            return ctl_complain(EXIT_SYSTEM, "%s is stored, but the daemon has ended",
                                wanted->name);
        }
        return ctl_complain(EXIT_TIMEOUT, "%s is stored, but after %s %s is still served%s%s",
                            wanted->name, time, view->now.policy.name,
                            view->now.failing_ms != 0 ? ": " : "",
                            view->now.failing_ms != 0 ? view->now.fault.text : "");
    }
    took_ms = clock_ms() - started_ms;
    format_duration(took_ms, time, sizeof time);
    if (ctl->json) {
        printf("{\"mode\":\"%s\",\"version\":%llu,\"served\":true,\"took_ms\":%lld}\n",
               wanted->name, (unsigned long long)view->now.version, (long long)took_ms);
    } else {
        printf("%s is served after %s\n", wanted->name, time);
    }
    return EXIT_OK;
}

static int tell_stored(const struct ctl *ctl, const char *spec, const struct wanted *wanted)
{
    if (ctl->json) {
        printf("{\"mode\":\"%s\",\"version\":%llu,\"served\":null,\"took_ms\":null}\n",
               wanted->name, (unsigned long long)wanted->version);
    } else if (wanted->version > 0) {
        printf("%s is stored in %s, version %llu\n", wanted->name, spec,
               (unsigned long long)wanted->version);
    } else {
        printf("%s is stored in %s\n", wanted->name, spec);
    }
    return EXIT_OK;
}

/* Is there somebody to wait for? Asked before anything is changed. */
static int check_wait(const struct ctl *ctl, const struct view *view)
{
    if (!ctl->wait || daemon_reads(ctl, view)) {
        return EXIT_OK;
    }
    if (view->running) {
        return ctl_complain(EXIT_USAGE,
                            "--wait: the daemon here reads %s, not %s; nothing was changed",
                            view->now.source, ctl->source);
    }
    return ctl_complain(EXIT_SYSTEM,
                        "--wait: no daemon runs here (run directory %s); nothing was changed",
                        ctl->run_dir);
}

static int set(const struct ctl *ctl, struct view *view)
{
    const char *value = ctl->operand[1];
    int64_t started_ms = clock_ms();
    struct wanted wanted;
    char spec[SOURCE_SPEC_SIZE];
    enum mode mode;
    int status;

    if (!mode_parse(value, strlen(value), &mode)) {
        return complain_value(value);
    }
    if ((status = check_wait(ctl, view)) != EXIT_OK ||
        (status = origin_spec(ctl, view, spec)) != EXIT_OK) {
        return status;
    }
    wanted = (struct wanted){.name = mode_name(mode), .since_ms = started_ms};
    status = origin_store(ctl, spec, wanted.name, &wanted.version);
    if (status != EXIT_OK) {
        return status;
    }
    return ctl->wait ? wait_served(ctl, view, &wanted, started_ms)
                     : tell_stored(ctl, spec, &wanted);
}

static int check_words(const struct ctl *ctl)
{
    const char *verb = ctl->operands > 0 ? ctl->operand[0] : "";
    enum mode mode;

    if (ctl->operands == 0 && ctl->wait) {
        return ctl_complain(EXIT_USAGE, "--wait belongs to mode set");
    }
    if (ctl->operands == 1 && strcmp(verb, "set") == 0) {
        return ctl_complain(EXIT_USAGE, "mode set: a value is missing; there are: %s",
                            mode_list());
    }
    if (ctl->operands > 0 && strcmp(verb, "set") != 0) {
        return ctl_complain(EXIT_USAGE, "mode %.80s: there are: mode, mode set %s", verb,
                            mode_parse(verb, strlen(verb), &mode) ? verb : "VALUE");
    }
    return EXIT_OK;
}

static int run(const struct ctl *ctl)
{
    struct view view;
    int status = check_words(ctl);

    if (status != EXIT_OK) {
        return status;
    }
    view_open(&view, ctl, BOARD_READ);
    status = view_trouble(&view, ctl);
    if (status == EXIT_OK) {
        status = ctl->operands == 0 ? show(ctl, &view) : set(ctl, &view);
    }
    view_close(&view);
    return status;
}

static void more_help(void)
{
    puts("\nmodes:");
    list_modes(stdout);
}

const struct ctl_command ctl_mode = {
    .name = "mode",
    .operands = "[set VALUE]",
    .summary = "the mode in force, or another one",
    .help =
        "mode            shows the mode, its source, version and age\n"
        "mode set VALUE  checks VALUE and stores it in the source: the file, or the parameter\n"
        "                in SSM (with the AWS credentials of the caller). The daemon follows\n"
        "                a file at once, a parameter within its cache time; with --wait the\n"
        "                command returns when it does, and says how long that took.\n",
    .takes = TAKES_JSON | TAKES_WAIT | TAKES_TIMEOUT,
    .more = more_help,
    .most = 2,
    .words = "set",
    .run = run,
};

/* The command line of the control tool. One table of options serves all commands; each says
   which of the optional ones it takes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/options.h"
#include "ctl/ctl.h"
#include "mode/rundir.h"

#define TIMEOUT_MS     (int64_t)60000
#define TIMEOUT_MAX_MS (int64_t)86400000
#define UNSET          (-1)

enum {
    ROW_RUN_DIR,
    ROW_SOURCE,
    ROW_HELP,
    ROW_VERSION,
    ROW_JSON,
    ROW_WAIT,
    ROW_TIMEOUT,
    ROW_SVG,
    ROW_EXPECT,
    ROWS
};

/* The options over ctl's members. Behind the first operand the environment must not be read
   again: it would win over flags that stood before. */
static void make_rows(struct ctl *ctl, bool environment, struct option_row rows[ROWS + 1])
{
    const struct option_row all[ROWS + 1] = {
        [ROW_RUN_DIR] = {"run-dir", 'd', "SINKHOLE_RUN_DIR", OPTION_TEXT, &ctl->named_dir, 0, 0,
                         "DIR", "where the daemon's board lies"},
        [ROW_SOURCE] = {"mode-source", 's', "SINKHOLE_MODE_SOURCE", OPTION_TEXT, &ctl->source,
                        0, 0, "SOURCE", "ssm:/NAME, file:/PATH or static:MODE"},
        [ROW_HELP] = {"help", 'h', NULL, OPTION_FLAG, &ctl->help, 0, 0, NULL,
                      "this text; behind a command, its own"},
        [ROW_VERSION] = {"version", 'V', NULL, OPTION_FLAG, &ctl->version, 0, 0, NULL,
                         "the version"},
        [ROW_JSON] = {"json", 'j', NULL, OPTION_FLAG, &ctl->json, 0, 0, NULL,
                      "one JSON object instead of text"},
        [ROW_WAIT] = {"wait", 'w', NULL, OPTION_FLAG, &ctl->wait, 0, 0, NULL,
                      "return when the running daemon serves the mode"},
        [ROW_TIMEOUT] = {"timeout", 't', NULL, OPTION_SECONDS, &ctl->timeout_ms, 1,
                         TIMEOUT_MAX_MS, "SECONDS", "how long to wait (60); then exit 99"},
        [ROW_SVG] = {"svg", 0, NULL, OPTION_TEXT, &ctl->svg, 0, 0, "FILE",
                     "draw the timeline there: a mark an attempt, coloured by its answer"},
        [ROW_EXPECT] = {"expect", 0, NULL, OPTION_TEXT, &ctl->expect, 0, 0, "FILE",
                        "each line's last word is a Message-ID that must have been accepted"},
    };

    memcpy(rows, all, sizeof all);
    for (size_t i = 0; !environment && i < ROWS; i++) {
        rows[i].env = NULL;
    }
}

/* Which rows a command's help shows; NULL: the program's. */
static void shown_rows(const struct ctl_command *command, struct option_row *rows)
{
    static const unsigned takes[ROWS] = {[ROW_JSON] = TAKES_JSON,
                                         [ROW_WAIT] = TAKES_WAIT,
                                         [ROW_TIMEOUT] = TAKES_TIMEOUT,
                                         [ROW_SVG] = TAKES_PROOF,
                                         [ROW_EXPECT] = TAKES_PROOF};
    size_t kept = 0;

    for (size_t i = 0; i < ROWS; i++) {
        if (takes[i] == 0 || (command != NULL && (command->takes & takes[i]) != 0)) {
            rows[kept++] = rows[i];
        }
    }
    rows[kept].name = NULL;
}

void ctl_help(const struct ctl_command *command)
{
    struct ctl ctl = {0};
    struct option_row rows[ROWS + 1];

    make_rows(&ctl, true, rows);
    shown_rows(command, rows);
    if (command != NULL) {
        printf("usage: sinkholectl %s%s%s [OPTION...]\n\n%s", command->name,
               *command->operands != '\0' ? " " : "", command->operands, command->help);
        if (command->more != NULL) {
            command->more();
        }
    } else {
        puts("usage: sinkholectl [OPTION...] COMMAND\n\n"
             "Shows a running sinkhole, and chooses the mode in which it answers.\n\n"
             "commands:");
        for (size_t i = 0; ctl_commands[i] != NULL; i++) {
            const struct ctl_command *c = ctl_commands[i];
            char left[64];

            snprintf(left, sizeof left, "%s %s", c->name, c->operands);
            printf("  %-28s %s\n", left, c->summary);
        }
        puts("\n`sinkholectl COMMAND --help` says more about each.");
    }
    puts("\noptions, before or behind the command [and the variable of the same meaning]:");
    options_help(rows);
    if (command == NULL) {
        puts("\nexit status: 0 done; 99 timed out; 100 not understood; 111 it did not work");
    }
}

int ctl_complain(int status, const char *format, ...)
{
    va_list args;

    fputs("sinkholectl: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return status;
}

static int complain_command(const char *name)
{
    char list[256] = "";

    for (size_t i = 0; ctl_commands[i] != NULL; i++) {
        strncat(list, i > 0 ? ", " : "", sizeof list - strlen(list) - 1);
        strncat(list, ctl_commands[i]->name, sizeof list - strlen(list) - 1);
    }
    if (name == NULL) {
        return ctl_complain(EXIT_USAGE, "a command is missing; there are: %s (see --help)",
                            list);
    }
    return ctl_complain(EXIT_USAGE, "'%.80s' is no command; there are: %s", name, list);
}

/* Splits argv into options, which are applied, and operands, which move to the front of argv
   behind its first word. Returns how many operands, or -1 with a line in why. */
static int sort_arguments(struct ctl *ctl, int argc, char **argv, char *why, size_t why_size)
{
    struct option_row rows[ROWS + 1];
    int kept = 0, at = 0;

    make_rows(ctl, true, rows);
    while (at < argc) {
        int next = options_read(rows, argc - at, argv + at, why, why_size);

        if (next < 0) {
            return -1;
        }
        at += next;
        if (next > 1 && strcmp(argv[at - 1], "--") == 0) {
            while (at < argc) {
                argv[++kept] = argv[at++];
            }
        } else if (at < argc) {
            argv[++kept] = argv[at];
        }
        make_rows(ctl, false, rows);
    }
    return kept;
}

/* Do operands and options fit the command? */
static int check_fit(const struct ctl *ctl)
{
    const struct ctl_command *c = ctl->command;
    const char *gap = *c->operands != '\0' ? " " : "";

    if (c->most >= 0 && ctl->operands > c->most) {
        return ctl_complain(EXIT_USAGE, "'%.80s' is too much; usage: sinkholectl %s%s%s",
                            ctl->operand[c->most], c->name, gap, c->operands);
    }
    if (ctl->operands < c->least) {
        return ctl_complain(EXIT_USAGE, "%s wants more; usage: sinkholectl %s%s%s", c->name,
                            c->name, gap, c->operands);
    }
    if (ctl->json && (c->takes & TAKES_JSON) == 0) {
        return ctl_complain(EXIT_USAGE, "%s takes no --json", c->name);
    }
    if (ctl->wait && (c->takes & TAKES_WAIT) == 0) {
        return ctl_complain(EXIT_USAGE, "%s takes no --wait", c->name);
    }
    if (ctl->timeout_ms != UNSET && (c->takes & TAKES_TIMEOUT) == 0) {
        return ctl_complain(EXIT_USAGE, "%s takes no --timeout", c->name);
    }
    if ((ctl->svg != NULL || ctl->expect != NULL) && (c->takes & TAKES_PROOF) == 0) {
        return ctl_complain(EXIT_USAGE, "%s takes no --svg and no --expect", c->name);
    }
    return CTL_GO;
}

int ctl_read(struct ctl *ctl, int argc, char **argv)
{
    char why[512];
    int operands, status;

    *ctl = (struct ctl){.timeout_ms = UNSET};
    operands = sort_arguments(ctl, argc, argv, why, sizeof why);
    if (operands < 0) {
        return ctl_complain(EXIT_USAGE, "%s", why);
    }
    if (ctl->version) {
        puts("sinkholectl " VERSION);
        return EXIT_OK;
    }
    if (operands > 0) {
        ctl->command = ctl_find(argv[1]);
    }
    if (ctl->help && (operands == 0 || ctl->command != NULL)) {
        ctl_help(ctl->command);
        return EXIT_OK;
    }
    if (ctl->command == NULL) {
        return complain_command(operands > 0 ? argv[1] : NULL);
    }
    ctl->operands = operands - 1;
    ctl->operand = argv + 2;
    status = check_fit(ctl);
    if (status == CTL_GO &&
        !rundir_find(ctl->named_dir, RUNDIR_LOOK, ctl->run_dir, why, sizeof why)) {
        status = ctl_complain(EXIT_USAGE, "%s", why);
    }
    if (ctl->timeout_ms == UNSET) {
        ctl->timeout_ms = TIMEOUT_MS;
    }
    return status;
}

int ctl_run(const struct ctl *ctl)
{
    int status = ctl->command->run(ctl);

    if (fflush(stdout) != 0 || ferror(stdout)) {
        return ctl_complain(EXIT_SYSTEM, "standard output does not take the answer");
    }
    return status;
}

/* `report`: what became of each message, out of the log lines. It needs no daemon. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ctl/commands.h"
#include "report/reader.h"
#include "report/show.h"

#define NOT_PROVEN 1

static int complain_file(const char *name)
{
    return ctl_complain(EXIT_SYSTEM, "%s: %s", name, strerror(errno));
}

static int read_file(const char *name, struct ledger *ledger)
{
    bool is_input = strcmp(name, "-") == 0;
    FILE *file = is_input ? stdin : fopen(name, "re");
    int status;

    if (file == NULL) {
        return complain_file(name);
    }
    reader_read(file, ledger);
    status = ferror(file) ? complain_file(name) : EXIT_OK;
    if (!is_input) {
        fclose(file);
    }
    return status;
}

static int read_all(const struct ctl *ctl, struct ledger *ledger)
{
    int status = ctl->operands == 0 ? read_file("-", ledger) : EXIT_OK;

    for (int i = 0; i < ctl->operands && status == EXIT_OK; i++) {
        status = read_file(ctl->operand[i], ledger);
    }
    ledger_settle(ledger);
    return status;
}

/* The last word of each line is a Message-ID. */
static int read_expected(const char *name, struct ledger *ledger)
{
    FILE *file = fopen(name, "re");
    const char **ids = NULL;
    size_t count = 0, size = 0;
    char *line = NULL;

    if (file == NULL) {
        return complain_file(name);
    }
    while (getline(&line, &size, file) > 0) {
        char *space;

        line[strcspn(line, "\r\n")] = '\0';
        space = strrchr(line, ' ');
        if (*line != '\0') {
            ids = pool_grow(ids, count + 1, sizeof *ids);
            ids[count++] = pool_text(&ledger->pool, space != NULL ? space + 1 : line);
        }
    }
    ledger_expect(ledger, ids, count);
    free(ids);
    free(line);
    fclose(file);
    return EXIT_OK;
}

static int draw(const char *name, const struct ledger *ledger)
{
    FILE *file = fopen(name, "we");
    bool good;

    if (file == NULL) {
        return complain_file(name);
    }
    show_svg(ledger, file);
    good = !ferror(file);
    good = fclose(file) == 0 && good;
    return good ? EXIT_OK : complain_file(name);
}

static int show(const struct ctl *ctl, const struct ledger *ledger)
{
    int status = ctl->svg != NULL ? draw(ctl->svg, ledger) : EXIT_OK;

    if (ctl->json) {
        show_json(ledger, stdout);
    } else {
        show_text(ledger, stdout);
    }
    if (ledger->strange > 0) {
        ctl_complain(0, "%zu line%s of the input were no log lines", ledger->strange,
                     ledger->strange == 1 ? "" : "s");
    }
    return status != EXIT_OK ? status : ledger_proven(ledger) ? EXIT_OK : NOT_PROVEN;
}

static int run(const struct ctl *ctl)
{
    struct ledger ledger = {0};
    int status = read_all(ctl, &ledger);

    if (status == EXIT_OK && ctl->expect != NULL) {
        status = read_expected(ctl->expect, &ledger);
    }
    if (status == EXIT_OK) {
        status = show(ctl, &ledger);
    }
    ledger_free(&ledger);
    return status;
}

const struct ctl_command ctl_report = {
    .name = "report",
    .operands = "[FILE...]",
    .summary = "what became of each message, out of the daemon's log lines",
    .help =
        "Reads the daemon's log lines from files or standard input (also behind a prefix, or\n"
        "as CloudWatch Logs exports them) and shows each message with its delivery attempts:\n"
        "when, from which client, how answered, by which version of the mode. The last line\n"
        "is the verdict. A deferred attempt is ascribed to a message by sender and recipient.\n"
        "\n"
        "exit status: 0 nothing is pending, duplicated or lost; 1 something is, or no attempt\n"
        "was seen\n",
    .takes = TAKES_JSON | TAKES_PROOF,
    .most = -1,
    .run = run,
};

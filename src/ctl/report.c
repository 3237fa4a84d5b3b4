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
#define BLANKS     " \t\r\n"

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

/* The last word of a line, of which blanks and the line's end are cut off; "" in an empty one.
 */
static const char *last_word(char *line)
{
    size_t n = strlen(line);

    while (n > 0 && strchr(BLANKS, line[n - 1]) != NULL) {
        line[--n] = '\0';
    }
    while (n > 0 && strchr(BLANKS, line[n - 1]) == NULL) {
        n--;
    }
    return line + n;
}

/* Adds each line's Message-ID to *ids, which is the caller's to free. Returns how many. */
static size_t read_ids(FILE *file, struct ledger *ledger, const char ***ids)
{
    size_t count = 0, size = 0;
    char *line = NULL;

    while (getline(&line, &size, file) > 0) {
        const char *id = last_word(line);

        if (*id != '\0') {
            *ids = pool_grow(*ids, count + 1, sizeof **ids);
            (*ids)[count++] = pool_text(&ledger->pool, id);
        }
    }
    free(line);
    return count;
}

/* A list that cannot be read, or that expects nothing, would prove whatever there is. */
static int read_expected(const char *name, struct ledger *ledger)
{
    FILE *file = fopen(name, "re");
    const char **ids = NULL;
    size_t count;
    int status = EXIT_OK;

    if (file == NULL) {
        return complain_file(name);
    }
    count = read_ids(file, ledger, &ids);
    if (ferror(file)) {
        status = complain_file(name);
    } else if (count == 0) {
        status =
            ctl_complain(EXIT_USAGE, "%s: it names no message that is to be expected", name);
    } else {
        ledger_expect(ledger, ids, count);
    }
    free(ids);
    fclose(file);
    return status;
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

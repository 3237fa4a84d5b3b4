/* One SMTP session on descriptor 0 with no daemon around it, as the dialogues of tests/smtp and
   the fuzzers' corpora meet it first. The mode is read from a file whenever an answer is due,
   so that a test that writes the file knows from when on it holds. Events go to standard
   output. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/options.h"
#include "mode/policy.h"
#include "smtp/session.h"

static const char *mode_file;

static struct session_policy read_policy(void *context)
{
    FILE *file = fopen(mode_file, "r");
    enum mode mode = MODE_DEFER;
    char value[64];
    size_t n = 0;

    (void)context;
    if (file != NULL) {
        n = fread(value, 1, sizeof value, file);
        fclose(file);
    }
    mode_parse(value, n, &mode);
    return (struct session_policy){.policy = mode_policy(mode), .version = 7};
}

/* A file beside the mode's remembers the client for the next connection. */
static bool first_seen(void *context)
{
    char path[4096];
    int fd;

    (void)context;
    snprintf(path, sizeof path, "%s.seen", mode_file);
    fd = open(path, O_CREAT | O_EXCL, 0600);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static enum session_stop stopping(void *context)
{
    (void)context;
    return STOP_NO;
}

static void state(void *context, enum session_state now)
{
    (void)context;
    (void)now;
}

static struct session_limits read_limits(int argc, char **argv)
{
    struct session_limits limits = {.closing_ms = 2000, .drain_ms = 2000};
    int64_t line = 2048, headers = 8192, recipients = 1000, errors = 0;
    int64_t command = 300000, gap = 180000, data = 3600000;
    const struct option_row rows[] = {
        {"max-line", 0, NULL, OPTION_NUMBER, &line, 2, SESSION_LINE_MAX, "BYTES", ""},
        {"max-headers", 0, NULL, OPTION_NUMBER, &headers, 0, SESSION_HEADER_MAX, "BYTES", ""},
        {"max-recipients", 0, NULL, OPTION_NUMBER, &recipients, 1, 1000000, "N", ""},
        {"max-errors", 0, NULL, OPTION_NUMBER, &errors, 0, 1000000, "N", ""},
        {"command-timeout", 0, NULL, OPTION_SECONDS, &command, 1, 1000000, "SECONDS", ""},
        {"data-timeout", 0, NULL, OPTION_SECONDS, &gap, 1, 1000000, "SECONDS", ""},
        {"data-total", 0, NULL, OPTION_SECONDS, &data, 1, 3600000, "SECONDS", ""},
        {.name = NULL},
    };
    char why[256];
    int operand = options_read(rows, argc, argv, why, sizeof why);

    if (operand < 0 || operand != argc - 1) {
        log_fatalx(EXIT_USAGE, "%s",
                   operand < 0 ? why : "usage: serve_session OPTION... MODE-FILE");
    }
    mode_file = argv[operand];
    limits.command_line = (size_t)line;
    limits.headers = (size_t)headers;
    limits.recipients = (size_t)recipients;
    limits.errors = (size_t)errors;
    limits.command_ms = command;
    limits.data_gap_ms = gap;
    limits.data_ms = data;
    return limits;
}

int main(int argc, char **argv)
{
    struct session_limits limits;
    struct session_env env = {
        .limits = &limits,
        .server_name = "sinkhole.cabal.internal",
        .client = "192.0.2.7",
        .id = "test-1",
        .policy = read_policy,
        .first_seen = first_seen,
        .stopping = stopping,
        .state = state,
    };
    struct wire wire = {.in = 0, .out = 0};
    struct session_totals totals;
    struct session *memory = malloc(session_size());

    log_name("serve_session");
    if (memory == NULL) {
        log_fatal(EXIT_SYSTEM, "no memory");
    }
    limits = read_limits(argc, argv);
    log_open(1);
    session_run(memory, &env, &wire, &totals);
    free(memory);
    return EXIT_OK;
}

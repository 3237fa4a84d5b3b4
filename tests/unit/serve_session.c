/* One SMTP session on descriptor 0, with no daemon around it: what the dialogues of tests/smtp
   are played against first. The mode is read from a file whenever an answer is due, so that a
   test that writes the file knows from when on it holds. Events go to standard output. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "mode/policy.h"
#include "smtp/session.h"

static struct session_limits limits = {
    .command_line = 2048,
    .headers = 8192,
    .recipients = 1000,
    .command_ms = 10000,
    .data_gap_ms = 10000,
    .data_ms = 20000,
    .closing_ms = 2000,
    .drain_ms = 2000,
};

struct surroundings {
    const char *mode_file;
    bool seen; /* by the greylist */
};

static struct session_policy read_policy(void *context)
{
    const struct surroundings *self = context;
    FILE *file = fopen(self->mode_file, "r");
    enum mode mode = MODE_DEFER;
    char value[64];
    size_t n = 0;

    if (file != NULL) {
        n = fread(value, 1, sizeof value, file);
        fclose(file);
    }
    mode_parse(value, n, &mode);
    return (struct session_policy){.policy = mode_policy(mode), .version = 7};
}

static bool first_seen(void *context)
{
    const struct surroundings *self = context;

    return !self->seen;
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

/* "recipients=2" and so on; "seen=1": the greylist knows this client. */
static void set(struct surroundings *self, const char *argument)
{
    const struct {
        const char *name;
        size_t *count;
        int64_t *ms;
    } rows[] = {
        {"command-line", &limits.command_line, NULL},
        {"headers", &limits.headers, NULL},
        {"recipients", &limits.recipients, NULL},
        {"errors", &limits.errors, NULL},
        {"command-ms", NULL, &limits.command_ms},
        {"data-gap-ms", NULL, &limits.data_gap_ms},
        {"data-ms", NULL, &limits.data_ms},
        {"closing-ms", NULL, &limits.closing_ms},
        {"drain-ms", NULL, &limits.drain_ms},
    };
    const char *equals = strchr(argument, '=');
    size_t length = equals == NULL ? 0 : (size_t)(equals - argument);
    long value = equals == NULL ? 0 : strtol(equals + 1, NULL, 10);

    if (length == 4 && memcmp(argument, "seen", 4) == 0) {
        self->seen = value != 0;
        return;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strlen(rows[i].name) == length && memcmp(rows[i].name, argument, length) == 0) {
            if (rows[i].count != NULL) {
                *rows[i].count = (size_t)value;
            } else {
                *rows[i].ms = value;
            }
            return;
        }
    }
    log_fatalx(EXIT_USAGE, "%s: no such limit", argument);
}

int main(int argc, char **argv)
{
    struct surroundings self = {.mode_file = argc > 1 ? argv[1] : ""};
    struct session_env env = {
        .limits = &limits,
        .server_name = "sinkhole.cabal.internal",
        .client = "192.0.2.7",
        .id = "test-1",
        .context = &self,
        .policy = read_policy,
        .first_seen = first_seen,
        .stopping = stopping,
        .state = state,
    };
    struct wire wire = {.in = 0, .out = 0};
    struct session_totals totals;
    struct session *memory = malloc(session_size());

    log_name("serve_session");
    if (argc < 2 || memory == NULL) {
        log_fatalx(EXIT_USAGE, "usage: serve_session MODE_FILE [LIMIT=NUMBER]...");
    }
    for (int i = 2; i < argc; i++) {
        set(&self, argv[i]);
    }
    log_open(1);
    session_run(memory, &env, &wire, &totals);
    free(memory);
    return EXIT_OK;
}

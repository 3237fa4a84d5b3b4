/* The daemon's options: one table, then the checks that need more than one value. */
#include "server/settings.h"

#include <ctype.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/parse.h"
#include "mode/policy.h"
#include "mode/schedule.h"
#include "server/sandbox.h"

#define HOUR_MS 3600000
#define DAY_MS  (24 * HOUR_MS)

/* What the table fills before it is checked. */
struct raw {
    bool help, version, allow_root, no_sandbox;
    const char *run_dir, *mode_source, *mode_param, *workers, *user;
    int64_t line, headers, recipients, errors;
};

static void print_help(const struct option_row *rows)
{
    puts("usage: sinkholed [OPTION]...\n"
         "\n"
         "An SMTP server that fails on demand: it defers, bounces, accepts or greylists, as "
         "the\n"
         "mode says that it reads from a file or from SSM Parameter Store while it runs.\n"
         "\n"
         "Options, each with the variable that it wins over:");
    options_help(rows);
    puts("\nExit codes: 0 stopped, 100 usage or configuration, 111 a system call failed.\n"
         "See sinkholed(8), sinkholectl(1).");
}

static __attribute__((format(printf, 3, 4))) bool fail(char *why, size_t size,
                                                       const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why, size, format, args);
    va_end(args);
    return false;
}

/* "prod", "Production", "prod-eu": the tier must never run there. */
static bool looks_like_prod(const char *name)
{
    return strncasecmp(name, "prod", 4) == 0;
}

/* The greeting's name goes into replies: a domain or an address literal (RFC 5321 4.1.2). */
static bool is_domain(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n > 255) {
        return false;
    }
    for (const char *p = name; *p != '\0'; p++) {
        if (!isalnum((unsigned char)*p) && strchr(".-_[]:", *p) == NULL) {
            return false;
        }
    }
    return true;
}

/* "UID" or "UID:GID". */
static bool read_ids(struct settings *settings, const char *text)
{
    const char *colon = strchr(text, ':');
    size_t n = colon != NULL ? (size_t)(colon - text) : strlen(text);
    int64_t uid, gid;
    char number[32];

    if (n >= sizeof number) {
        return false;
    }
    memcpy(number, text, n);
    number[n] = '\0';
    if (!parse_number(number, 0, UINT32_MAX - 1, &uid)) {
        return false;
    }
    gid = uid;
    if (colon != NULL && !parse_number(colon + 1, 0, UINT32_MAX - 1, &gid)) {
        return false;
    }
    settings->uid = (uid_t)uid;
    settings->gid = (gid_t)gid;
    return true;
}

/* Numbers first: names cost a look into the system's data bases. */
static bool find_user(struct settings *settings, const char *name)
{
    const struct passwd *entry;

    if (read_ids(settings, name)) {
        return true;
    }
    entry = getpwnam(name);
    if (entry != NULL) {
        settings->uid = entry->pw_uid;
        settings->gid = entry->pw_gid;
    }
    return entry != NULL;
}

/* Who serves: whoever started us; or, started by root, --user. */
static bool choose_user(struct settings *settings, const struct raw *raw, char *why,
                        size_t size)
{
    const char *user = raw->user != NULL ? raw->user : "nobody";

    settings->uid = geteuid();
    settings->gid = getegid();
    if (settings->uid != 0 || (raw->allow_root && raw->user == NULL)) {
        return true;
    }
    if (!find_user(settings, user)) {
        return fail(why, size,
                    "--user: there is no user '%.80s'; it takes NAME, UID or UID:GID", user);
    }
    settings->drop = true;
    if (settings->uid == 0) {
        return fail(why, size, "--user %.80s: serving as root wants --allow-root instead",
                    user);
    }
    return true;
}

/* A wrong source would only come out later, in the refresher: say it now. */
static bool choose_source(struct settings *settings, const struct raw *raw, char *why,
                          size_t size)
{
    char *spec = settings->mode_source;
    struct source_fault fault;
    enum mode mode;

    if (!source_spec(raw->mode_source, raw->mode_param, settings->run_dir, spec, &fault)) {
        return fail(why, size, "--mode-source: %s", fault.text);
    }
    if (strncmp(spec, "ssm:/", 5) == 0 || strncmp(spec, "file:/", 6) == 0) {
        return true;
    }
    if (strncmp(spec, "static:", 7) != 0) {
        return fail(why, size,
                    "--mode-source: '%.200s' is not accepted; it takes static:MODE, file:/PATH "
                    "or ssm:/NAME",
                    spec);
    }
    if (!mode_parse(spec + 7, strlen(spec + 7), &mode)) {
        return fail(why, size, "--mode-source: '%.200s' names no mode; there are %s", spec,
                    mode_list());
    }
    return true;
}

static bool check(struct settings *settings, const struct raw *raw, char *why, size_t size)
{
    if (looks_like_prod(settings->environment)) {
        return fail(why, size,
                    "SINKHOLE_ENVIRONMENT is '%.80s': the sinkhole must never run in prod",
                    settings->environment);
    }
    if (!is_domain(settings->server_name)) {
        return fail(why, size, "--server-name: '%.80s' is not accepted; it takes a domain name",
                    settings->server_name);
    }
    if (!parse_range(raw->workers, 1, SETTINGS_WORKERS_MAX, &settings->workers_min,
                     &settings->workers_max)) {
        return fail(
            why, size,
            "--workers: '%.80s' is not accepted; it takes N or MIN..MAX, from 1 to 4096",
            raw->workers);
    }
    settings->sandbox = !raw->no_sandbox && sandbox_built();
    settings->limits.command_line = (size_t)raw->line;
    settings->limits.headers = (size_t)raw->headers;
    settings->limits.recipients = (size_t)raw->recipients;
    settings->limits.errors = (size_t)raw->errors;
    settings->quiet_ms = settings->limits.command_ms < settings->limits.data_gap_ms
                             ? settings->limits.command_ms
                             : settings->limits.data_gap_ms;
    return rundir_find(raw->run_dir, RUNDIR_SERVE, settings->run_dir, why, size) &&
           choose_user(settings, raw, why, size) && choose_source(settings, raw, why, size);
}

static const struct settings defaults = {
    .bind_host = "",
    .bind_port = 25,
    .listen_fd = -1,
    .server_name = "sinkhole.cabal.internal",
    .environment = "",
    .cache_ttl_ms = 30000,
    .greylist_window_ms = 1800000,
    .drain_ms = 20000,
    .notify_fd = -1,
    .log_to = "",
    .limits = {.command_ms = 300000,
               .data_gap_ms = 180000,
               .data_ms = HOUR_MS,
               .closing_ms = 2000,
               .drain_ms = 2000},
};

static bool take_options(const struct option_row *rows, const struct raw *raw, int argc,
                         char **argv, char *why, size_t size)
{
    int operand = options_read(rows, argc, argv, why, size);

    if (operand < 0) {
        return false;
    }
    if (raw->help || raw->version) {
        raw->help ? print_help(rows) : (void)puts("sinkholed " VERSION);
        exit(0);
    }
    return operand == argc ||
           fail(why, size, "'%.80s': there are no operands; --help lists the options",
                argv[operand]);
}

bool settings_read(struct settings *settings, int argc, char **argv, char *why, size_t size)
{
    struct raw raw = {.workers = "8..256", .line = 2048, .headers = 8192, .recipients = 1000};
    struct settings *s = settings;
    const struct option_row rows[] = {
        {"bind-host", 0, "SINKHOLE_BIND_HOST", OPTION_TEXT, &s->bind_host, 0, 0,
         "ADDRESS[,...]", "listen there; default: all addresses, v4 and v6"},
        {"bind-port", 'p', "SINKHOLE_BIND_PORT", OPTION_NUMBER, &s->bind_port, 0, 65535, "PORT",
         "default 25; 0: any free one"},
        {"mode-source", 0, "SINKHOLE_MODE_SOURCE", OPTION_TEXT, &raw.mode_source, 0, 0,
         "SOURCE", "ssm:/NAME, file:/PATH or static:MODE; default file:RUN-DIR/mode"},
        {"mode-param", 0, "SINKHOLE_MODE_PARAM", OPTION_TEXT, &raw.mode_param, 0, 0, "NAME",
         "the SSM parameter; makes ssm the default source"},
        {"cache-ttl", 0, "SINKHOLE_CACHE_TTL", OPTION_SECONDS, &s->cache_ttl_ms,
         SCHEDULE_TTL_MIN_MS, SCHEDULE_TTL_MAX_MS, "SECONDS",
         "a fetched mode stays fresh so long; default 30"},
        {"greylist-window", 0, "SINKHOLE_GREYLIST_WINDOW", OPTION_SECONDS,
         &s->greylist_window_ms, 1, 30 * (int64_t)DAY_MS, "SECONDS",
         "an address is known so long; default 1800"},
        {"server-name", 0, "SINKHOLE_SERVER_NAME", OPTION_TEXT, &s->server_name, 0, 0, "NAME",
         "the name in the greeting; default sinkhole.cabal.internal"},
        {"run-dir", 0, "SINKHOLE_RUN_DIR", OPTION_TEXT, &raw.run_dir, 0, 0, "DIR",
         "where the board lies, a tmpfs; default /run/sinkhole"},
        {"workers", 'w', "SINKHOLE_WORKERS", OPTION_TEXT, &raw.workers, 0, 0, "N|MIN..MAX",
         "worker processes, one session each; default 8..256"},
        {"environment", 0, "SINKHOLE_ENVIRONMENT", OPTION_TEXT, &s->environment, 0, 0, "NAME",
         "the deployment; prod is refused"},
        {"drain", 0, "SINKHOLE_DRAIN", OPTION_SECONDS, &s->drain_ms, 0, HOUR_MS, "SECONDS",
         "open transactions may end so long after SIGTERM; default 20"},
        {"user", 'u', "SINKHOLE_USER", OPTION_TEXT, &raw.user, 0, 0, "NAME|UID[:GID]",
         "who serves when root starts it; default nobody"},
        {"allow-root", 0, NULL, OPTION_FLAG, &raw.allow_root, 0, 0, NULL,
         "serve as root when root starts it"},
        {"no-sandbox", 0, NULL, OPTION_FLAG, &raw.no_sandbox, 0, 0, NULL,
         "let workers call the whole kernel: for debuggers"},
        {"inetd", 'i', NULL, OPTION_FLAG, &s->inetd, 0, 0, NULL,
         "serve one session on standard input and output"},
        {"listen-fd", 0, NULL, OPTION_NUMBER, &s->listen_fd, 0, 65535, "N",
         "take this listening socket and bind none"},
        {"idle-exit", 0, "SINKHOLE_IDLE_EXIT", OPTION_SECONDS, &s->idle_exit_ms, 0, DAY_MS,
         "SECONDS", "leave when nobody came for so long; default 0: never"},
        {"notify-fd", 0, NULL, OPTION_NUMBER, &s->notify_fd, 3, 65535, "N",
         "write a newline there when ready (s6)"},
        {"log", 0, "SINKHOLE_LOG", OPTION_TEXT, &s->log_to, 0, 0, "WHERE",
         "stdout, stderr, syslog, none or a file; default stdout"},
        {"max-line", 0, "SINKHOLE_MAX_LINE", OPTION_NUMBER, &raw.line, 512, SESSION_LINE_MAX,
         "BYTES", "the longest command line; default 2048"},
        {"max-headers", 0, "SINKHOLE_MAX_HEADERS", OPTION_NUMBER, &raw.headers, 0,
         SESSION_HEADER_MAX, "BYTES", "of headers in an accepted line; default 8192"},
        {"max-recipients", 0, "SINKHOLE_MAX_RECIPIENTS", OPTION_NUMBER, &raw.recipients, 1,
         1000000, "N", "accepted in one transaction; default 1000"},
        {"max-errors", 0, "SINKHOLE_MAX_ERRORS", OPTION_NUMBER, &raw.errors, 0, 1000000, "N",
         "refused for syntax or order before a 421; default 0: any number"},
        {"command-timeout", 0, "SINKHOLE_COMMAND_TIMEOUT", OPTION_SECONDS,
         &s->limits.command_ms, 100, DAY_MS, "SECONDS", "for a command to come; default 300"},
        {"data-timeout", 0, "SINKHOLE_DATA_TIMEOUT", OPTION_SECONDS, &s->limits.data_gap_ms,
         100, DAY_MS, "SECONDS", "between bytes of a message; default 180"},
        {"data-total", 0, "SINKHOLE_DATA_TOTAL", OPTION_SECONDS, &s->limits.data_ms, 100,
         DAY_MS, "SECONDS", "for a whole message; default 3600"},
        {"help", 'h', NULL, OPTION_FLAG, &raw.help, 0, 0, NULL, "this text"},
        {"version", 'V', NULL, OPTION_FLAG, &raw.version, 0, 0, NULL, "the version"},
        {.name = NULL},
    };

    *s = defaults;
    return take_options(rows, &raw, argc, argv, why, size) && check(s, &raw, why, size);
}

/* sinkhole-refresh: the one process that holds credentials and talks to AWS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aws/source_ssm.h"
#include "base/log.h"
#include "base/options.h"
#include "base/signals.h"
#include "base/stdfds.h"
#include "mode/board.h"
#include "mode/errand.h"
#include "mode/owner.h"
#include "mode/refresher.h"
#include "mode/rundir.h"
#include "mode/schedule.h"
#include "mode/source.h"

static const struct source_kind *const kinds[] = {&source_static, &source_file, &source_ssm,
                                                  NULL};

static struct {
    const char *run_dir, *mode_source, *mode_param, *put;
    int64_t ttl_ms, env_fd, ready_fd;
    bool once, print, syslog, help, version;
} options = {.ttl_ms = 30000, .env_fd = -1, .ready_fd = -1};

static const struct option_row rows[] = {
    {"mode-source", 's', "SINKHOLE_MODE_SOURCE", OPTION_TEXT, &options.mode_source, 0, 0,
     "SOURCE", "where the mode comes from: ssm:/NAME, file:/PATH or static:MODE"},
    {"mode-param", 0, "SINKHOLE_MODE_PARAM", OPTION_TEXT, &options.mode_param, 0, 0, "NAME",
     "the parameter of plain `ssm`, by default " SOURCE_PARAM},
    {"cache-ttl", 0, "SINKHOLE_CACHE_TTL", OPTION_SECONDS, &options.ttl_ms, SCHEDULE_TTL_MIN_MS,
     SCHEDULE_TTL_MAX_MS, "SECONDS", "a fetched mode stays fresh this long, by default 30"},
    {"run-dir", 0, "SINKHOLE_RUN_DIR", OPTION_TEXT, &options.run_dir, 0, 0, "DIR",
     "where the board lies, by default " RUNDIR_SYSTEM},
    {"once", 0, NULL, OPTION_FLAG, &options.once, 0, 0, NULL,
     "fetch once, publish, print, leave"},
    {"print", 0, NULL, OPTION_FLAG, &options.print, 0, 0, NULL,
     "fetch once, print, leave; needs no daemon"},
    {"put", 0, NULL, OPTION_TEXT, &options.put, 0, 0, "MODE",
     "store a mode in the source, leave"},
    {"syslog", 0, NULL, OPTION_FLAG, &options.syslog, 0, 0, NULL,
     "send events to syslog instead of standard output"},
    {"env-fd", 0, NULL, OPTION_NUMBER, &options.env_fd, 0, 65535, "FD",
     "read more variables there first, NAME=VALUE with a NUL behind each"},
    {"ready-fd", 0, NULL, OPTION_NUMBER, &options.ready_fd, 0, 65535, "FD",
     "write a newline there after the first fetch, or after 2 seconds"},
    {"version", 'V', NULL, OPTION_FLAG, &options.version, 0, 0, NULL, "print the version"},
    {"help", 'h', NULL, OPTION_FLAG, &options.help, 0, 0, NULL, "print this"},
    {0},
};

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

/* Nobody may look into this process, nor find it on a disk. Sanitizers look into themselves. */
static void keep_secrets(void)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
#ifndef SANITIZED
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

/* Loads the variables that the master took out of its own environment. The memory is not freed:
   getenv(3) answers out of it. */
static bool load_environment(int fd)
{
    struct stat st;
    char *text, *end;

    if (fd < 0) {
        return true;
    }
    if (fstat(fd, &st) != 0 || (text = malloc((size_t)st.st_size + 1)) == NULL) {
        return false;
    }
    if (pread(fd, text, (size_t)st.st_size, 0) != (ssize_t)st.st_size) {
        free(text);
        return false;
    }
    end = text + st.st_size;
    *end = '\0';
    for (char *at = text; at < end; at += strlen(at) + 1) {
        if (strchr(at, '=') != NULL) {
            putenv(at);
        }
    }
    close(fd);
    return true;
}

static _Noreturn void serve(const char *spec, const char *run_dir)
{
    struct source_fault fault = {0};
    struct source source;
    struct board board;
    struct refresher refresher;

    if (!source_open(&source, spec, kinds, &fault)) {
        log_fatalx(EXIT_USAGE, "%s", fault.text);
    }
    if (board_writer_lock(run_dir, false) < 0) {
        log_fatal(EXIT_SYSTEM, "cannot become the one who publishes in %s", run_dir);
    }
    if (!board_open(&board, run_dir, BOARD_WRITE, true)) {
        log_fatal(EXIT_SYSTEM, "cannot use the board in %s", run_dir);
    }
    board_share_log(&board, NULL);
    refresher_init(&refresher, &board, &source, options.ttl_ms, false);
    refresher_run(&refresher, (int)options.ready_fd);
    log_fatal(EXIT_SYSTEM, "cannot wait for signals");
}

static int run(const char *spec, const char *run_dir)
{
    char why[400];

    if (options.print) {
        return errand_print(spec, kinds);
    }
    if (options.put != NULL) {
        return errand_put(spec, kinds, options.put);
    }
    if (!owner_become(run_dir)) {
        log_fatal(EXIT_SYSTEM, "cannot become the user whom %s belongs to", run_dir);
    }
    if (!rundir_make(run_dir, geteuid(), getegid(), why, sizeof why)) {
        log_fatalx(EXIT_SYSTEM, "%s", why);
    }
    if (options.once) {
        return errand_once(spec, kinds, run_dir, options.ttl_ms);
    }
    serve(spec, run_dir);
}

int main(int argc, char **argv)
{
    char why[400], run_dir[RUNDIR_SIZE], spec[SOURCE_SPEC_SIZE];
    struct source_fault fault = {0};
    int operand;

    stdfds_fill();
    signals_reset();
    log_name("sinkhole-refresh");
    operand = options_read(rows, argc, argv, why, sizeof why);
    if (operand < 0) {
        log_fatalx(EXIT_USAGE, "%s", why);
    }
    if (operand < argc) {
        log_fatalx(EXIT_USAGE, "'%s': there is nothing to say but options", argv[operand]);
    }
    if (options.help) {
        printf("usage: sinkhole-refresh [OPTION]...\n"
               "Fetches the mode from its source and publishes it for sinkholed.\n\n");
        options_help(rows);
        return EXIT_OK;
    }
    if (options.version) {
        printf("sinkhole-refresh " VERSION "\n");
        return EXIT_OK;
    }
    if (options.syslog) {
        log_open_syslog();
    } else {
        log_open(STDOUT_FILENO);
    }
    keep_secrets();
    if (!load_environment((int)options.env_fd)) {
        log_fatal(EXIT_SYSTEM, "cannot read variables from descriptor %d", (int)options.env_fd);
    }
    if (!rundir_find(options.run_dir, RUNDIR_SERVE, run_dir, why, sizeof why)) {
        log_fatalx(EXIT_USAGE, "%s", why);
    }
    if (!source_spec(options.mode_source, options.mode_param, run_dir, spec, &fault)) {
        log_fatalx(EXIT_USAGE, "%s", fault.text);
    }
    return run(spec, run_dir);
}

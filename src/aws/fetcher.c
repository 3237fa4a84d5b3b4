/* The one process that holds credentials and talks to AWS, from its command line on. */
#include "aws/fetcher.h"

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
#include "mode/board.h"
#include "mode/errand.h"
#include "mode/owner.h"
#include "mode/refresher.h"
#include "mode/rundir.h"
#include "mode/schedule.h"
#include "mode/source.h"

static const struct source_kind *const kinds[] = {&source_static, &source_file, &source_ssm,
                                                  NULL};

/* -- what it is told ----------------------------------------------------------------------- */

static _Noreturn void print_help(const struct option_row *rows)
{
    printf("usage: sinkhole-refresh [OPTION]...\n"
           "Fetches the mode from its source and publishes it for sinkholed.\n\n");
    options_help(rows);
    exit(EXIT_OK);
}

bool fetcher_read(struct fetcher *f, int argc, char **argv, char *why, size_t size)
{
    bool help = false, version = false;
    const struct option_row rows[] = {
        {"mode-source", 's', "SINKHOLE_MODE_SOURCE", OPTION_TEXT, &f->mode_source, 0, 0,
         "SOURCE", "where the mode comes from: ssm:/NAME, file:/PATH or static:MODE"},
        {"mode-param", 0, "SINKHOLE_MODE_PARAM", OPTION_TEXT, &f->mode_param, 0, 0, "NAME",
         "the parameter of plain `ssm`, by default " SOURCE_PARAM},
        {"cache-ttl", 0, "SINKHOLE_CACHE_TTL", OPTION_SECONDS, &f->ttl_ms, SCHEDULE_TTL_MIN_MS,
         SCHEDULE_TTL_MAX_MS, "SECONDS", "a fetched mode stays fresh this long, by default 30"},
        {"run-dir", 0, "SINKHOLE_RUN_DIR", OPTION_TEXT, &f->run_dir, 0, 0, "DIR",
         "where the board lies, by default " RUNDIR_SYSTEM},
        {"once", 0, NULL, OPTION_FLAG, &f->once, 0, 0, NULL,
         "fetch once, publish, print, leave"},
        {"print", 0, NULL, OPTION_FLAG, &f->print, 0, 0, NULL,
         "fetch once, print, leave; needs no daemon"},
        {"put", 0, NULL, OPTION_TEXT, &f->put, 0, 0, "MODE",
         "store a mode in the source, leave"},
        {"syslog", 0, NULL, OPTION_FLAG, &f->syslog, 0, 0, NULL,
         "send events to syslog instead of standard output"},
        {"env-fd", 0, NULL, OPTION_NUMBER, &f->env_fd, 0, 65535, "FD",
         "read more variables there first, NAME=VALUE with a NUL behind each"},
        {"ready-fd", 0, NULL, OPTION_NUMBER, &f->ready_fd, 0, 65535, "FD",
         "write a newline there after the first fetch, or after 2 seconds"},
        {"version", 'V', NULL, OPTION_FLAG, &version, 0, 0, NULL, "print the version"},
        {"help", 'h', NULL, OPTION_FLAG, &help, 0, 0, NULL, "print this"},
        {0},
    };
    int operand;

    *f = (struct fetcher){.ttl_ms = 30000, .env_fd = -1, .ready_fd = -1};
    operand = options_read(rows, argc, argv, why, size);
    if (operand < 0) {
        return false;
    }
    if (operand < argc) {
        snprintf(why, size, "'%.80s': there are no operands; --help lists the options",
                 argv[operand]);
        return false;
    }
    if (help) {
        print_help(rows);
    }
    if (version) {
        puts("sinkhole-refresh " VERSION);
        exit(EXIT_OK);
    }
    return true;
}

/* -- doing it ------------------------------------------------------------------------------ */

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

static _Noreturn void serve(const struct fetcher *f, const char *spec, const char *run_dir)
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
    refresher_init(&refresher, &board, &source, f->ttl_ms, false);
    refresher_run(&refresher, (int)f->ready_fd);
    log_fatal(EXIT_SYSTEM, "cannot wait for signals");
}

static int run(const struct fetcher *f, const char *spec, const char *run_dir)
{
    char why[400];

    if (f->print) {
        return errand_print(spec, kinds);
    }
    if (f->put != NULL) {
        return errand_put(spec, kinds, f->put);
    }
    if (!owner_become(run_dir)) {
        log_fatal(EXIT_SYSTEM, "cannot become the user whom %s belongs to", run_dir);
    }
    if (!rundir_make(run_dir, geteuid(), getegid(), why, sizeof why)) {
        log_fatalx(EXIT_SYSTEM, "%s", why);
    }
    if (f->once) {
        return errand_once(spec, kinds, run_dir, f->ttl_ms);
    }
    serve(f, spec, run_dir);
}

int fetcher_run(const struct fetcher *f)
{
    char why[400], run_dir[RUNDIR_SIZE], spec[SOURCE_SPEC_SIZE];
    struct source_fault fault = {0};

    if (f->syslog) {
        log_open_syslog();
    } else {
        log_open(STDOUT_FILENO);
    }
    keep_secrets();
    if (!load_environment((int)f->env_fd)) {
        log_fatal(EXIT_SYSTEM, "cannot read variables from descriptor %d", (int)f->env_fd);
    }
    if (!rundir_find(f->run_dir, RUNDIR_SERVE, run_dir, why, sizeof why)) {
        log_fatalx(EXIT_USAGE, "%s", why);
    }
    if (!source_spec(f->mode_source, f->mode_param, run_dir, spec, &fault)) {
        log_fatalx(EXIT_USAGE, "%s", fault.text);
    }
    return run(f, spec, run_dir);
}

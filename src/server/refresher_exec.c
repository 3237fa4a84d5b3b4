/* Starting sinkhole-refresh with what it alone may know. */
#include "server/refresher_exec.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/signals.h"

#define PROGRAM "sinkhole-refresh"
#define WORDS   16

extern char **environ;

int refresher_program(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof PROGRAM);
    char *slash;
    int fd = -1;

    if (n > 0) {
        path[n] = '\0';
        slash = strrchr(path, '/');
        strcpy(slash + 1, PROGRAM);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    return fd >= 0 ? fd : open(SBINDIR "/" PROGRAM, O_RDONLY | O_CLOEXEC);
}

struct words {
    const char *at[WORDS + 1];
    size_t count;
};

static void add(struct words *words, const char *word)
{
    if (words->count < WORDS) {
        words->at[words->count++] = word;
        words->at[words->count] = NULL;
    }
}

/* Its event descriptor is ours; syslog it opens by itself. */
static void pass_log(struct words *words)
{
    if (log_is_syslog()) {
        add(words, "--syslog");
    } else if (log_fd() >= 0) {
        dup2(log_fd(), STDOUT_FILENO);
    }
}

void refresher_exec(int program, const struct settings *settings, int secrets,
                    const char *const also[])
{
    struct words words = {.count = 0};
    char ttl[32], secrets_fd[16];
    const char *const always[] = {PROGRAM,
                                  "--run-dir",
                                  settings->run_dir,
                                  "--mode-source",
                                  settings->mode_source,
                                  "--cache-ttl",
                                  ttl,
                                  NULL};

    snprintf(ttl, sizeof ttl, "%lldms", (long long)settings->cache_ttl_ms);
    snprintf(secrets_fd, sizeof secrets_fd, "%d", secrets);
    for (const char *const *word = always; *word != NULL; word++) {
        add(&words, *word);
    }
    if (secrets >= 0) {
        fcntl(secrets, F_SETFD, 0);
        lseek(secrets, 0, SEEK_SET);
        add(&words, "--env-fd");
        add(&words, secrets_fd);
    }
    for (; *also != NULL; also++) {
        add(&words, *also);
    }
    pass_log(&words);
    /* libcurl's RTMP brings GnuTLS along, which nobody uses: let it not start itself. */
    setenv("GNUTLS_NO_IMPLICIT_INIT", "1", 1);
    signals_reset();
    fexecve(program, (char *const *)words.at, environ);
    log_warn("unable to run %s", PROGRAM);
    _exit(EXIT_SYSTEM);
}

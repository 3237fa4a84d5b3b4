/* Warnings: sentences for people, on standard error or in syslog. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/devlog.h"
#include "base/log.h"

static struct {
    const char *program;
    int syslog; /* devlog_open(); -1: standard error */
} state = {.program = "sinkhole", .syslog = -1};

struct grade {
    const char *name;
    enum devlog_level level;
};

static const struct grade warning = {"warning", DEVLOG_WARNING};
static const struct grade fatal = {"fatal", DEVLOG_CRITICAL};

void log_name(const char *program)
{
    state.program = program;
}

void log_warn_syslog(void)
{
    if (state.syslog < 0) {
        state.syslog = devlog_open();
    }
}

int log_warn_fd(void)
{
    return state.syslog;
}

/* One write for one sentence, so that several processes' sentences stay apart. */
static __attribute__((format(printf, 2, 0))) void
say(const struct grade *grade, const char *format, va_list args, int error)
{
    char text[1024];
    struct buf line = buf_over(text, sizeof text - 1);
    int n;

    if (state.syslog < 0) {
        buf_addf(&line, "%s: ", state.program);
    }
    buf_addf(&line, "%s: ", grade->name);
    n = vsnprintf(line.data + line.len, buf_room(&line), format, args);
    line.len += n < 0 ? 0 : (size_t)n < buf_room(&line) ? (size_t)n : buf_room(&line) - 1;
    if (error != 0) {
        buf_addf(&line, ": %s", strerror(error));
    }
    text[line.len++] = '\n';
    if (state.syslog >= 0) {
        devlog_send(state.syslog, grade->level, line.data, line.len);
    } else {
        (void)!write(STDERR_FILENO, line.data, line.len);
    }
}

#define SAY(grade, error)                                                                      \
    do {                                                                                       \
        int kept = errno;                                                                      \
        va_list args;                                                                          \
                                                                                               \
        va_start(args, format);                                                                \
        say(&(grade), format, args, error);                                                    \
        va_end(args);                                                                          \
        errno = kept;                                                                          \
    } while (0)

void log_warn(const char *format, ...)
{
    SAY(warning, kept);
}

void log_warnx(const char *format, ...)
{
    SAY(warning, 0);
}

void log_fatal(int status, const char *format, ...)
{
    SAY(fatal, kept);
    exit(status);
}

void log_fatalx(int status, const char *format, ...)
{
    SAY(fatal, 0);
    exit(status);
}

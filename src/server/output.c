/* Telling a log from a client. */
#include "server/output.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static bool same_file(int a, int b)
{
    struct stat one, other;

    return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

static bool is_socket(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

void output_protect(void)
{
    int null;

    if (!is_socket(STDERR_FILENO) || !same_file(STDERR_FILENO, STDIN_FILENO)) {
        return;
    }
    log_warn_syslog();
    null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, STDERR_FILENO);
        close(null);
    }
}

/* The place for events that nobody named. */
static const char *usual_place(bool inetd)
{
    if (!inetd) {
        return is_socket(STDOUT_FILENO) && same_file(STDOUT_FILENO, STDIN_FILENO) ? "syslog"
                                                                                  : "stdout";
    }
    if (log_warn_fd() >= 0 || same_file(STDERR_FILENO, STDIN_FILENO) ||
        same_file(STDERR_FILENO, STDOUT_FILENO)) {
        return "syslog";
    }
    return "stderr";
}

static bool open_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);

    if (fd >= 0) {
        log_open(fd);
    }
    return fd >= 0;
}

bool output_open(const char *where, bool inetd)
{
    static const struct {
        const char *name;
        int fd;
    } streams[] = {{"stdout", STDOUT_FILENO}, {"stderr", STDERR_FILENO}, {"none", -1}};

    if (*where == '\0') {
        where = usual_place(inetd);
    }
    if (strcmp(where, "syslog") == 0) {
        log_open_syslog();
        return true;
    }
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        if (strcmp(where, streams[i].name) == 0) {
            log_open(streams[i].fd);
            return true;
        }
    }
    return open_file(where);
}

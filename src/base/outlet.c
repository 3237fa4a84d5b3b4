/* Writes that are whole or not at all, and never wait past a deadline. */
#include "base/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/devlog.h"

/* A description of our own of a pipe or a terminal, whose writes do not block; -1 where the
   kernel does not let us open one (a container's standard output may belong to another user).
 */
static int open_again(int fd)
{
    char path[32];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static int nonblocking_pipe(int fd)
{
    int own = open_again(fd);

    if (own < 0) {
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    }
    return own >= 0 ? own : fd;
}

/* The flag would make the shell's descriptor, too, one that does not block. */
static int nonblocking_terminal(int fd)
{
    int own = open_again(fd);

    return own >= 0 ? own : fd;
}

struct outlet outlet_open(int fd)
{
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0) {
        return (struct outlet){OUTLET_NONE, -1};
    }
    if (S_ISFIFO(st.st_mode)) {
        return (struct outlet){OUTLET_PIPE, nonblocking_pipe(fd)};
    }
    if (S_ISCHR(st.st_mode) && isatty(fd)) {
        return (struct outlet){OUTLET_FILE, nonblocking_terminal(fd)};
    }
    return (struct outlet){S_ISSOCK(st.st_mode) ? OUTLET_SOCKET : OUTLET_FILE, fd};
}

/* Is this more than a pipe takes whole by itself (pipe(7))? */
static bool is_long(const struct outlet *o, size_t n)
{
    return o->kind == OUTLET_PIPE && n > PIPE_BUF;
}

/* Would a long line go into the pipe in one piece? Its room counts in pages; two writes always
   fill more than one of them, so that unread bytes take at most twice their number. */
static bool pipe_takes(const struct outlet *o, size_t n)
{
    int unread, capacity = fcntl(o->fd, F_GETPIPE_SZ);

    if (capacity < 0 || ioctl(o->fd, FIONREAD, &unread) != 0) {
        return false;
    }
    return 2 * (unread / PIPE_BUF + 1) + (int)(n / PIPE_BUF) + 1 <= capacity / PIPE_BUF;
}

static ssize_t write_once(const struct outlet *o, const char *bytes, size_t n)
{
    if (o->kind == OUTLET_SOCKET) {
        return send(o->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    if (is_long(o, n) && !pipe_takes(o, n)) {
        errno = EAGAIN;
        return -1;
    }
    return write(o->fd, bytes, n);
}

static void wait_for_room(const struct outlet *o, size_t n, int left_ms)
{
    struct pollfd out = {.fd = o->fd, .events = POLLOUT};

    if (is_long(o, n)) {
        poll(NULL, 0, left_ms < 5 ? left_ms : 5); /* "writable" says nothing about so many */
    } else {
        poll(&out, 1, left_ms);
    }
}

bool outlet_write(const struct outlet *o, const char *bytes, size_t n, int64_t deadline)
{
    if (o->kind == OUTLET_SYSLOG) {
        return devlog_send(o->fd, DEVLOG_INFO, bytes, n);
    }
    for (;;) {
        ssize_t put = write_once(o, bytes, n);
        int64_t now;

        if (put == (ssize_t)n) {
            return true;
        }
        if (put > 0) {
            bytes += put;
            n -= (size_t)put;
        } else if (errno != EAGAIN && errno != EINTR) {
            return false;
        }
        now = clock_ms();
        if (now >= deadline) {
            return false;
        }
        wait_for_room(o, n, clock_left(deadline, now));
    }
}

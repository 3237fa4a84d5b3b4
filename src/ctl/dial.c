/* Connecting with a deadline, to numeric addresses only: no resolver, no waiting for DNS. */
#include "ctl/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

#define UNIX_PREFIX "unix:"

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};

/* Splits "host:port"; host loses its brackets. */
static bool split(const char *text, char *host, size_t size, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    size_t n = colon != NULL ? (size_t)(colon - text) : 0;
    bool brackets = n > 2 && text[0] == '[' && text[n - 1] == ']';

    if (brackets) {
        text++;
        n -= 2;
    }
    if (n == 0 || n >= size) {
        return false;
    }
    memcpy(host, text, n);
    host[n] = '\0';
    *port = (uint16_t)strtoul(colon + 1, NULL, 10);
    return *port != 0;
}

/* A path, or "@name" in the abstract name space (unix(7)). */
static socklen_t read_path(const char *path, struct sockaddr_un *to)
{
    size_t n = strnlen(path, sizeof to->sun_path - 1);

    to->sun_family = AF_UNIX;
    memcpy(to->sun_path, path, n);
    if (path[0] != '@') {
        return sizeof *to;
    }
    to->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

/* Fills *to. Returns its size, or 0 for a text that is no address. */
static socklen_t read_address(const char *text, union address *to)
{
    char host[INET6_ADDRSTRLEN];
    uint16_t port;

    memset(to, 0, sizeof *to);
    if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0) {
        return read_path(text + strlen(UNIX_PREFIX), &to->local);
    }
    if (!split(text, host, sizeof host, &port)) {
        return 0;
    }
    if (inet_pton(AF_INET, host, &to->v4.sin_addr) == 1) {
        to->v4.sin_family = AF_INET;
        to->v4.sin_port = htons(port);
        return sizeof to->v4;
    }
    if (inet_pton(AF_INET6, host, &to->v6.sin6_addr) == 1) {
        to->v6.sin6_family = AF_INET6;
        to->v6.sin6_port = htons(port);
        return sizeof to->v6;
    }
    return 0;
}

/* Waits for a connect(2) under way. Returns 0 or an errno. */
static int finish_connect(int fd, int64_t deadline)
{
    struct pollfd one = {.fd = fd, .events = POLLOUT};
    socklen_t size = sizeof(int);
    int error = 0, n;

    do {
        n = poll(&one, 1, clock_left(deadline, clock_ms()));
    } while (n < 0 && errno == EINTR);
    if (n == 0) {
        return ETIMEDOUT;
    }
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

int dial(const char *address, int64_t deadline, char *why, size_t why_size)
{
    union address to;
    socklen_t size = read_address(address, &to);
    int fd, error = 0;

    if (size == 0) {
        snprintf(why, why_size, "that is no address");
        return -1;
    }
    fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || (connect(fd, &to.any, size) != 0 && errno != EINPROGRESS)) {
        error = errno;
    } else {
        error = finish_connect(fd, deadline);
    }
    if (error == 0) {
        return fd;
    }
    snprintf(why, why_size, "%s", strerror(error));
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

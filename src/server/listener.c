/* Opening listening sockets, whoever made them. */
#include "server/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/parse.h"

#define FIRST_HANDED_FD 3    /* SD_LISTEN_FDS_START */
#define BACKLOG         1024 /* the kernel caps it at net.core.somaxconn */

static void name_of(int fd, char out[BOARD_ADDR_SIZE])
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un un;
    } at;
    socklen_t size = sizeof at;
    char text[INET6_ADDRSTRLEN] = "", *path = at.un.sun_path;

    memset(&at, 0, sizeof at);
    getsockname(fd, &at.any, &size);
    switch (at.any.sa_family) {
    case AF_INET:
        inet_ntop(AF_INET, &at.v4.sin_addr, text, sizeof text);
        snprintf(out, BOARD_ADDR_SIZE, "%s:%d", text, ntohs(at.v4.sin_port));
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, &at.v6.sin6_addr, text, sizeof text);
        snprintf(out, BOARD_ADDR_SIZE, "[%s]:%d", text, ntohs(at.v6.sin6_port));
        break;
    default:
        /* An abstract name (unix(7)) begins with a NUL, shown as '@'. */
        snprintf(out, BOARD_ADDR_SIZE, "unix:%s%.57s", *path != '\0' ? "" : "@",
                 *path != '\0' ? path : path + 1);
    }
}

static void prepare(int fd)
{
    int on = 1;

    /* Accepted sockets inherit it, so that a session starts without a system call for it. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static bool is_listening(int fd)
{
    int accepts = 0;
    socklen_t size = sizeof accepts;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) == 0 && accepts;
}

static bool add(struct listeners *l, int fd)
{
    if (l->count == BOARD_ADDRS) {
        errno = ENOSPC;
        return false;
    }
    l->fds[l->count] = fd;
    name_of(fd, l->names[l->count]);
    l->count++;
    return true;
}

/* -- handed over --------------------------------------------------------------------------- */

/* How many descriptors from 3 on are ours by sd_listen_fds(3). */
static int handed_fds(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    int64_t whose, n;

    if (pid == NULL || count == NULL || !parse_number(pid, 1, INT32_MAX, &whose) ||
        whose != getpid() || !parse_number(count, 1, 1024, &n)) {
        return 0;
    }
    return (int)n;
}

/* inetd gives the socket on all three standard descriptors, of which children get copies. */
static int lift(int fd)
{
    int above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++) {
        if (is_listening(i)) {
            dup2(null, i);
        }
    }
    close(null);
    return above;
}

static bool take(struct listeners *l, int first, int n, const char *giver, char *why,
                 size_t size)
{
    for (int fd = first; fd < first + n; fd++) {
        if (!is_listening(fd)) {
            snprintf(why, size, "descriptor %d from %s is no listening stream socket", fd,
                     giver);
            return false;
        }
        if (!add(l, fd > STDERR_FILENO ? fd : lift(fd))) {
            snprintf(why, size, "%s hands over more than %d sockets", giver, BOARD_ADDRS);
            return false;
        }
    }
    l->giver = giver;
    return true;
}

/* LISTEN_FDNAMES: one name for each socket, with colons between. */
static void take_labels(struct listeners *l)
{
    const char *at = getenv("LISTEN_FDNAMES");

    for (size_t i = 0; at != NULL && i < l->count; i++) {
        int n = (int)strcspn(at, ":");

        snprintf(l->labels[i], BOARD_ADDR_SIZE, "%.*s", n, at);
        at = at[n] == ':' ? at + n + 1 : NULL;
    }
}

static void forget_variables(void)
{
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}

/* -- bound here ---------------------------------------------------------------------------- */

static int bind_one(const struct addrinfo *at)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1, off = 0;

    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (at->ai_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off); /* [::] takes v4 as well */
    }
    if (bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        int kept = errno;

        close(fd);
        errno = kept;
        return -1;
    }
    return fd;
}

/* Binds one numeric address; NULL: all addresses, v4 and v6. Returns an exit code. */
static int bind_host(struct listeners *l, const char *host, const char *port, char *why,
                     size_t size)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_family = host != NULL ? AF_UNSPEC : AF_INET6,
                             .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *at;
    int fd;

    if (getaddrinfo(host, port, &hints, &at) != 0) {
        snprintf(why, size,
                 "--bind-host: '%.80s' is not accepted; it takes IPv4 and IPv6 addresses",
                 host != NULL ? host : "");
        return EXIT_USAGE;
    }
    fd = bind_one(at);
    freeaddrinfo(at);
    if (fd < 0 && host == NULL && errno == EAFNOSUPPORT) {
        return bind_host(l, "0.0.0.0", port, why, size); /* a kernel without IPv6 */
    }
    if (fd < 0 || !add(l, fd)) {
        snprintf(why, size, "unable to listen on %.80s port %s: %s",
                 host != NULL ? host : "[::]", port, strerror(errno));
        return EXIT_SYSTEM;
    }
    return EXIT_OK;
}

static int bind_all(struct listeners *l, const struct settings *s, char *why, size_t size)
{
    char hosts[512], port[8], *rest, *host;
    int status = EXIT_OK;

    snprintf(port, sizeof port, "%d", (int)s->bind_port);
    if (*s->bind_host == '\0') {
        return bind_host(l, NULL, port, why, size);
    }
    if (snprintf(hosts, sizeof hosts, "%s", s->bind_host) >= (int)sizeof hosts) {
        snprintf(why, size, "--bind-host: at most %d addresses", BOARD_ADDRS);
        return EXIT_USAGE;
    }
    for (host = strtok_r(hosts, ",", &rest); host != NULL && status == EXIT_OK;
         host = strtok_r(NULL, ",", &rest)) {
        status = bind_host(l, host, port, why, size);
    }
    return status;
}

bool listeners_open(struct listeners *l, const struct settings *s, char *why, size_t size,
                    int *status)
{
    int handed = handed_fds();
    bool done;

    *l = (struct listeners){.count = 0};
    *status = EXIT_USAGE;
    if (s->listen_fd >= 0) {
        done = take(l, (int)s->listen_fd, 1, "--listen-fd", why, size);
    } else if (handed > 0) {
        done = take(l, FIRST_HANDED_FD, handed, "LISTEN_FDS", why, size);
        take_labels(l);
    } else if (is_listening(STDIN_FILENO)) {
        done = take(l, STDIN_FILENO, 1, "inetd", why, size);
    } else {
        *status = bind_all(l, s, why, size);
        done = *status == EXIT_OK;
    }
    forget_variables();
    for (size_t i = 0; i < l->count; i++) {
        prepare(l->fds[i]);
    }
    return done;
}

void listeners_close(struct listeners *l)
{
    for (size_t i = 0; i < l->count; i++) {
        close(l->fds[i]);
    }
    l->count = 0;
}

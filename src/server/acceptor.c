/* Taking connections. Each waiting process has an epoll of its own with EPOLLEXCLUSIVE, so that
   a connection wakes one of them, and the one that ran last first: its caches are warm, and the
   pool stays as small as the load allows. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/listener.h"

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage room;
};

static void set_v4(struct peer *peer, const struct in_addr *address)
{
    memset(peer->key.bytes, 0, 10);
    memset(peer->key.bytes + 10, 0xFF, 2);
    memcpy(peer->key.bytes + 12, address, 4);
}

static void describe(const union address *at, struct peer *peer)
{
    memset(peer, 0, sizeof *peer);
    if (at->any.sa_family == AF_INET) {
        set_v4(peer, &at->v4.sin_addr);
    } else if (at->any.sa_family == AF_INET6) {
        memcpy(peer->key.bytes, &at->v6.sin6_addr, sizeof peer->key.bytes);
    } else {
        strcpy(peer->text, at->any.sa_family == AF_UNIX ? "unix" : "unknown");
        return;
    }
    greylist_key_text(&peer->key, peer->text);
}

bool acceptor_open(struct acceptor *a, const struct listeners *listeners)
{
    a->listeners = listeners;
    a->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (a->epoll < 0) {
        return false;
    }
    for (size_t i = 0; i < listeners->count; i++) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE,
                                    .data.fd = listeners->fds[i]};

        if (epoll_ctl(a->epoll, EPOLL_CTL_ADD, listeners->fds[i], &event) != 0) {
            return false;
        }
    }
    return true;
}

static int accept_from(int listener, struct peer *peer)
{
    union address at = {.any.sa_family = AF_UNSPEC};
    socklen_t size = sizeof at;
    int fd = accept4(listener, &at.any, &size, SOCK_CLOEXEC);

    if (fd >= 0) {
        describe(&at, peer);
    }
    return fd;
}

/* Is this only about one connection that went away before we took it (accept(2))? */
static bool passes(int error)
{
    return error == ECONNABORTED || error == EPROTO || error == ENETDOWN ||
           error == EHOSTDOWN || error == EHOSTUNREACH || error == ENETUNREACH;
}

int acceptor_next(struct acceptor *a, int timeout_ms, struct peer *peer)
{
    struct epoll_event ready[BOARD_ADDRS];
    int n;

    n = epoll_wait(a->epoll, ready, BOARD_ADDRS, timeout_ms);
    for (int i = 0; i < n; i++) {
        int fd = accept_from(ready[i].data.fd, peer);

        if (fd >= 0 || (errno != EAGAIN && !passes(errno))) {
            return fd;
        }
    }
    if (n >= 0) {
        errno = EAGAIN; /* nobody came, or another process was first */
    }
    return -1;
}

void peer_of(int fd, struct peer *peer)
{
    union address at = {.any.sa_family = AF_UNSPEC};
    socklen_t size = sizeof at;

    if (getpeername(fd, &at.any, &size) != 0) {
        at.any.sa_family = AF_UNSPEC;
    }
    describe(&at, peer);
}

bool peer_of_text(const char *address, struct peer *peer)
{
    union address at = {.any.sa_family = AF_UNSPEC};

    if (inet_pton(AF_INET, address, &at.v4.sin_addr) == 1) {
        at.any.sa_family = AF_INET;
    } else if (inet_pton(AF_INET6, address, &at.v6.sin6_addr) == 1) {
        at.any.sa_family = AF_INET6;
    } else {
        return false;
    }
    describe(&at, peer);
    return true;
}

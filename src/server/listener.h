/* The listening sockets: bound here, or handed over by systemd, xinetd or s6. */
#ifndef SERVER_LISTENER_H
#define SERVER_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "mode/board.h"
#include "mode/greylist.h"
#include "server/settings.h"

struct listeners {
    size_t count;
    int fds[BOARD_ADDRS];
    char names[BOARD_ADDRS][BOARD_ADDR_SIZE];  /* "[::]:25", "127.0.0.1:2525", "unix:/run/x" */
    char labels[BOARD_ADDRS][BOARD_ADDR_SIZE]; /* what LISTEN_FDNAMES calls them, or empty */
    const char *giver; /* "LISTEN_FDS", "inetd", "--listen-fd"; NULL: bound here */
};

/* The client of one connection. */
struct peer {
    char text[BOARD_ADDR_SIZE]; /* "192.0.2.7", "2001:db8::1", "unix" */
    struct greylist_key key;
};

/* Opens what the settings say: --listen-fd, else LISTEN_FDS (sd_listen_fds(3)), else standard
   input where it is a listening socket (inetd's wait style; /dev/null stands there then), else
   binds. All are non-blocking and close-on-exec. Children will find no LISTEN_ variable.
   Returns false with one line in why; status, when not NULL, is then the exit code. */
bool listeners_open(struct listeners *listeners, const struct settings *settings, char *why,
                    size_t why_size, int *status);

/* Closes this process's descriptors. The sockets of others stay as they are. */
void listeners_close(struct listeners *listeners);

/* Waits for connections on all listeners at once, waking one process for each. */
struct acceptor {
    const struct listeners *listeners;
    int epoll;
};

/* Prepares to wait; in the process that will. Returns false and sets errno. */
bool acceptor_open(struct acceptor *acceptor, const struct listeners *listeners);

/* Takes the next connection, waiting up to timeout_ms (-1: for ever). Returns its descriptor,
   blocking and close-on-exec, and fills *peer; or -1: EAGAIN (time is up), EINTR (a signal), or
   what accept4(2) said. */
int acceptor_next(struct acceptor *acceptor, int timeout_ms, struct peer *peer);

/* Who is behind a connected descriptor; "unknown" where it is no socket. */
void peer_of(int fd, struct peer *peer);

/* Who TCPREMOTEIP says it is (tcpserver's convention, ucspi-tcp); false where it says
   nothing. */
bool peer_of_text(const char *address, struct peer *peer);

#endif

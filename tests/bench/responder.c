/* The least that a pre-forking responder can do: accept, read, say fixed replies. It parses
   nothing, logs nothing, counts nothing and has no deadlines, so that its cost is that of the
   shape. Usage: responder PORT WORKERS; it listens on 127.0.0.1. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAY(fd, text) ((void)!write(fd, text "\r\n", sizeof text + 1))
#define TAIL          5 /* CR LF . CR LF */

static char input[65536];

/* Does the message end with these bytes? The last five may have come in several reads. */
static bool ends(char tail[TAIL], const char *bytes, size_t n)
{
    if (n >= TAIL) {
        memcpy(tail, bytes + n - TAIL, TAIL);
    } else {
        memmove(tail, tail + n, TAIL - n);
        memcpy(tail + TAIL - n, bytes, n);
    }
    return memcmp(tail, "\r\n.\r\n", TAIL) == 0;
}

static void serve(int fd)
{
    char tail[TAIL] = "";
    bool in_data = false;
    ssize_t n;

    SAY(fd, "220 responder ESMTP");
    while ((n = read(fd, input, sizeof input)) > 0) {
        if (in_data && !ends(tail, input, (size_t)n)) {
            continue;
        }
        if (in_data || (*input != 'D' && *input != 'Q')) {
            in_data = false;
            SAY(fd, "250 2.0.0 OK");
        } else if (*input == 'D') {
            in_data = true;
            memcpy(tail, "..\r\n", TAIL - 1);
            SAY(fd, "354 Go on");
        } else {
            SAY(fd, "221 2.0.0 Bye");
            return;
        }
    }
}

static _Noreturn void work(int listener)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0) {
            serve(fd);
            close(fd);
        }
    }
}

static int listen_on(const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(port)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 1024) != 0) {
        perror("responder: listen");
        exit(111);
    }
    return fd;
}

int main(int argc, char **argv)
{
    int listener, status;

    if (argc != 3) {
        fputs("usage: responder PORT WORKERS\n", stderr);
        return 100;
    }
    signal(SIGPIPE, SIG_IGN);
    listener = listen_on(argv[1]);
    for (int i = atoi(argv[2]); i > 0; i--) {
        if (fork() == 0) {
            work(listener);
        }
    }
    while (wait(&status) > 0) {
    }
    return 0;
}

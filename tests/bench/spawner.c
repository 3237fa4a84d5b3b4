/* What inetd does for one service: accept, fork, exec with the connection as standard input and
   output. Usage: spawner PORT PROGRAM [ARGUMENT]...; it listens on 127.0.0.1. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int listen_on(const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(port)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 1024) != 0) {
        perror("spawner: listen");
        exit(111);
    }
    return fd;
}

int main(int argc, char **argv)
{
    int listener;

    if (argc < 3) {
        fputs("usage: spawner PORT PROGRAM [ARGUMENT]...\n", stderr);
        return 100;
    }
    listener = listen_on(argv[1]);
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0 && fork() == 0) {
            dup2(fd, STDIN_FILENO);
            dup2(fd, STDOUT_FILENO);
            execv(argv[2], argv + 2);
            _exit(111);
        }
        close(fd);
        while (waitpid(-1, NULL, WNOHANG) > 0) {
        }
    }
}

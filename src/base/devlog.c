/* RFC 3164 as it is spoken on this machine: no host name, and no time, since the receiver has a
   clock too. */
#include "base/devlog.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

#define MAIL_FACILITY 2
#define PATIENCE_US   200000

int devlog_open(void)
{
    const struct timeval patience = {.tv_usec = PATIENCE_US};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    }
    return fd;
}

bool devlog_send(int fd, enum devlog_level level, const char *line, size_t n)
{
    const struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    char packet[64 + LOG_LINE_MAX];
    size_t head =
        (size_t)snprintf(packet, 64, "<%d>%.30s[%d]: ", MAIL_FACILITY * 8 + (int)level,
                         program_invocation_short_name, (int)getpid());

    n -= n > 0 && line[n - 1] == '\n';
    n = n < LOG_LINE_MAX ? n : LOG_LINE_MAX;
    memcpy(packet + head, line, n);
    return sendto(fd, packet, head + n, MSG_NOSIGNAL, (const struct sockaddr *)&to,
                  sizeof to) >= 0;
}

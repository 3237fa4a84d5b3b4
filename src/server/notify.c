/* Readiness in the two forms that supervisors read. */
#include "server/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

static void tell_systemd(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    socklen_t size;
    int fd;

    if (path == NULL || *path == '\0' || strlen(path) >= sizeof to.sun_path) {
        return;
    }
    strcpy(to.sun_path, path);
    size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (to.sun_path[0] == '@') {
        to.sun_path[0] = '\0'; /* the abstract name space (unix(7)) */
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 ||
        sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to, size) < 0) {
        log_warn("unable to notify %s", path);
    }
    if (fd >= 0) {
        close(fd);
    }
}

void notify_ready(int fd)
{
    if (fd >= 0) {
        if (write(fd, "\n", 1) != 1) {
            log_warn("unable to notify descriptor %d", fd);
        }
        close(fd);
    }
    tell_systemd("READY=1");
}

void notify_stopping(void)
{
    tell_systemd("STOPPING=1");
}

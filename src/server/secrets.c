/* Moving secrets into a sealed memfd(2). */
#include "server/secrets.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

extern char **environ;

static bool ends_in(const char *name, size_t n, const char *tail)
{
    size_t m = strlen(tail);

    return n >= m && strncasecmp(name + n - m, tail, m) == 0;
}

static bool is_secret(const char *variable)
{
    size_t n = strcspn(variable, "=");

    return strncmp(variable, "AWS_", 4) == 0 || ends_in(variable, n, "_proxy");
}

/* Appends the string with its NUL. */
static bool save(int fd, const char *variable)
{
    size_t n = strlen(variable) + 1;

    return write(fd, variable, n) == (ssize_t)n;
}

int secrets_take(void)
{
    int fd = memfd_create("environment", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    char **keep = environ;

    if (fd < 0) {
        return -1;
    }
    for (char **at = environ; *at != NULL; at++) {
        if (!is_secret(*at)) {
            *keep++ = *at;
            continue;
        }
        if (!save(fd, *at)) {
            close(fd);
            return -1;
        }
        explicit_bzero(*at, strlen(*at));
    }
    *keep = NULL;
    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    return fd;
}

/* Read afresh for each use, since such files rotate. */
#include "aws/token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Fills out; returns how much there was, size when there is more than fits, or -1 with errno.
 */
static ssize_t read_whole(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    size_t length = 0;
    ssize_t n = fd >= 0 ? 1 : -1;
    int wrong = errno;

    while (n > 0 && length < size) {
        n = read(fd, out + length, size - length);
        wrong = errno;
        length += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    errno = wrong;
    return n < 0 ? -1 : (ssize_t)length;
}

bool token_read(const char *path, char *out, size_t size, char *why, size_t why_size)
{
    ssize_t n = read_whole(path, out, size);

    if (n > 0 && (size_t)n < size) {
        out[n] = '\0';
        return true;
    }
    out[0] = '\0';
    if (n < 0) {
        snprintf(why, why_size, "cannot read a token from %.100s: %s", path, strerror(errno));
    } else {
        snprintf(why, why_size, "the token in %.100s is %s", path,
                 n == 0 ? "empty" : "too long");
    }
    return false;
}

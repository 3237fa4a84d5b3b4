/* open(2) returns the lowest number that is free, which is why the order matters. */
#include "base/stdfds.h"

#include <fcntl.h>
#include <unistd.h>

void stdfds_fill(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        }
    }
}

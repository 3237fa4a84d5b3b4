/* Something to look at. */
#include "server/mode_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void mode_file_make(const struct settings *s)
{
    static const char first[] = "defer\n";
    char path[RUNDIR_SIZE + 8];
    int fd;

    snprintf(path, sizeof path, "%s/mode", s->run_dir);
    if (strncmp(s->mode_source, "file:", 5) != 0 || strcmp(s->mode_source + 5, path) != 0) {
        return;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd >= 0) {
        (void)!write(fd, first, sizeof first - 1);
        close(fd);
    }
}

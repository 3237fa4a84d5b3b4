/* Something to look at. */
#include "server/mode_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Under its name it appears whole; where another has been quicker, that one's stays. */
static void make(const char *path)
{
    static const char first[] = "defer\n";
    const ssize_t size = sizeof first - 1;
    char temporary[RUNDIR_SIZE + 16];
    int fd;

    snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    if (write(fd, first, (size_t)size) == size && fchmod(fd, 0644) == 0) {
        (void)!link(temporary, path);
    }
    unlink(temporary);
    close(fd);
}

void mode_file_make(const struct settings *s)
{
    char path[RUNDIR_SIZE + 8];

    snprintf(path, sizeof path, "%s/mode", s->run_dir);
    if (strncmp(s->mode_source, "file:", 5) == 0 && strcmp(s->mode_source + 5, path) == 0 &&
        access(path, F_OK) != 0) {
        make(path);
    }
}

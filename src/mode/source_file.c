/* file:/PATH: the mode is the text of a file, white space around it ignored. An operator may
   edit it with anything; we replace it by rename(2), so that nobody ever reads half of it. */
#include "mode/source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mode/file_watch.h"

static bool open_file(struct source *source, struct source_fault *fault)
{
    const char *path = source->argument;
    size_t length = strlen(path);

    if (path[0] != '/' || path[length - 1] == '/') {
        source_fault_set(fault, "BadSource",
                         "file:%.80s is not the absolute path of a file, as file:/run/mode is",
                         path);
        return false;
    }
    return true;
}

static struct file_watch *watch_of(struct source *source)
{
    return source->state;
}

/* Reads at most SOURCE_VALUE_MAX bytes: more is no mode anyway. Never waits, whatever the path
   leads to. */
static ssize_t read_text(const char *path, char *out)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    ssize_t n = -1;

    if (fd >= 0) {
        n = read(fd, out, SOURCE_VALUE_MAX);
        close(fd);
    }
    return n;
}

/* A writer that has emptied the file fills it within a moment: an edit in place must not look
   like a value that is no mode. */
static ssize_t read_settled(const char *path, char *out)
{
    ssize_t n = read_text(path, out);

    if (n == 0) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        n = read_text(path, out);
    }
    return n;
}

static bool fetch_file(struct source *source, struct reading *out, struct source_fault *fault)
{
    ssize_t n;

    if (watch_of(source) != NULL) {
        file_watch_arm(watch_of(source));
    }
    *out = (struct reading){0};
    n = read_settled(source->argument, out->value);
    if (n < 0) {
        source_fault_errno(fault, "cannot read %.200s", source->argument);
        return false;
    }
    out->length = (size_t)n;
    out->value[n] = '\0';
    return true;
}

/* Fills the temporary file and makes it last. */
static bool write_text(int fd, const char *value)
{
    return dprintf(fd, "%s\n", value) > 0 && fchmod(fd, 0644) == 0 && fsync(fd) == 0;
}

/* A rename is safe from a crash only when its directory has reached the disk. Where a directory
   cannot be synced nothing is lost but that. */
static void sync_directory(const char *path)
{
    char directory[SOURCE_SPEC_SIZE];
    int fd;

    snprintf(directory, sizeof directory, "%s", path);
    strrchr(directory, '/')[1] = '\0';
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

static bool store_file(struct source *source, const char *value, uint64_t *version,
                       struct source_fault *fault)
{
    char temporary[SOURCE_SPEC_SIZE + 16];
    bool done = false;
    int fd;

    *version = 0;
    snprintf(temporary, sizeof temporary, "%s.XXXXXX", source->argument);
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd >= 0) {
        done = write_text(fd, value) && rename(temporary, source->argument) == 0;
    }
    if (!done) {
        source_fault_errno(fault, "cannot write %.200s", source->argument);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (fd >= 0 && !done) {
        unlink(temporary);
    }
    if (done) {
        sync_directory(source->argument);
    }
    return done;
}

static int watch_file(struct source *source)
{
    if (watch_of(source) == NULL) {
        source->state = calloc(1, sizeof(struct file_watch));
        if (watch_of(source) == NULL) {
            return -1;
        }
        file_watch_open(watch_of(source), source->argument);
    }
    return watch_of(source)->fd;
}

static bool file_changed(struct source *source)
{
    return file_watch_changed(watch_of(source));
}

static void close_file(struct source *source)
{
    if (watch_of(source) != NULL) {
        file_watch_close(watch_of(source));
        free(source->state);
        source->state = NULL;
    }
}

const struct source_kind source_file = {
    .scheme = "file",
    .open = open_file,
    .fetch = fetch_file,
    .store = store_file,
    .watch = watch_file,
    .changed = file_changed,
    .close = close_file,
};

/* One inotify descriptor with one watch: on the file's directory, or while that is missing on
   the nearest one above, which may be a busy place and is left as soon as possible. */
#include "mode/file_watch.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often the directories may change under our hands while we arm, before we leave the rest
   to polling. */
#define TRIES 16

/* The file has its new content, or has gone. */
#define SETTLED (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)
/* The file is being written, or has come: by link(2) it comes with content. */
#define WRITTEN (IN_MODIFY | IN_CREATE)
#define COMMON  (IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)
#define INSIDE  (SETTLED | WRITTEN | COMMON)
#define ABOVE   (IN_CREATE | IN_MOVED_TO | COMMON)

void file_watch_open(struct file_watch *watch, const char *path)
{
    *watch = (struct file_watch){
        .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), .descriptor = -1, .path = path};
    file_watch_arm(watch);
}

void file_watch_close(struct file_watch *watch)
{
    if (watch->fd >= 0) {
        close(watch->fd);
    }
    watch->fd = -1;
}

/* Cuts the last component off. False at the root. */
static bool go_up(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash == NULL || path[1] == '\0') {
        return false;
    }
    slash[slash == path ? 1 : 0] = '\0';
    return true;
}

/* Makes this the one directory that is watched. False when it is not there. */
static bool watch_directory(struct file_watch *watch, const char *path, uint32_t events)
{
    int descriptor = inotify_add_watch(watch->fd, path, events);

    if (descriptor < 0) {
        return false;
    }
    if (watch->descriptor >= 0 && watch->descriptor != descriptor) {
        inotify_rm_watch(watch->fd, watch->descriptor);
    }
    watch->descriptor = descriptor;
    return true;
}

/* Watches the nearest directory above the file that is there. Returns true when nothing is
   missing, or when what is missing still is: otherwise it came while we looked. */
static bool arm_once(struct file_watch *watch)
{
    char path[PATH_MAX], below[PATH_MAX];
    struct stat st;
    bool missing = false;

    strcpy(path, watch->path);
    while (go_up(path)) {
        if (watch_directory(watch, path, missing ? ABOVE : INSIDE)) {
            return !missing || stat(below, &st) != 0;
        }
        strcpy(below, path);
        missing = true;
    }
    return true;
}

void file_watch_arm(struct file_watch *watch)
{
    if (watch->fd < 0 || strlen(watch->path) >= PATH_MAX) {
        return;
    }
    for (int i = 0; i < TRIES && !arm_once(watch); i++) {
    }
}

static bool is_empty(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_size == 0;
}

/* Judges one event. */
static bool is_due(const struct file_watch *watch, const struct inotify_event *event)
{
    const char *name = strrchr(watch->path, '/') + 1;

    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        return true;
    }
    if (event->len == 0 || strcmp(event->name, name) != 0) {
        return false;
    }
    return (event->mask & SETTLED) != 0 || !is_empty(watch->path);
}

bool file_watch_changed(struct file_watch *watch)
{
    _Alignas(struct inotify_event) char events[4096];
    bool due = false, moved = false;
    ssize_t n;

    while ((n = read(watch->fd, events, sizeof events)) > 0) {
        const struct inotify_event *event;

        for (ssize_t at = 0; at < n; at += (ssize_t)(sizeof *event + event->len)) {
            event = (const struct inotify_event *)(events + at);
            due |= is_due(watch, event);
            moved |= (event->mask & (IN_ISDIR | IN_DELETE_SELF | IN_MOVE_SELF)) != 0;
        }
    }
    if (moved) {
        struct stat st;

        file_watch_arm(watch);
        due |= stat(watch->path, &st) == 0;
    }
    return due;
}

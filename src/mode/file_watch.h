/* Tells when one file may have changed: renamed over, edited in place, deleted, made again,
   also when its directory comes and goes. By inotify(7) on the directory, since a watch on the
   file itself would be lost with the first rename over it. */
#ifndef MODE_FILE_WATCH_H
#define MODE_FILE_WATCH_H

#include <stdbool.h>

struct file_watch {
    int fd;           /* readable when something happened; -1: nothing can be watched */
    int descriptor;   /* of the watch, as inotify has it */
    const char *path; /* absolute; the caller's */
};

/* Starts to watch. Without inotify fd is -1: then only polling sees changes. */
void file_watch_open(struct file_watch *watch, const char *path);
void file_watch_close(struct file_watch *watch);

/* Watches the file's directory, or while that is missing the nearest one above it. Cheap and
   harmless to repeat: call it before each read of the file, so that no change falls between. */
void file_watch_arm(struct file_watch *watch);

/* Takes all that has happened, and arms again where directories changed. Returns true when the
   file is worth reading. A file that has just been emptied is not: its writer is not done. */
bool file_watch_changed(struct file_watch *watch);

#endif

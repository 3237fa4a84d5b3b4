/* fchownat(2) for our own names alone, and setresuid(2). */
#include "mode/owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mode/rundir.h"

/* The last is a mode file that is being written. */
static const char *const ours[] = {".", "..", "board", "*.lock", "mode", "mode.??????"};

static bool is_ours(const char *name)
{
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (fnmatch(ours[i], name, 0) == 0) {
            return true;
        }
    }
    return false;
}

bool owner_is_ours(int directory)
{
    int copy = dup(directory);
    DIR *listing = copy >= 0 ? fdopendir(copy) : NULL;
    const struct dirent *entry;
    bool all = listing != NULL;

    while (all && (entry = readdir(listing)) != NULL) {
        all = is_ours(entry->d_name);
    }
    if (listing != NULL) {
        closedir(listing);
    } else if (copy >= 0) {
        close(copy);
    }
    return all;
}

/* A file with two names may be another's that was linked to ours. */
static bool is_to_give(int fd, uid_t uid)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 && st.st_uid != uid;
}

/* The file that was looked at is the one that is given, whatever its name means by then. */
static bool give(const char *path, uid_t uid, gid_t gid)
{
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    bool good = true;

    if (fd >= 0) {
        good = !is_to_give(fd, uid) || fchownat(fd, "", uid, gid, AT_EMPTY_PATH) == 0;
        close(fd);
    }
    return good;
}

bool owner_give(const char *run_dir, uid_t uid, gid_t gid)
{
    static const char *const files[] = {"board", "create.lock", "master.lock", "refresh.lock",
                                        "mode"};
    char path[RUNDIR_SIZE + 16];
    bool good = true;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", run_dir, files[i]);
        good = give(path, uid, gid) && good;
    }
    return good;
}

bool owner_become(const char *run_dir)
{
    struct stat st;

    if (geteuid() != 0) {
        return true;
    }
    if (stat(run_dir, &st) != 0) {
        return errno == ENOENT;
    }
    return st.st_uid == 0 ||
           (setgroups(0, NULL) == 0 && setresgid(st.st_gid, st.st_gid, st.st_gid) == 0 &&
            setresuid(st.st_uid, st.st_uid, st.st_uid) == 0);
}

/* Finding and making the run directory. In /tmp anybody may have put something under our name
   first, so what is found is opened without following links and judged by its descriptor. */
#include "mode/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mode/owner.h"

#define TEMPORARY "/tmp/"

static bool may_write(const char *path)
{
    return faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0;
}

/* Where this user's own daemon would serve. Returns what snprintf(3) does. */
static int serving_path(char out[RUNDIR_SIZE])
{
    const char *xdg = getenv("XDG_RUNTIME_DIR");

    if (geteuid() == 0 || may_write(RUNDIR_SYSTEM)) {
        return snprintf(out, RUNDIR_SIZE, "%s", RUNDIR_SYSTEM);
    }
    if (xdg != NULL && xdg[0] == '/') {
        return snprintf(out, RUNDIR_SIZE, "%s/sinkhole", xdg);
    }
    return snprintf(out, RUNDIR_SIZE, TEMPORARY "sinkhole-%lu", (unsigned long)geteuid());
}

bool rundir_find(const char *named, enum rundir_use use, char out[RUNDIR_SIZE], char *why,
                 size_t why_size)
{
    bool is_named = named != NULL && named[0] != '\0';
    int n;

    if (is_named && named[0] != '/') {
        snprintf(why, why_size, "run directory '%s' is not an absolute path", named);
        return false;
    }
    n = is_named ? snprintf(out, RUNDIR_SIZE, "%s", named) : serving_path(out);
    if (n < 0 || n >= RUNDIR_SIZE) {
        snprintf(why, why_size, "the run directory's path is longer than %d bytes",
                 RUNDIR_SIZE - 1);
        return false;
    }
    if (use == RUNDIR_LOOK && !is_named && access(out, F_OK) != 0 &&
        access(RUNDIR_SYSTEM, R_OK | X_OK) == 0) {
        strcpy(out, RUNDIR_SYSTEM);
    }
    return true;
}

static bool is_temporary(const char *path)
{
    return strncmp(path, TEMPORARY, strlen(TEMPORARY)) == 0;
}

/* NULL for a directory that only those may write in whom we trust, else what is wrong. */
static const char *objection(int fd, uid_t uid)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return strerror(errno);
    }
    if (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != uid) {
        return "belongs to another user";
    }
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return "is writable by group or others; it wants mode 0755 or less";
    }
    return NULL;
}

/* A link that root made leads where root meant it to: where units with DynamicUser= keep their
   RuntimeDirectory=, systemd makes one into /run/private. Below /tmp none is trusted. */
static bool is_trusted_link(const char *path)
{
    struct stat st;

    return !is_temporary(path) && lstat(path, &st) == 0 && S_ISLNK(st.st_mode) &&
           st.st_uid == 0;
}

/* Root's own directory is of no use to those who will serve by it. NULL, or what is wrong. */
static const char *give(int fd, bool made, uid_t uid, gid_t gid)
{
    struct stat st;

    if (fstat(fd, &st) == 0 && st.st_uid == uid) {
        return NULL;
    }
    if (!made && !owner_is_ours(fd)) {
        return "belongs to root, and is not given away since it holds other things too";
    }
    return fchown(fd, uid, gid) == 0 ? NULL : strerror(errno);
}

bool rundir_make(const char *path, uid_t uid, gid_t gid, char *why, size_t why_size)
{
    const char *wrong = NULL;
    bool made = mkdir(path, is_temporary(path) ? 0700 : 0755) == 0;
    int fd = -1;

    if (!made && errno != EEXIST) {
        wrong = strerror(errno);
    } else {
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
                            (is_trusted_link(path) ? 0 : O_NOFOLLOW));
        wrong = fd >= 0            ? objection(fd, uid)
                : errno == ENOTDIR ? "is no directory of its own (a file or a symbolic link)"
                                   : strerror(errno);
    }
    if (wrong == NULL && geteuid() == 0) {
        wrong = give(fd, made, uid, gid);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (wrong != NULL) {
        snprintf(why, why_size, "run directory %s: %s", path, wrong);
    }
    return wrong == NULL;
}

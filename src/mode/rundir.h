/* The run directory: where the board, the locks and, by default, the mode file lie. The daemon,
   the refresher and the control tool find it by the same rule, so that they meet without being
   told where. */
#ifndef MODE_RUNDIR_H
#define MODE_RUNDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define RUNDIR_SIZE   256 /* the longest path, with its NUL */
#define RUNDIR_SYSTEM "/run/sinkhole"

enum rundir_use {
    RUNDIR_SERVE, /* write there: the daemon, the refresher, one-shot sessions */
    RUNDIR_LOOK,  /* read what is there: status */
};

/* Writes the run directory's path to out, and makes nothing:

   1. `named`, where it is not NULL or empty (--run-dir, SINKHOLE_RUN_DIR);
   2. /run/sinkhole for root, and for anybody who may write there;
   3. $XDG_RUNTIME_DIR/sinkhole where that variable is set;
   4. /tmp/sinkhole-UID.

   To look, /run/sinkhole also serves when the one found is not there. Returns false when the
   path is not absolute or too long, with one line in why. */
bool rundir_find(const char *named, enum rundir_use use, char out[RUNDIR_SIZE], char *why,
                 size_t why_size);

/* Makes the directory (not its parents) unless it is there, for the user who will write in it:
   mode 0755, below /tmp 0700. Then checks it: a directory, and no symbolic link unless root
   made one outside /tmp; owned by root, by the caller or by that user; and closed to writers
   among group and others. Root gives its own directory to uid and gid, unless there is more in
   it than what run directories hold. Returns false with one line in why. */
bool rundir_make(const char *path, uid_t uid, gid_t gid, char *why, size_t why_size);

#endif

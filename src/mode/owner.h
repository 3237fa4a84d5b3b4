/* Whose the run directory is. What root makes there has to be given to those who will serve by
   it, who are somebody else; what is in it, and is not ours, is never given to anybody. */
#ifndef MODE_OWNER_H
#define MODE_OWNER_H

#include <stdbool.h>
#include <sys/types.h>

/* Does this open directory hold nothing but what run directories do (nothing at all counts)? */
bool owner_is_ours(int directory);

/* Gives the files in the run directory (board, locks, mode) to uid and gid. What is theirs
   already, not there, or no plain file with one name is left as it is. Returns false with errno
   where one could not be given. */
bool owner_give(const char *run_dir, uid_t uid, gid_t gid);

/* Root becomes the user whom the run directory belongs to, for good, so that what is written
   there can be used by those who serve by it. Anybody else stays who they are, and so does root
   where there is no such directory. Returns false with errno. */
bool owner_become(const char *run_dir);

#endif

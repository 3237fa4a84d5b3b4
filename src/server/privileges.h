/* Giving up rights, once and for good. */
#ifndef SERVER_PRIVILEGES_H
#define SERVER_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Becomes uid and gid without supplementary groups, empties the capability bounding set, and
   makes sure that there is no way back. Root only. Returns false and sets errno. */
bool privileges_drop(uid_t uid, gid_t gid);

/* What a worker does before its first client: no new privileges by exec, no capability, no
   reading of its memory by others of the same user, no core file. Returns false and sets
   errno. */
bool privileges_confine(void);

/* Closes every descriptor but the three standard ones and those in keep (count of them, any
   order; negative ones are none). */
void privileges_close_all_but(const int *keep, size_t count);

#endif

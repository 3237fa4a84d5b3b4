/* setuid(2), capabilities(7), prctl(2) and close_range(2), in the order in which they work. */
#include "server/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Until the kernel says that there is no such capability; without CAP_SETPCAP the set stays. */
static void empty_bounding_set(void)
{
    for (int capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; capability++) {
    }
}

bool privileges_drop(uid_t uid, gid_t gid)
{
    empty_bounding_set();
    if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
        setresuid(uid, uid, uid) != 0) {
        return false;
    }
    if (uid != 0 && setuid(0) == 0) {
        errno = EPERM; /* the way back must be shut */
        return false;
    }
    return true;
}

static bool drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &header, none) == 0;
}

bool privileges_confine(void)
{
    const struct rlimit no_core = {0, 0};

    setrlimit(RLIMIT_CORE, &no_core);
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && drop_capabilities() &&
           prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

static int ascending(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

void privileges_close_all_but(const int *keep, size_t count)
{
    int sorted[32];
    unsigned first = STDERR_FILENO + 1;

    for (size_t i = 0; i < count && i < 32; i++) {
        sorted[i] = keep[i];
    }
    qsort(sorted, count, sizeof sorted[0], ascending);
    for (size_t i = 0; i < count; i++) {
        if (sorted[i] > (int)first) {
            close_range(first, (unsigned)sorted[i] - 1, 0);
        }
        if (sorted[i] >= (int)first) {
            first = (unsigned)sorted[i] + 1;
        }
    }
    close_range(first, ~0u, 0);
}

/* Entering the filter that the build has made, and dying by it with a word left behind. */
#include "server/sandbox.h"

#include "config.h"

#ifdef HAVE_SECCOMP

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "server/sandbox_filter.h"

static _Atomic uint32_t *seen;

/* The signal is blocked in its own handler, and its action is the default again: a second
   violation kills with SIGSYS, which the master sees. */
static void on_violation(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    atomic_store(seen, (uint32_t)info->si_syscall + 1);
    syscall(SYS_getppid);
    _exit(128 + SIGSYS);
}

bool sandbox_built(void)
{
    return true;
}

bool sandbox_possible(void)
{
    const uint32_t action = SECCOMP_RET_TRAP;

    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

bool sandbox_enter(_Atomic uint32_t *violation)
{
    struct sigaction action = {.sa_sigaction = on_violation,
                               .sa_flags = SA_SIGINFO | SA_RESETHAND};
    const struct sock_fprog program = {
        .len = sizeof sandbox_steps / sizeof sandbox_steps[0],
        .filter = (struct sock_filter *)(uintptr_t)sandbox_steps,
    };

    seen = violation;
    /* Without SPEC_ALLOW some processors leave out speculation, which makes all code slow. A
       worker has no secrets beside its clients' words. */
    return sigaction(SIGSYS, &action, NULL) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                   &program) == 0;
}

const char *sandbox_call(uint32_t violation)
{
    for (size_t i = 0; i < sizeof sandbox_calls / sizeof sandbox_calls[0]; i++) {
        if (sandbox_calls[i].number + 1 == violation) {
            return sandbox_calls[i].name;
        }
    }
    return "?";
}

#else

bool sandbox_built(void)
{
    return false;
}

bool sandbox_possible(void)
{
    return false;
}

bool sandbox_enter(_Atomic uint32_t *violation)
{
    (void)violation;
    return true;
}

const char *sandbox_call(uint32_t violation)
{
    (void)violation;
    return "?";
}

#endif

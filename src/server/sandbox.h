/* What a worker may still ask of the kernel while it talks to strangers: to wait, to read, to
   write and to end (seccomp(2)). The list is in gen/filter.c. */
#ifndef SERVER_SANDBOX_H
#define SERVER_SANDBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Was this program built with a sandbox? Not where libseccomp was missing, nor with sanitizers,
   which need more system calls than sessions. */
bool sandbox_built(void);

/* Does the kernel offer what it needs? */
bool sandbox_possible(void);

/* Shuts this process in, for good. Any other system call ends it by SIGSYS, after the call's
   number and 1 was left in *violation, which outlives the process. no_new_privs must be set.
   Returns false and sets errno. */
bool sandbox_enter(_Atomic uint32_t *violation);

/* The name of the call in a *violation: "openat"; "?" for none. */
const char *sandbox_call(uint32_t violation);

#endif

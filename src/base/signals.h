/* Signals as something that poll(2) can wait for: the master and the refresher act on them in
   their loops, never in a handler. One set a process. */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

#include <stdbool.h>
#include <stddef.h>

/* Blocks the given signals and returns a descriptor that is readable when one is pending, or -1
   with errno (signalfd(2)). SIGPIPE is ignored from here on. */
int signals_open(const int *numbers, size_t count);

/* The next pending signal's number, or 0 when there is none. */
int signals_next(int fd);

/* In a child after fork: everything unblocked and at its default, SIGPIPE still ignored. The
   descriptor is the parent's too: the child closes its copy. */
void signals_reset(void);

/* The two halves of that, for a child that wants its own handlers in place before a signal that
   came while it was made gets through. */
void signals_default(void);
void signals_unblock(void);

/* A plain handler without SA_RESTART, so that a blocked read or accept returns with EINTR. */
void signals_catch(int number, void (*handler)(int));

#endif

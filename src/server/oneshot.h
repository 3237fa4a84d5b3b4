/* One session on standard input and output, then the end: for xinetd, systemd's Accept=yes,
   tcpserver, or a pipe. It shares mode, greylist and counters with all others that use the same
   run directory, by the board; it needs no daemon, and makes the board where there is none. */
#ifndef SERVER_ONESHOT_H
#define SERVER_ONESHOT_H

#include "server/settings.h"

/* Serves; returns an exit code: EXIT_OK after any session, however it ended. What keeps it from
   serving is told to the client as 421 4.3.0 and to the log as one line. */
int oneshot_run(const struct settings *settings);

#endif

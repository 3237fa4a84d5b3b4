/* Where events and warnings go. Started by xinetd or tcpserver, standard input, output and
   error may all be the client's socket: nothing but SMTP may go there. */
#ifndef SERVER_OUTPUT_H
#define SERVER_OUTPUT_H

#include <stdbool.h>

/* Before anything is said: where standard error is the socket that standard input is, warnings
   go to syslog and standard error becomes /dev/null. */
void output_protect(void);

/* Opens the event log where --log says: stdout, stderr, syslog, none or a path. Empty: standard
   output; for one session (inetd) standard error; and syslog where that is the client's, or the
   listening socket. Returns false and sets errno. */
bool output_open(const char *where, bool inetd);

#endif

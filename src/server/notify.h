/* Telling the supervisor. */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

/* Ready: a newline to fd, which is then closed (s6's notification-fd; -1: none), and READY=1 to
   $NOTIFY_SOCKET where there is one (sd_notify(3)). */
void notify_ready(int fd);

/* STOPPING=1 to $NOTIFY_SOCKET. */
void notify_stopping(void);

#endif

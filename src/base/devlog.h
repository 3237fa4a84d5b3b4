/* Lines to /dev/log, the syslog daemon's socket. Unlike syslog(3) it shows its descriptor to
   those who close all others, connects to nothing that could go away, and reads no time
   zone. */
#ifndef BASE_DEVLOG_H
#define BASE_DEVLOG_H

#include <stdbool.h>
#include <stddef.h>

enum devlog_level { /* RFC 5424 6.2.1 */
                    DEVLOG_CRITICAL = 2,
                    DEVLOG_WARNING = 4,
                    DEVLOG_INFO = 6,
};

/* A close-on-exec descriptor for devlog_send(), or -1 with errno. It need not have a reader
 * yet. */
int devlog_open(void);

/* Sends one line, with this program's name and pid before it; a newline at its end is left out.
   Returns whether somebody took it within 200 ms. */
bool devlog_send(int fd, enum devlog_level level, const char *line, size_t n);

#endif

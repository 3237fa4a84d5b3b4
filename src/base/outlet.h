/* Where event lines go: a file, a pipe, a socket or syslog. What is handed to the kernel is one
   whole line (or several) in one write that cannot be mixed with another's, and that never
   blocks. */
#ifndef BASE_OUTLET_H
#define BASE_OUTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum outlet_kind {
    OUTLET_NONE,
    OUTLET_FILE, /* or a terminal: write(2) as it is, which a held terminal refuses */
    OUTLET_PIPE,
    OUTLET_SOCKET,
    OUTLET_SYSLOG, /* set by the caller, with devlog_open() */
};

struct outlet {
    enum outlet_kind kind;
    int fd; /* -1: it has none */
};

/* An outlet over fd, which stays the caller's; -1: one that takes nothing. Writes to it do not
   block from here on; descriptors that others hold are left as they are where the kernel
   allows it. */
struct outlet outlet_open(int fd);

/* Hands all n bytes to the kernel, waiting for room until the deadline. Returns false when
   there was none in time; then nothing was written, except to a stream socket or a terminal,
   which may have taken a part. More than PIPE_BUF bytes stay whole in a pipe only while nobody
   else writes to it. */
bool outlet_write(const struct outlet *outlet, const char *bytes, size_t n, int64_t deadline);

#endif

/* A byte stream with deadlines: the two descriptors of one SMTP session. They may be one
   socket, two ends of pipes, or a terminal. */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct wire {
    int in, out;
    /* For sockets: how long one read or write blocks at the longest, in milliseconds, because
       of SO_RCVTIMEO and SO_SNDTIMEO or of a timer whose signal interrupts it again and again;
       0 where it has no limit. With one, a read needs no poll(2) before it. */
    int64_t quiet_ms;
    /* When to give up waiting early: asked after each signal. May be NULL. */
    bool (*interrupted)(void *context);
    void *context;
};

enum wire_fault {
    WIRE_CLOSED = 0,       /* the other side ended the stream, or reset it */
    WIRE_TIMEOUT = -1,     /* the deadline came first */
    WIRE_INTERRUPTED = -2, /* interrupted() said so while nothing had come */
};

/* Reads what is there, at most n > 0 bytes, waiting for the first until the deadline. Returns
   how many, or an enum wire_fault. now: clock_ms(), which most callers have at hand. */
ssize_t wire_read(const struct wire *w, void *bytes, size_t n, int64_t now, int64_t deadline);

/* Writes all n bytes within limit_ms. Returns n, or an enum wire_fault; then it is not known
   how many the other side has got. interrupted() is not asked. */
ssize_t wire_write(const struct wire *w, const void *bytes, size_t n, int64_t limit_ms);

/* Has the kernel acknowledge at once what came and what comes (TCP_QUICKACK, tcp(7)). A client
   that sends a message in small writes waits for each to be acknowledged (RFC 896), and a
   receiver with nothing to say takes 40 ms for that. Does nothing on what is no TCP socket. */
void wire_quickack(const struct wire *w);

/* Tells the other side that nothing more is coming, while it may go on sending. Does nothing on
   what is no socket. */
void wire_half_close(const struct wire *w);

#endif

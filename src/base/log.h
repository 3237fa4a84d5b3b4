/* The two outputs. Events are JSON lines for programs, on the event descriptor (standard output
   by default); warnings are sentences for people, on standard error.

   An event line is complete or absent, never cut and never mixed with another process's, and
   writing one never hangs: when nobody reads, it waits a bounded time, then drops and counts.
   docs/log-events.md lists the events. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/jsonout.h"

/* The longest event line with its newline. Docker's awslogs driver splits at 16 KiB. */
#define LOG_LINE_MAX 16000

/* What the processes that share one event descriptor keep in shared memory. Up to PIPE_BUF
   bytes a write(2) to a pipe is whole by itself (pipe(7)); a longer line needs all others to
   keep off until it is out. */
struct log_share {
    pthread_mutex_t turn;       /* robust: held while a long line goes out */
    _Atomic uint32_t long_line; /* 1: one is on its way, so that others queue for their turn */
    _Atomic uint64_t dropped;   /* lines given up, by everybody */
};

/* One process's own mark that it is inside a short write; on a cache line of its own. */
struct log_lane {
    _Atomic uint32_t writing;
};

/* Makes fresh shared state. Once, by the creator of the memory. */
void log_share_init(struct log_share *share);

/* The name put before warnings; kept by reference. */
void log_name(const char *program);

/* Where events go: fd stays the caller's. Makes writes to it non-blocking without changing
   descriptors that others hold, where the kernel allows it. -1: events are thrown away. */
void log_open(int fd);

/* The descriptor that events are written to (not always the one given), for those who close all
   others; -1 where there is none. */
int log_fd(void);

/* Events go to the syslog daemon instead: for one-shot sessions whose only descriptors are the
   client's. */
void log_open_syslog(void);
bool log_is_syslog(void);

/* Shares the event descriptor with others. lanes: `count` lanes, `stride` bytes apart; own:
   this process's, or NULL for a process without one. Without a share each line is written
   alone. */
void log_join(struct log_share *share, struct log_lane *lanes, size_t count, size_t stride,
              struct log_lane *own);

/* How long a write waits for a reader before the line is dropped; 200 by default. */
void log_patience(int ms);

/* One event: begin, add fields to the jsonout, end. begin returns NULL while another is open or
   events are thrown away; end then does nothing. The line waits in the process's buffer (4 KiB:
   what a pipe takes whole) until log_flush() or until the next one does not fit; a line that
   overflows LOG_LINE_MAX is left out and counted as dropped. The jsonout's buffer holds this
   line alone, so that its length is the line's so far. */
struct jsonout *log_event(const char *event);
void log_end(struct jsonout *j);

/* Writes out what waits. Returns false when lines were dropped. */
bool log_flush(void);

/* An event with printf-like text, at once: {"event":NAME,"message":TEXT}. */
void log_message(const char *event, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Lines dropped by this process, or by all that share. */
uint64_t log_dropped(void);

/* Warnings go to the syslog daemon from here on: standard error is a client's socket. */
void log_warn_syslog(void);

/* The descriptor that they are sent through then, for those who close all others; else -1. */
int log_warn_fd(void);

/* "program: warning: text" on standard error; log_warn adds the text of errno. errno is
   kept. */
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "program: fatal: text", then exit(status). Only where nobody is served: before the
   master's loop, in the refresher, in the control tool. */
_Noreturn void log_fatal(int status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
_Noreturn void log_fatalx(int status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Exit codes, as s6 has them. */
enum exit_status {
    EXIT_OK = 0,
    EXIT_TIMEOUT = 99,
    EXIT_USAGE = 100,
    EXIT_SYSTEM = 111,
};

#endif

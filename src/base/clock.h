/* The clocks. Every deadline in the program is a clock_ms() value. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* A deadline that never comes. */
#define CLOCK_NEVER INT64_MAX

/* Milliseconds that only go forward, through suspend too (CLOCK_BOOTTIME): the same for all
   processes of one machine, so that they may be kept in shared memory. */
int64_t clock_ms(void);

/* Milliseconds since 1970, UTC. For people and for log lines; may jump. */
int64_t clock_wall_ms(void);

#define CLOCK_TEXT_SIZE 25

/* Writes a clock_wall_ms() value as RFC 3339 UTC with milliseconds ("2026-01-02T03:04:05.678Z")
   and a NUL into out. */
void clock_text(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);

/* Milliseconds from now to a deadline, for poll(2): 0 when it is past, -1 for CLOCK_NEVER. */
int clock_left(int64_t deadline, int64_t now);

#endif

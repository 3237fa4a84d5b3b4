/* The two ways in which AWS writes a time, as clock_wall_ms() values. */
#ifndef AWS_TIMES_H
#define AWS_TIMES_H

#include <stdbool.h>
#include <stdint.h>

/* "2026-01-02T03:04:05Z", also with a fraction or an offset (+01:00). */
bool times_iso(const char *text, int64_t *out);

/* "Fri, 02 Jan 2026 03:04:05 GMT": the Date header. */
bool times_http(const char *text, int64_t *out);

/* Retry-After: seconds, or such a date. As milliseconds from now_ms; 0 for nonsense and for
   what is past. */
int64_t times_retry_after(const char *text, int64_t now_ms);

#endif

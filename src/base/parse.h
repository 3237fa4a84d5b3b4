/* Strict readings of numbers and pairs: the whole text or nothing. */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A decimal number within [min, max]. False: *out is untouched. */
bool parse_number(const char *text, int64_t min, int64_t max, int64_t *out);

/* "30" and "30s" seconds, "0.25", "500ms", "5m", "2h", as milliseconds within [min, max]. */
bool parse_duration(const char *text, int64_t min, int64_t max, int64_t *out_ms);

/* "N" (both bounds) or "LOW..HIGH" with LOW <= HIGH, both within [min, max]. */
bool parse_range(const char *text, int64_t min, int64_t max, int64_t *low, int64_t *high);

/* Writes a duration for people: "3 s", "12 min", "2 h 5 min", "2 h", "3 d 4 h". */
void format_duration(int64_t ms, char *out, size_t size);

#endif

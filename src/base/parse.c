/* Numbers, durations and ranges, read strictly. */
#include "base/parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads digits; *end is what follows. strtoll(3) alone would take blanks and signs. */
static bool read_digits(const char *text, int64_t *out, const char **end)
{
    char *stop;
    long long value;

    if (*text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    value = strtoll(text, &stop, 10);
    if (errno != 0) {
        return false;
    }
    *out = value;
    *end = stop;
    return true;
}

bool parse_number(const char *text, int64_t min, int64_t max, int64_t *out)
{
    const char *end;
    int64_t value;

    if (!read_digits(text, &value, &end) || *end != '\0' || value < min || value > max) {
        return false;
    }
    *out = value;
    return true;
}

/* The digits behind a point, as thousandths; further digits are dropped. */
static int64_t read_thousandths(const char **at)
{
    int64_t value = 0, weight = 100;

    for (; **at >= '0' && **at <= '9'; (*at)++) {
        value += (**at - '0') * weight;
        weight /= 10;
    }
    return value;
}

bool parse_duration(const char *text, int64_t min, int64_t max, int64_t *out_ms)
{
    static const struct {
        const char *suffix;
        int64_t ms;
    } units[] = {{"", 1000}, {"s", 1000}, {"ms", 1}, {"m", 60000}, {"h", 3600000}};
    const char *at;
    int64_t whole, part = 0;

    if (!read_digits(text, &whole, &at) || whole > INT64_MAX / 3600000 - 1) {
        return false;
    }
    if (*at == '.') {
        at++;
        if (*at < '0' || *at > '9') {
            return false;
        }
        part = read_thousandths(&at);
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(at, units[i].suffix) == 0) {
            int64_t ms = whole * units[i].ms + part * units[i].ms / 1000;

            if (ms < min || ms > max) {
                return false;
            }
            *out_ms = ms;
            return true;
        }
    }
    return false;
}

bool parse_range(const char *text, int64_t min, int64_t max, int64_t *low, int64_t *high)
{
    const char *end;
    int64_t first, last;

    if (!read_digits(text, &first, &end)) {
        return false;
    }
    last = first;
    if (strncmp(end, "..", 2) == 0 && !read_digits(end + 2, &last, &end)) {
        return false;
    }
    if (*end != '\0' || first < min || last > max || first > last) {
        return false;
    }
    *low = first;
    *high = last;
    return true;
}

/* "2 h 5 min", and "2 h" where nothing is left. */
static void format_two(char *out, size_t size, long long whole, const char *unit,
                       long long rest, const char *smaller)
{
    if (rest == 0) {
        snprintf(out, size, "%lld %s", whole, unit);
    } else {
        snprintf(out, size, "%lld %s %lld %s", whole, unit, rest, smaller);
    }
}

void format_duration(int64_t ms, char *out, size_t size)
{
    long long s = ms / 1000;

    if (ms < 1000) {
        snprintf(out, size, "%lld ms", (long long)(ms < 0 ? 0 : ms));
    } else if (s < 120) {
        snprintf(out, size, "%lld s", s);
    } else if (s < 7200) {
        snprintf(out, size, "%lld min", s / 60);
    } else if (s < 172800) {
        format_two(out, size, s / 3600, "h", s % 3600 / 60, "min");
    } else {
        format_two(out, size, s / 86400, "d", s % 86400 / 3600, "h");
    }
}

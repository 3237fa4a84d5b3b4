/* Reading the clocks, and writing a time of day as text without the cost of strftime(3). */
#include "base/clock.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_ms(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

int64_t clock_wall_ms(void)
{
    return read_clock(CLOCK_REALTIME);
}

static void put_digits(char *at, int width, int value)
{
    while (width-- > 0) {
        at[width] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* Counted from the first of March of the year 0, a leap day is the last of its year, and months
   fall in groups of 153 days for five (31 30 31 30 31). */
static void put_date(char *at, int days_since_1970)
{
    int days = days_since_1970 + 719468;
    int of_era = days % 146097; /* 400 years */
    int years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = of_era - (365 * years + years / 4 - years / 100);
    int month = (5 * of_year + 2) / 153;
    bool next = month >= 10; /* January and February */

    put_digits(at, 4, days / 146097 * 400 + years + next);
    put_digits(at + 5, 2, next ? month - 9 : month + 3);
    put_digits(at + 8, 2, of_year - (153 * month + 2) / 5 + 1);
}

/* Not by gmtime_r(3), which looks at the time zone: it opens a file, and a worker may not. */
void clock_text(int64_t wall_ms, char out[CLOCK_TEXT_SIZE])
{
    int64_t seconds = wall_ms / 1000;
    int of_day = (int)(seconds % 86400);

    memcpy(out, "0000-00-00T00:00:00.000Z", CLOCK_TEXT_SIZE);
    put_date(out, (int)(seconds / 86400));
    put_digits(out + 11, 2, of_day / 3600);
    put_digits(out + 14, 2, of_day / 60 % 60);
    put_digits(out + 17, 2, of_day % 60);
    put_digits(out + 20, 3, (int)(wall_ms % 1000));
}

int clock_left(int64_t deadline, int64_t now)
{
    if (deadline == CLOCK_NEVER) {
        return -1;
    }
    if (deadline <= now) {
        return 0;
    }
    return deadline - now > INT_MAX ? INT_MAX : (int)(deadline - now);
}

/* strptime(3) for the fields; what it does not know (fractions, "Z") by hand. */
#include "aws/times.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"

/* "Z", "+0100", "-01:00": minutes east of UTC. */
static bool read_offset(const char *text, int *minutes)
{
    int hours, rest, used = 0;

    *minutes = 0;
    if (strcmp(text, "Z") == 0) {
        return true;
    }
    if ((text[0] != '+' && text[0] != '-') || !isdigit((unsigned char)text[1])) {
        return false;
    }
    if (sscanf(text + 1, "%2d:%2d%n", &hours, &rest, &used) != 2 &&
        sscanf(text + 1, "%2d%2d%n", &hours, &rest, &used) != 2) {
        return false;
    }
    *minutes = (text[0] == '-' ? -1 : 1) * (hours * 60 + rest);
    return text[1 + used] == '\0';
}

bool times_iso(const char *text, int64_t *out)
{
    struct tm tm = {0};
    const char *at = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    int minutes;

    if (at == NULL) {
        return false;
    }
    if (*at == '.') {
        at += 1 + strspn(at + 1, "0123456789");
    }
    if (!read_offset(at, &minutes)) {
        return false;
    }
    *out = ((int64_t)timegm(&tm) - minutes * 60) * 1000;
    return true;
}

bool times_http(const char *text, int64_t *out)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);

    if (end == NULL || *end != '\0') {
        return false;
    }
    *out = (int64_t)timegm(&tm) * 1000;
    return true;
}

int64_t times_retry_after(const char *text, int64_t now_ms)
{
    int64_t value;

    if (parse_number(text, 0, 1000000, &value)) {
        return value * 1000;
    }
    return times_http(text, &value) && value > now_ms ? value - now_ms : 0;
}

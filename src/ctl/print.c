/* Printing for people and for programs. */
#include "ctl/print.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

void print_line(const char *label, const char *format, ...)
{
    va_list args;

    printf("%-10s ", label);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

static int terminal_has_colour(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0') && term != NULL &&
           strcmp(term, "dumb") != 0;
}

const char *paint(enum paint look)
{
    static const char *const codes[] = {
        [PAINT_NONE] = "\033[0m",   [PAINT_BOLD] = "\033[1m", [PAINT_RED] = "\033[31m",
        [PAINT_GREEN] = "\033[32m", [PAINT_DIM] = "\033[2m",
    };
    static int known = -1;

    if (known < 0) {
        known = terminal_has_colour();
    }
    return known ? codes[look] : "";
}

void print_json(const struct jsonout *j)
{
    if (j->overflow) {
        log_fatalx(EXIT_SYSTEM, "the answer does not fit its buffer");
    }
    fwrite(j->to->data, 1, j->to->len, stdout);
    putchar('\n');
}

/* Output for people: aligned lines, and colour where a terminal shows it. */
#ifndef CTL_PRINT_H
#define CTL_PRINT_H

#include <stddef.h>

#include "base/jsonout.h"

/* "label      text": labels of one block stand above one another. */
void print_line(const char *label, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

enum paint { PAINT_NONE, PAINT_BOLD, PAINT_RED, PAINT_GREEN, PAINT_DIM };

/* The escape sequence that begins this look (PAINT_NONE ends it); "" unless standard output is
   a terminal, NO_COLOR is unset and TERM is not "dumb". */
const char *paint(enum paint look);

/* Prints what the JSON buffer holds and a newline; a value that did not fit is a bug, and ends
   the program. */
void print_json(const struct jsonout *j);

#endif

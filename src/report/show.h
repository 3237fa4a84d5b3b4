/* The three forms of the report. Each writes to a stream and leaves its errors to ferror(). */
#ifndef REPORT_SHOW_H
#define REPORT_SHOW_H

#include <stdio.h>

#include "report/ledger.h"

/* For people: each message with its attempts, the counts, and the verdict as the last line. */
void show_text(const struct ledger *ledger, FILE *out);

/* One JSON object. */
void show_json(const struct ledger *ledger, FILE *out);

/* A picture: a row a message, a mark an attempt, coloured by its answer. */
void show_svg(const struct ledger *ledger, FILE *out);

#endif

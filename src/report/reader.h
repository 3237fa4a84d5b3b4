/* Reads log lines into a ledger: as the daemon writes them, behind a prefix (a time stamp, a
   container's name), or inside what CloudWatch Logs exports. */
#ifndef REPORT_READER_H
#define REPORT_READER_H

#include <stddef.h>
#include <stdio.h>

#include "report/ledger.h"

/* Reads to the end. What is no log line is counted and left out. */
void reader_read(FILE *file, struct ledger *ledger);

/* One line of at most n bytes, without its newline. */
void reader_line(const char *line, size_t n, struct ledger *ledger);

#endif

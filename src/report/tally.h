/* What can be counted over all messages of a ledger. */
#ifndef REPORT_TALLY_H
#define REPORT_TALLY_H

#include "report/ledger.h"

/* Between two attempts for one message. */
struct interval {
    int64_t below_ms; /* upper bound; INT64_MAX: none */
    const char *name; /* "1 s to 10 s" */
    size_t count;
};

#define INTERVALS 9

/* Counts the waiting times before each retry. Attempts that messages share are left out: nobody
   knows whose they are. */
void tally_intervals(const struct ledger *ledger, struct interval out[INTERVALS]);

/* One client, which is to say one task of the tier that sends. */
struct client {
    const char *address, *helo;
    size_t answers[ANSWERS];
};

/* Returns how many clients there are and an array of them, sorted by address, for the caller to
   free. */
size_t tally_clients(const struct ledger *ledger, struct client **out);

/* First and last attempt; 0 and 0 without any. */
void tally_span(const struct ledger *ledger, int64_t *first_ms, int64_t *last_ms);

#endif

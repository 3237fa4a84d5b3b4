/* What the log lines say about delivery: every attempt, in order of time, and the messages that
   they belong to. */
#ifndef REPORT_LEDGER_H
#define REPORT_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/pool.h"

enum answer {
    ANSWER_ACCEPTED, /* 2xx to the final dot */
    ANSWER_DEFERRED, /* 4xx */
    ANSWER_REFUSED,  /* 5xx */
    ANSWER_CUT,      /* the client left before it had an answer that settles anything */
    ANSWERS,
};

/* One recipient of one mail transaction. Texts are in the ledger's pool. */
struct attempt {
    int64_t at_ms; /* wall clock, since 1970 */
    size_t order;  /* of the line in the log, for equal times */
    const char *session, *client, *helo, *from, *to, *mode;
    const char *message_id; /* NULL before DATA, or where the message has none */
    int64_t version;        /* of the mode */
    int code;
    bool data; /* DATA began */
    bool open; /* the transaction goes on in a further line */
};

enum state {
    STATE_ONCE,       /* accepted exactly once */
    STATE_PENDING,    /* not accepted, and not refused for good */
    STATE_DUPLICATED, /* accepted more than once */
    STATE_BOUNCED,    /* refused for good */
    STATE_SHARED,     /* attempts that several messages of one envelope share; settled */
    STATES,
};

/* One message to one recipient: a run of attempts[]. A deferred attempt has no Message-ID; its
   sender and recipient say whose it is. Where several messages share both, the attempts without
   a Message-ID form an entry of their own. */
struct message {
    const char *message_id; /* NULL: none was seen */
    const char *from, *to;
    size_t first, count; /* into ledger.attempts */
    size_t accepted;
    enum state state;
};

/* The times at which the sinkhole changed its mode. */
struct change {
    int64_t at_ms;
    const char *mode;
    int64_t version;
};

struct ledger {
    struct pool pool;
    struct attempt *attempts;
    size_t attempt_count;
    struct message *messages;
    size_t message_count;
    struct change *changes;
    size_t change_count;
    const char **lost; /* expected, and never accepted */
    size_t lost_count;
    bool expecting; /* a list of what to expect was given */
    size_t strange; /* lines that are no log lines */
    size_t total[STATES];
};

/* Adds a copy of the attempt; its texts must be in the pool already. */
void ledger_add(struct ledger *ledger, const struct attempt *attempt);
void ledger_add_change(struct ledger *ledger, const struct change *change);

/* The last line of a transaction that was spread over lines: what it says holds for all. */
void ledger_close(struct ledger *ledger, const struct attempt *last);

/* Sorts, forms the messages and counts. Nothing may be added afterwards. */
void ledger_settle(struct ledger *ledger);

/* Finds which of these Message-IDs were never accepted. After ledger_settle(). */
void ledger_expect(struct ledger *ledger, const char *const *ids, size_t count);

/* True when something was seen, and nothing is pending, duplicated or lost. */
bool ledger_proven(const struct ledger *ledger);

enum answer attempt_answer(const struct attempt *attempt);
const char *answer_name(enum answer answer);
const char *state_name(enum state state);

void ledger_free(struct ledger *ledger);

#endif

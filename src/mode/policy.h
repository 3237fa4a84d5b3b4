/* What the server answers, as data. A policy is a small struct without pointers, so that it can
   be published in shared memory; the session asks it at every stage and knows no mode by
   name. */
#ifndef MODE_POLICY_H
#define MODE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mode/stage.h"

#define POLICY_TEXT_SIZE 64
#define POLICY_NAME_SIZE 32
#define POLICY_CLAUSES   2

/* One answer. code 0: no fault here, the protocol's own positive answer is due. */
struct verdict {
    uint16_t code;       /* RFC 5321 4.2 */
    uint8_t enhanced[3]; /* RFC 3463 class, subject, detail; class 0: none is sent */
    uint8_t reserved;
    char text[POLICY_TEXT_SIZE]; /* NUL-terminated, printable ASCII */
};

/* When a clause speaks. */
enum condition {
    WHEN_ALWAYS,
    WHEN_FIRST_SEEN, /* the client's address is new within the greylist window */
};

struct clause {
    uint8_t when; /* enum condition */
    struct verdict verdict;
};

enum policy_flag {
    POLICY_LOG_MESSAGE = 1 << 0, /* an `accepted` line with envelope and headers */
};

struct policy {
    char name[POLICY_NAME_SIZE]; /* what logs call it: the mode's name */
    uint32_t flags;              /* enum policy_flag */
    /* The first clause of a stage whose condition holds speaks; where none does, code 0. */
    struct clause at[STAGE_COUNT][POLICY_CLAUSES];
};

/* The modes of version 1. */
enum mode {
    MODE_DEFER, /* the default: also while nothing is known */
    MODE_BOUNCE,
    MODE_ACCEPT,
    MODE_ACCEPT_LOG,
    MODE_GREYLIST,
    MODE_COUNT,
};

/* The mode's name, never NULL. */
const char *mode_name(enum mode mode);

/* One line on what a client sees in this mode, for help texts. */
const char *mode_summary(enum mode mode);

/* "defer, bounce, accept, accept-log, greylist": for messages. Static. */
const char *mode_list(void);

/* Finds the mode that a value names; white space around it is ignored (files end in newlines),
   case is not. Returns false, and leaves *out alone, when there is none. */
bool mode_parse(const char *value, size_t n, enum mode *out);

/* The mode's row, ready to publish. Never NULL, static. */
const struct policy *mode_policy(enum mode mode);

/* What decides a condition: asked at most once for each verdict, only when a clause needs it.
   Changes what it is asked about (an address seen now is seen from then on). */
struct policy_facts {
    bool (*first_seen)(void *context);
    void *context;
};

/* The answer that is due at a stage. Returns a pointer into the policy, or to a static verdict
   with code 0; never NULL. */
const struct verdict *policy_verdict(const struct policy *policy, enum stage stage,
                                     const struct policy_facts *facts);

#endif

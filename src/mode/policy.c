/* The modes of version 1, one row each, and the reading of a policy. */
#include "mode/policy.h"

#include <ctype.h>
#include <string.h>

#define SAY(condition, number, class, subject, detail, words)                                  \
    {                                                                                          \
        .when = (condition), .verdict = {                                                      \
            .code = (number),                                                                  \
            .enhanced = {(class), (subject), (detail)},                                        \
            .text = words                                                                      \
        }                                                                                      \
    }

static const struct {
    const char *summary;
    struct policy policy;
} rows[] = {
    [MODE_DEFER] =
        {
            "421 to every RCPT TO: the client keeps the message queued",
            {.name = "defer",
             .at[STAGE_RCPT] = {SAY(WHEN_ALWAYS, 421, 4, 3, 2,
                                    "Service temporarily unavailable")}},
        },
    [MODE_BOUNCE] =
        {
            "550 to every RCPT TO: the client returns the message to its sender",
            {.name = "bounce",
             .at[STAGE_RCPT] = {SAY(WHEN_ALWAYS, 550, 5, 1, 1, "User unknown")}},
        },
    [MODE_ACCEPT] =
        {
            "250: the message is taken and thrown away",
            {.name = "accept"},
        },
    [MODE_ACCEPT_LOG] =
        {
            "as accept, and one log line with the envelope and the headers",
            {.name = "accept-log", .flags = POLICY_LOG_MESSAGE},
        },
    [MODE_GREYLIST] =
        {
            "421 to the first connection of an address, then 250 for the window",
            {.name = "greylist",
             .at[STAGE_RCPT] = {SAY(WHEN_FIRST_SEEN, 421, 4, 7, 1,
                                    "Greylisted; try again later")}},
        },
};
_Static_assert(sizeof rows / sizeof rows[0] == MODE_COUNT, "each mode has a row");

const char *mode_name(enum mode mode)
{
    return rows[mode].policy.name;
}

const char *mode_summary(enum mode mode)
{
    return rows[mode].summary;
}

const char *mode_list(void)
{
    static char list[MODE_COUNT * (POLICY_NAME_SIZE + 2)];

    if (list[0] == '\0') {
        for (int mode = 0; mode < MODE_COUNT; mode++) {
            strcat(list, mode == 0 ? "" : ", ");
            strcat(list, rows[mode].policy.name);
        }
    }
    return list;
}

bool mode_parse(const char *value, size_t n, enum mode *out)
{
    while (n > 0 && isspace((unsigned char)value[0])) {
        value++;
        n--;
    }
    while (n > 0 && isspace((unsigned char)value[n - 1])) {
        n--;
    }
    for (int mode = 0; mode < MODE_COUNT; mode++) {
        const char *name = rows[mode].policy.name;

        if (strlen(name) == n && memcmp(name, value, n) == 0) {
            *out = (enum mode)mode;
            return true;
        }
    }
    return false;
}

const struct policy *mode_policy(enum mode mode)
{
    return &rows[mode].policy;
}

static bool holds(enum condition when, const struct policy_facts *facts)
{
    switch (when) {
    case WHEN_ALWAYS:
        return true;
    case WHEN_FIRST_SEEN:
        return facts->first_seen(facts->context);
    }
    return false;
}

const struct verdict *policy_verdict(const struct policy *policy, enum stage stage,
                                     const struct policy_facts *facts)
{
    static const struct verdict proceed;

    for (int i = 0; i < POLICY_CLAUSES; i++) {
        const struct clause *clause = &policy->at[stage][i];

        if (clause->verdict.code != 0 && holds((enum condition)clause->when, facts)) {
            return &clause->verdict;
        }
    }
    return &proceed;
}

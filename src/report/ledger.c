/* The attempts sorted into messages. */
#include "report/ledger.h"

#include <stdlib.h>
#include <string.h>

/* Room for one more element; arrays double. */
#define MAKE_ROOM(array, count)                                                                \
    do {                                                                                       \
        if (((count) & ((count)-1)) == 0) {                                                    \
            (array) = pool_grow((array), (count) == 0 ? 1 : 2 * (count), sizeof *(array));     \
        }                                                                                      \
    } while (0)

void ledger_add(struct ledger *ledger, const struct attempt *attempt)
{
    MAKE_ROOM(ledger->attempts, ledger->attempt_count);
    ledger->attempts[ledger->attempt_count] = *attempt;
    ledger->attempts[ledger->attempt_count].order = ledger->attempt_count;
    ledger->attempt_count++;
}

void ledger_add_change(struct ledger *ledger, const struct change *change)
{
    MAKE_ROOM(ledger->changes, ledger->change_count);
    ledger->changes[ledger->change_count++] = *change;
}

static bool is_positive(int code)
{
    return code / 100 == 2;
}

void ledger_close(struct ledger *ledger, const struct attempt *last)
{
    for (size_t i = ledger->attempt_count; i-- > 0;) {
        struct attempt *a = &ledger->attempts[i];

        if (!a->open || strcmp(a->session, last->session) != 0) {
            continue;
        }
        a->open = false;
        a->data = last->data;
        a->message_id = last->message_id;
        if (is_positive(a->code)) {
            a->code = last->code;
        }
    }
}

enum answer attempt_answer(const struct attempt *attempt)
{
    switch (attempt->code / 100) {
    case 2:
        return attempt->data ? ANSWER_ACCEPTED : ANSWER_CUT;
    case 4:
        return ANSWER_DEFERRED;
    case 5:
        return ANSWER_REFUSED;
    default:
        return ANSWER_CUT;
    }
}

const char *answer_name(enum answer answer)
{
    static const char *const names[ANSWERS] = {
        [ANSWER_ACCEPTED] = "accepted",
        [ANSWER_DEFERRED] = "deferred",
        [ANSWER_REFUSED] = "refused",
        [ANSWER_CUT] = "cut",
    };
    return names[answer];
}

const char *state_name(enum state state)
{
    static const char *const names[STATES] = {
        [STATE_ONCE] = "accepted once",    [STATE_PENDING] = "pending",
        [STATE_DUPLICATED] = "duplicated", [STATE_BOUNCED] = "bounced",
        [STATE_SHARED] = "shared",
    };
    return names[state];
}

/* ---- order ---- */

/* NULL stands before every text. */
static int compare_texts(const char *a, const char *b)
{
    return a == NULL || b == NULL ? (a != NULL) - (b != NULL) : strcmp(a, b);
}

static int compare_times(const struct attempt *a, const struct attempt *b)
{
    int64_t left = a->at_ms != b->at_ms ? a->at_ms : (int64_t)a->order;
    int64_t right = a->at_ms != b->at_ms ? b->at_ms : (int64_t)b->order;

    return (left > right) - (left < right);
}

static int compare_envelopes(const struct attempt *a, const struct attempt *b)
{
    int order = strcmp(a->to, b->to);

    return order != 0 ? order : strcmp(a->from, b->from);
}

static int by_envelope_and_time(const void *a, const void *b)
{
    int order = compare_envelopes(a, b);

    return order != 0 ? order : compare_times(a, b);
}

static int by_id_and_time(const void *left, const void *right)
{
    const struct attempt *a = left, *b = right;
    int order = compare_texts(a->message_id, b->message_id);

    return order != 0 ? order : compare_times(a, b);
}

/* ---- messages ---- */

static enum state judge(const struct ledger *ledger, const struct message *message)
{
    const struct attempt *last = &ledger->attempts[message->first + message->count - 1];

    if (message->accepted > 0) {
        return message->accepted == 1 ? STATE_ONCE : STATE_DUPLICATED;
    }
    return attempt_answer(last) == ANSWER_REFUSED ? STATE_BOUNCED : STATE_PENDING;
}

static struct message *add_message(struct ledger *ledger, size_t first, size_t count)
{
    const struct attempt *a = &ledger->attempts[first];
    struct message *m;

    MAKE_ROOM(ledger->messages, ledger->message_count);
    m = &ledger->messages[ledger->message_count++];
    *m = (struct message){.from = a->from, .to = a->to, .first = first, .count = count};
    for (size_t i = first; i < first + count; i++) {
        if (ledger->attempts[i].message_id != NULL) {
            m->message_id = ledger->attempts[i].message_id;
        }
        m->accepted += attempt_answer(&ledger->attempts[i]) == ANSWER_ACCEPTED;
    }
    m->state = judge(ledger, m);
    return m;
}

/* How many different Message-IDs stand in a range that is sorted by envelope. */
static bool has_many_ids(const struct attempt *attempts, size_t count)
{
    const char *seen = NULL;

    for (size_t i = 0; i < count; i++) {
        const char *id = attempts[i].message_id;

        if (id != NULL && seen != NULL && strcmp(id, seen) != 0) {
            return true;
        }
        seen = id != NULL ? id : seen;
    }
    return false;
}

/* The attempts that nobody can ascribe: settled when the envelope's last attempt was. */
static void settle_shared(struct message *shared, const struct attempt *last)
{
    if (shared->accepted == 0) {
        shared->state = attempt_answer(last) == ANSWER_ACCEPTED  ? STATE_SHARED
                        : attempt_answer(last) == ANSWER_REFUSED ? STATE_BOUNCED
                                                                 : STATE_PENDING;
    }
}

/* One envelope's attempts; sorts them by Message-ID where there are several. */
static void split_envelope(struct ledger *ledger, size_t first, size_t count)
{
    struct attempt *attempts = ledger->attempts + first;
    struct attempt last = attempts[count - 1];

    if (!has_many_ids(attempts, count)) {
        add_message(ledger, first, count);
        return;
    }
    qsort(attempts, count, sizeof *attempts, by_id_and_time);
    for (size_t i = 0, n; i < count; i += n) {
        struct message *m;

        for (n = 1; i + n < count &&
                    compare_texts(attempts[i].message_id, attempts[i + n].message_id) == 0;
             n++) {
        }
        m = add_message(ledger, first + i, n);
        if (m->message_id == NULL) {
            settle_shared(m, &last);
        }
    }
}

static const struct attempt *sorted_attempts; /* for by_first_attempt(): qsort has no context */

static int by_first_attempt(const void *left, const void *right)
{
    const struct message *a = left, *b = right;

    return compare_times(&sorted_attempts[a->first], &sorted_attempts[b->first]);
}

void ledger_settle(struct ledger *ledger)
{
    struct attempt *attempts = ledger->attempts;

    if (ledger->attempt_count == 0) {
        return;
    }
    qsort(attempts, ledger->attempt_count, sizeof *attempts, by_envelope_and_time);
    for (size_t i = 0, n; i < ledger->attempt_count; i += n) {
        for (n = 1; i + n < ledger->attempt_count &&
                    compare_envelopes(&attempts[i], &attempts[i + n]) == 0;
             n++) {
        }
        split_envelope(ledger, i, n);
    }
    sorted_attempts = attempts;
    qsort(ledger->messages, ledger->message_count, sizeof *ledger->messages, by_first_attempt);
    for (size_t i = 0; i < ledger->message_count; i++) {
        ledger->total[ledger->messages[i].state]++;
    }
}

/* ---- what was to be expected ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void ledger_expect(struct ledger *ledger, const char *const *ids, size_t count)
{
    const char **accepted = pool_grow(NULL, ledger->message_count + 1, sizeof *accepted);
    size_t n = 0;

    for (size_t i = 0; i < ledger->message_count; i++) {
        if (ledger->messages[i].accepted > 0 && ledger->messages[i].message_id != NULL) {
            accepted[n++] = ledger->messages[i].message_id;
        }
    }
    qsort(accepted, n, sizeof *accepted, by_text);
    for (size_t i = 0; i < count; i++) {
        if (bsearch(&ids[i], accepted, n, sizeof *accepted, by_text) == NULL) {
            MAKE_ROOM(ledger->lost, ledger->lost_count);
            ledger->lost[ledger->lost_count++] = pool_text(&ledger->pool, ids[i]);
        }
    }
    ledger->expecting = true;
    free(accepted);
}

bool ledger_proven(const struct ledger *ledger)
{
    return ledger->attempt_count > 0 && ledger->lost_count == 0 &&
           ledger->total[STATE_PENDING] == 0 && ledger->total[STATE_DUPLICATED] == 0;
}

void ledger_free(struct ledger *ledger)
{
    free(ledger->attempts);
    free(ledger->messages);
    free(ledger->changes);
    free(ledger->lost);
    pool_free(&ledger->pool);
    *ledger = (struct ledger){0};
}

/* report: log lines become messages, and messages get a verdict. Tables of lines. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "report/ledger.h"
#include "report/reader.h"
#include "report/tally.h"
#include "runner.h"

#define TIME(s)                                                                                \
    "{\"time\":\"2026-01-02T03:04:" s ".000Z\",\"event\":\"attempt\",\"session\":\"s\","
#define FROM(to)   "\"client\":\"10.0.0.1\",\"helo\":\"h\",\"from\":\"f\",\"rcpts\":[" to "],"
#define TO(t, c)   "{\"to\":\"" t "\",\"code\":" #c "}"
#define NO_DATA(c) "\"code\":" #c ",\"mode\":\"defer\",\"version\":1}"
#define DATA(c, id)                                                                            \
    "\"code\":" #c ",\"message_id\":\"" id "\",\"bytes\":9,\"mode\":\"accept\",\"version\":2}"

/* Lines in, totals out. */
static const struct {
    const char *lines[6];
    size_t once, pending, duplicated, bounced, strange;
} logs[] = {
    {{TIME("01") FROM(TO("a", 421)) NO_DATA(421)}, .pending = 1},
    {{TIME("01") FROM(TO("a", 550)) NO_DATA(550)}, .bounced = 1},
    {{TIME("01") FROM(TO("a", 250)) DATA(250, "<1>")}, .once = 1},
    {{TIME("01") FROM(TO("a", 421)) NO_DATA(421),
      TIME("02") FROM(TO("a", 250)) DATA(250, "<1>")},
     .once = 1},
    /* the order of the lines is not the order of time */
    {{TIME("02") FROM(TO("a", 250)) DATA(250, "<1>"),
      TIME("01") FROM(TO("a", 421)) NO_DATA(421)},
     .once = 1},
    {{TIME("01") FROM(TO("a", 250)) DATA(250, "<1>"),
      TIME("02") FROM(TO("a", 250)) DATA(250, "<1>")},
     .duplicated = 1},
    /* one message, two recipients */
    {{TIME("01") FROM(TO("a", 250) "," TO("b", 421)) DATA(250, "<1>")},
     .once = 1,
     .pending = 1},
    /* a recipient that was accepted, and no data; data without its end; data that is refused */
    {{TIME("01") FROM(TO("a", 250)) NO_DATA(250)}, .pending = 1},
    {{TIME("01") FROM(TO("a", 250)) DATA(354, "<1>")}, .pending = 1},
    {{TIME("01") FROM(TO("a", 250)) DATA(451, "<1>")}, .pending = 1},
    {{TIME("01") FROM(TO("a", 250)) DATA(554, "<1>")}, .bounced = 1},
    /* two messages of one envelope: the first attempt is one of theirs, and settled */
    {{TIME("01") FROM(TO("a", 421)) NO_DATA(421),
      TIME("02") FROM(TO("a", 250)) DATA(250, "<1>"),
      TIME("03") FROM(TO("a", 250)) DATA(250, "<2>")},
     .once = 2},
    {{TIME("01") FROM(TO("a", 250)) DATA(250, "<1>"),
      TIME("02") FROM(TO("a", 250)) DATA(250, "<2>"),
      TIME("03") FROM(TO("a", 421)) NO_DATA(421)},
     .once = 2,
     .pending = 1},
    /* a list of recipients that went on in a second line */
    {{TIME("01")
          FROM(TO("a", 250)) "\"part\":1,\"more\":true,\"mode\":\"accept\",\"version\":2}",
      TIME("01") FROM(TO("b", 250)) "\"part\":2," DATA(250, "<1>")},
     .once = 2},
    /* other lines */
    {{"{\"time\":\"2026-01-02T03:04:05.678Z\",\"event\":\"session\"}"}, .pending = 0},
    {{"some words", "{\"a\":1}", "{", ""}, .strange = 3},
    {{"2026-01-02 prefix " TIME("01") FROM(TO("a", 250)) DATA(250, "<1>")}, .once = 1},
};

static void read_all(struct ledger *ledger, const char *const lines[6])
{
    for (size_t i = 0; i < 6 && lines[i] != NULL; i++) {
        reader_line(lines[i], strlen(lines[i]), ledger);
    }
    ledger_settle(ledger);
}

START_TEST(lines_become_messages)
{
    struct ledger ledger = {0};

    read_all(&ledger, logs[_i].lines);
    ck_assert_uint_eq(ledger.total[STATE_ONCE], logs[_i].once);
    ck_assert_uint_eq(ledger.total[STATE_PENDING], logs[_i].pending);
    ck_assert_uint_eq(ledger.total[STATE_DUPLICATED], logs[_i].duplicated);
    ck_assert_uint_eq(ledger.total[STATE_BOUNCED], logs[_i].bounced);
    ck_assert_uint_eq(ledger.strange, logs[_i].strange);
    ck_assert_int_eq(ledger_proven(&ledger),
                     ledger.attempt_count > 0 && logs[_i].pending + logs[_i].duplicated == 0);
    ledger_free(&ledger);
}
END_TEST

START_TEST(what_was_expected_and_never_came_is_lost)
{
    static const char *const lines[6] = {TIME("01") FROM(TO("a", 250)) DATA(250, "<1>")};
    static const char *const ids[] = {"<1>", "<2>", "<0>"};
    struct ledger ledger = {0};

    read_all(&ledger, lines);
    ledger_expect(&ledger, ids, 1);
    ck_assert(ledger_proven(&ledger));
    ledger_expect(&ledger, ids, 3);
    ck_assert_uint_eq(ledger.lost_count, 2);
    ck_assert_str_eq(ledger.lost[0], "<2>");
    ck_assert_str_eq(ledger.lost[1], "<0>");
    ck_assert(!ledger_proven(&ledger));
    ledger_free(&ledger);
}
END_TEST

START_TEST(waiting_times_are_counted)
{
    static const char *const lines[6] = {
        TIME("01") FROM(TO("a", 421)) NO_DATA(421), TIME("02") FROM(TO("a", 421)) NO_DATA(421),
        TIME("12") FROM(TO("a", 421)) NO_DATA(421), TIME("12") FROM(TO("b", 421)) NO_DATA(421)};
    struct interval intervals[INTERVALS];
    struct ledger ledger = {0};
    struct client *clients;

    read_all(&ledger, lines);
    tally_intervals(&ledger, intervals);
    ck_assert_uint_eq(intervals[0].count, 0);
    ck_assert_uint_eq(intervals[1].count, 1); /* 1 s to 10 s: the lower bound is in */
    ck_assert_uint_eq(intervals[2].count, 1);
    ck_assert_uint_eq(tally_clients(&ledger, &clients), 1);
    ck_assert_uint_eq(clients[0].answers[ANSWER_DEFERRED], 4);
    free(clients);
    ledger_free(&ledger);
}
END_TEST

START_TEST(texts_survive_more_of_them)
{
    struct pool pool = {0};
    const char *first = pool_text(&pool, "first");
    char *large = calloc(1, 200000);

    memset(large, 'x', 199999);
    ck_assert_uint_eq(strlen(pool_text(&pool, large)), 199999);
    for (int i = 0; i < 20000; i++) {
        pool_text(&pool, "another text");
    }
    ck_assert_str_eq(first, "first");
    ck_assert_ptr_null(pool_text(&pool, NULL));
    free(large);
    pool_free(&pool);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("ledger");
    TCase *cases = tcase_create("cases");

    tcase_set_timeout(cases, 0);
    tcase_add_loop_test(cases, lines_become_messages, 0, sizeof logs / sizeof logs[0]);
    tcase_add_test(cases, what_was_expected_and_never_came_is_lost);
    tcase_add_test(cases, waiting_times_are_counted);
    tcase_add_test(cases, texts_survive_more_of_them);
    suite_add_tcase(suite, cases);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}

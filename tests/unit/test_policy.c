/* mode/policy: the rows, their names, and what a session is told at each stage. */
#include "mode/policy.h"

#include <check.h>
#include <string.h>

#include "runner.h"

static int asked;
static bool answer;

static bool first_seen(void *context)
{
    (void)context;
    asked++;
    return answer;
}

static const struct policy_facts facts = {first_seen, NULL};

static const struct {
    const char *value;
    bool good;
    enum mode mode;
} values[] = {
    {"defer", true, MODE_DEFER},
    {"bounce", true, MODE_BOUNCE},
    {"accept", true, MODE_ACCEPT},
    {"accept-log", true, MODE_ACCEPT_LOG},
    {"greylist", true, MODE_GREYLIST},
    {" \taccept\r\n", true, MODE_ACCEPT},
    {"Accept", false, 0},
    {"accept-", false, 0},
    {"accept log", false, 0},
    {"", false, 0},
    {"\n", false, 0},
    {"defer;bounce", false, 0},
};

START_TEST(values_name_modes)
{
    enum mode mode = MODE_COUNT;

    ck_assert_int_eq(mode_parse(values[_i].value, strlen(values[_i].value), &mode),
                     values[_i].good);
    ck_assert_int_eq(mode, values[_i].good ? values[_i].mode : MODE_COUNT);
}
END_TEST

START_TEST(a_value_may_hold_a_nul)
{
    enum mode mode;

    ck_assert(!mode_parse("accept\0", 7, &mode));
}
END_TEST

/* mode, stage -> code; every pair that is not here is code 0. */
static const struct {
    enum mode mode;
    enum stage stage;
    int code;
    const char *text;
} faults[] = {
    {MODE_DEFER, STAGE_RCPT, 421, "Service temporarily unavailable"},
    {MODE_BOUNCE, STAGE_RCPT, 550, "User unknown"},
    {MODE_GREYLIST, STAGE_RCPT, 421, "Greylisted; try again later"},
};

START_TEST(only_the_listed_stages_fail)
{
    answer = true;
    for (int mode = 0; mode < MODE_COUNT; mode++) {
        for (int stage = 0; stage < STAGE_COUNT; stage++) {
            const struct verdict *v =
                policy_verdict(mode_policy((enum mode)mode), (enum stage)stage, &facts);
            int code = 0;

            for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
                if (faults[i].mode == (enum mode)mode && faults[i].stage == (enum stage)stage) {
                    code = faults[i].code;
                    ck_assert_str_eq(v->text, faults[i].text);
                }
            }
            ck_assert_int_eq(v->code, code);
        }
    }
}
END_TEST

START_TEST(the_greylist_is_asked_once_and_only_when_it_matters)
{
    asked = 0;
    answer = false;
    ck_assert_int_eq(policy_verdict(mode_policy(MODE_GREYLIST), STAGE_RCPT, &facts)->code, 0);
    ck_assert_int_eq(asked, 1);
    policy_verdict(mode_policy(MODE_GREYLIST), STAGE_MAIL, &facts);
    policy_verdict(mode_policy(MODE_DEFER), STAGE_RCPT, &facts);
    policy_verdict(mode_policy(MODE_ACCEPT), STAGE_RCPT, &facts);
    ck_assert_int_eq(asked, 1);
}
END_TEST

START_TEST(names_and_summaries_are_there)
{
    ck_assert_str_eq(mode_list(), "defer, bounce, accept, accept-log, greylist");
    for (int mode = 0; mode < MODE_COUNT; mode++) {
        ck_assert_str_eq(mode_policy((enum mode)mode)->name, mode_name((enum mode)mode));
        ck_assert_uint_gt(strlen(mode_summary((enum mode)mode)), 10);
    }
    ck_assert(mode_policy(MODE_ACCEPT_LOG)->flags & POLICY_LOG_MESSAGE);
    ck_assert(!(mode_policy(MODE_ACCEPT)->flags & POLICY_LOG_MESSAGE));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("policy");
    TCase *tc = tcase_create("policy");

    tcase_add_loop_test(tc, values_name_modes, 0, (int)(sizeof values / sizeof values[0]));
    tcase_add_test(tc, a_value_may_hold_a_nul);
    tcase_add_test(tc, only_the_listed_stages_fail);
    tcase_add_test(tc, the_greylist_is_asked_once_and_only_when_it_matters);
    tcase_add_test(tc, names_and_summaries_are_there);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

/* smtp/reply: replies on the wire. */
#include "smtp/reply.h"

#include <check.h>
#include <string.h>

#include "runner.h"

static char storage[64];

static void expect(const struct buf *out, const char *want)
{
    ck_assert_uint_eq(out->len, strlen(want));
    ck_assert_int_eq(memcmp(out->data, want, out->len), 0);
}

START_TEST(lines_of_one_reply_are_tied_by_dashes)
{
    struct buf out = buf_over(storage, sizeof storage);

    ck_assert(reply_add(&out, 250, true, "a.example"));
    ck_assert(reply_add(&out, 250, false, "HELP"));
    expect(&out, "250-a.example\r\n250 HELP\r\n");
}
END_TEST

static const struct {
    struct verdict verdict;
    const char *line;
} verdicts[] = {
    {{.code = 421, .enhanced = {4, 3, 2}, .text = "Come back"}, "421 4.3.2 Come back\r\n"},
    {{.code = 550, .enhanced = {5, 1, 1}, .text = "No"}, "550 5.1.1 No\r\n"},
    {{.code = 554, .text = "No service"}, "554 No service\r\n"},
    {{.code = 550, .enhanced = {5, 7, 255}, .text = ""}, "550 5.7.255 \r\n"},
};

START_TEST(verdict_is_written_with_its_enhanced_code)
{
    struct buf out = buf_over(storage, sizeof storage);

    ck_assert(reply_add_verdict(&out, &verdicts[_i].verdict));
    expect(&out, verdicts[_i].line);
}
END_TEST

/* A reply that is cut anywhere would be worse than none. */
START_TEST(what_does_not_fit_leaves_no_trace)
{
    const struct verdict *verdict = &verdicts[0].verdict;

    for (size_t room = 0; room < strlen(verdicts[0].line); room++) {
        struct buf out = buf_over(storage, room);

        ck_assert(!reply_add_verdict(&out, verdict));
        ck_assert(!reply_add(&out, 421, true, "4.3.2 Come back"));
        ck_assert_uint_eq(out.len, 0);
    }
}
END_TEST

START_TEST(first_digit_says_whether_to_go_on)
{
    ck_assert(reply_positive(250) && reply_positive(354) && reply_positive(221));
    ck_assert(!reply_positive(421) && !reply_positive(550) && !reply_positive(0));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("reply");
    TCase *tc = tcase_create("reply");

    tcase_add_test(tc, lines_of_one_reply_are_tied_by_dashes);
    tcase_add_loop_test(tc, verdict_is_written_with_its_enhanced_code, 0,
                        sizeof verdicts / sizeof verdicts[0]);
    tcase_add_test(tc, what_does_not_fit_leaves_no_trace);
    tcase_add_test(tc, first_digit_says_whether_to_go_on);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

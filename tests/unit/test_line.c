/* smtp/line: what comes out must not depend on how the bytes came in. */
#include "smtp/line.h"

#include <check.h>
#include <string.h>

#include "runner.h"

#define LIMIT 8

/* `out`: the lines, each behind a '|'; '!' stands for one that was too long. */
static const struct {
    const char *in, *out;
    uint64_t bare_lf;
} rows[] = {
    {"", "", 0},
    {"NOOP", "", 0},
    {"NOOP\r", "", 0},
    {"NOOP\r\n", "|NOOP", 0},
    {"NOOP\n", "|NOOP", 1},
    {"\r\n", "|", 0},
    {"\n\n", "||", 2},
    {"A\r\nB\nC\r\n", "|A|B|C", 1},
    {"A\r\r\n", "|A\r", 0},       /* one CR belongs to the end, the other does not */
    {"A\rB\r\n", "|A\rB", 0},     /* CR alone ends nothing */
    {"123456\r\n", "|123456", 0}, /* the limit counts the end */
    {"1234567\n", "|1234567", 1},
    {"1234567\r\n", "!", 0},
    {"12345678\n", "!", 0},
    {"12345678", "", 0},
    {"1234567890123456789012345\r\nA\r\n", "!|A", 0},
    {"1234567890\r\n1234567890\n\nA\r\n", "!!||A", 1},
    {"123456789\r", "", 0},
};

static uint64_t bare_lf;

/* Feeds the text in pieces of `first` bytes and then `then` bytes, as a session does: what is
   not used stays in front of the next piece. */
static const char *cut(const char *in, size_t first, size_t then)
{
    static char out[256];
    struct line_reader reader = line_reader_for(LIMIT);
    size_t total = strlen(in), have = 0, at = 0;

    out[0] = '\0';
    while (have < total) {
        size_t piece = have == 0 ? first : then;

        have = have + piece < total ? have + piece : total;
        for (;;) {
            struct span line = {0};
            size_t used;
            enum line_result result = line_next(&reader, in + at, have - at, &line, &used);

            at += used;
            if (result == LINE_MORE) {
                ck_assert_uint_lt(have - at, LIMIT);
                break;
            }
            strcat(out, result == LINE_LONG ? "!" : "|");
            strncat(out, line.at == NULL ? "" : line.at, line.n);
        }
    }
    bare_lf = reader.bare_lf;
    return out;
}

START_TEST(lines_come_out_whole_however_they_came_in)
{
    size_t n = strlen(rows[_i].in);

    for (size_t first = 1; first <= n + 1; first++) {
        for (size_t then = 1; then <= n + 1; then++) {
            ck_assert_str_eq(cut(rows[_i].in, first, then), rows[_i].out);
            ck_assert_uint_eq(bare_lf, rows[_i].bare_lf);
        }
    }
}
END_TEST

START_TEST(nul_is_a_byte_like_others)
{
    struct line_reader reader = line_reader_for(LIMIT);
    struct span line;
    size_t used;

    ck_assert_int_eq(line_next(&reader, "A\0B\r\n", 5, &line, &used), LINE_READY);
    ck_assert_uint_eq(line.n, 3);
    ck_assert_uint_eq(used, 5);
}
END_TEST

/* A megabyte without an end leaves nothing to keep, and gives one answer. */
START_TEST(endless_line_is_not_kept)
{
    static char bytes[1024];
    struct line_reader reader = line_reader_for(LIMIT);
    struct span line;
    size_t used;

    memset(bytes, 'x', sizeof bytes);
    for (int i = 0; i < 1024; i++) {
        ck_assert_int_eq(line_next(&reader, bytes, sizeof bytes, &line, &used), LINE_MORE);
        ck_assert_uint_eq(used, sizeof bytes);
    }
    ck_assert_int_eq(line_next(&reader, "\r\nQUIT\r\n", 8, &line, &used), LINE_LONG);
    ck_assert_uint_eq(used, 2);
    ck_assert_int_eq(line_next(&reader, "QUIT\r\n", 6, &line, &used), LINE_READY);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("line");
    TCase *tc = tcase_create("line");

    tcase_add_loop_test(tc, lines_come_out_whole_however_they_came_in, 0,
                        sizeof rows / sizeof rows[0]);
    tcase_add_test(tc, nul_is_a_byte_like_others);
    tcase_add_test(tc, endless_line_is_not_kept);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

/* base: buffers, JSON output, clocks, numbers and durations. Tables of cases. */
#include <check.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonout.h"
#include "base/parse.h"
#include "runner.h"

START_TEST(a_buffer_refuses_what_does_not_fit)
{
    char storage[8];
    struct buf b = buf_over(storage, sizeof storage);

    ck_assert(buf_adds(&b, "12345"));
    ck_assert(!buf_adds(&b, "6789"));
    ck_assert_uint_eq(b.len, 5);
    ck_assert(!buf_addf(&b, "%d", 678)); /* needs room for its NUL */
    ck_assert(buf_addf(&b, "%d", 67));
    ck_assert(buf_addc(&b, '8'));
    ck_assert(!buf_addc(&b, '9'));
    ck_assert(buf_add(&b, "", 0));
    buf_drop(&b, 6);
    ck_assert_uint_eq(b.len, 2);
    ck_assert_int_eq(memcmp(b.data, "78", 2), 0);
}
END_TEST

static const struct {
    uint64_t number;
    const char *text;
} numbers[] = {{0, "0"}, {9, "9"}, {10, "10"}, {UINT64_MAX, "18446744073709551615"}};

START_TEST(numbers_are_written_whole)
{
    char storage[32];
    struct buf b = buf_over(storage, sizeof storage);

    ck_assert(buf_addu(&b, numbers[_i].number));
    ck_assert_uint_eq(b.len, strlen(numbers[_i].text));
    ck_assert_int_eq(memcmp(b.data, numbers[_i].text, b.len), 0);
}
END_TEST

static const struct {
    const char *bytes;
    size_t n;
    const char *json;
} strings[] = {
    {"plain", 5, "\"plain\""},
    {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
    {"\0\n\r\t\x1f\x7f", 6, "\"\\u0000\\u000a\\u000d\\u0009\\u001f\\u007f\""},
    {"gr\xc3\xbc\xc3\x9f", 6, "\"gr\xc3\xbc\xc3\x9f\""},
    {"\xf0\x9f\x93\xac", 4, "\"\xf0\x9f\x93\xac\""},
    {"\xff", 1, "\"\\ufffd\""},
    {"\xc3", 1, "\"\\ufffd\""},                                  /* cut short */
    {"\xc0\xaf", 2, "\"\\ufffd\\ufffd\""},                       /* over-long */
    {"\xed\xa0\x80", 3, "\"\\ufffd\\ufffd\\ufffd\""},            /* a surrogate */
    {"\xf4\x90\x80\x80", 4, "\"\\ufffd\\ufffd\\ufffd\\ufffd\""}, /* beyond U+10FFFF */
    {"\xe2\x82x", 3, "\"\\ufffd\\ufffdx\""},
    {"", 0, "\"\""},
};

START_TEST(strings_are_always_valid_json)
{
    char storage[128];
    struct buf b = buf_over(storage, sizeof storage);
    struct jsonout j = jsonout_to(&b);

    jsonout_bytes(&j, NULL, strings[_i].bytes, strings[_i].n);
    ck_assert(!j.overflow);
    ck_assert_uint_eq(b.len, strlen(strings[_i].json));
    ck_assert_int_eq(memcmp(b.data, strings[_i].json, b.len), 0);
}
END_TEST

START_TEST(containers_get_their_commas)
{
    static const char want[] = "{\"a\":1,\"b\":[\"x\",-2,null,[]],\"c\":{},\"d\":true}";
    char storage[128];
    struct buf b = buf_over(storage, sizeof storage);
    struct jsonout j = jsonout_to(&b);

    jsonout_open(&j, NULL, '{');
    jsonout_int(&j, "a", 1);
    jsonout_open(&j, "b", '[');
    jsonout_str(&j, NULL, "x");
    jsonout_int(&j, NULL, -2);
    jsonout_null(&j, NULL);
    jsonout_open(&j, NULL, '[');
    jsonout_close(&j, '[');
    jsonout_close(&j, '[');
    jsonout_open(&j, "c", '{');
    jsonout_close(&j, '{');
    jsonout_bool(&j, "d", true);
    jsonout_close(&j, '{');
    ck_assert_uint_eq(b.len, strlen(want));
    ck_assert_int_eq(memcmp(b.data, want, b.len), 0);
}
END_TEST

START_TEST(overflow_is_told)
{
    char storage[8];
    struct buf b = buf_over(storage, sizeof storage);
    struct jsonout j = jsonout_to(&b);

    jsonout_str(&j, NULL, "12345678");
    ck_assert(j.overflow);
}
END_TEST

static const struct {
    int64_t ms;
    const char *text;
} times[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {1767312245678, "2026-01-02T00:04:05.678Z"},
    {951782400001, "2000-02-29T00:00:00.001Z"},
    {86399999, "1970-01-01T23:59:59.999Z"},
    {1709251199999, "2024-02-29T23:59:59.999Z"},
    {1709251200000, "2024-03-01T00:00:00.000Z"},
    {1735689599999, "2024-12-31T23:59:59.999Z"},
    {1735689600000, "2025-01-01T00:00:00.000Z"},
    {4107542400000, "2100-03-01T00:00:00.000Z"},
};

START_TEST(times_are_rfc_3339)
{
    char out[CLOCK_TEXT_SIZE];

    clock_text(times[_i].ms, out);
    ck_assert_str_eq(out, times[_i].text);
}
END_TEST

START_TEST(what_is_left_of_a_deadline)
{
    ck_assert_int_eq(clock_left(100, 40), 60);
    ck_assert_int_eq(clock_left(40, 100), 0);
    ck_assert_int_eq(clock_left(CLOCK_NEVER, 100), -1);
    ck_assert_int_eq(clock_left(INT64_MAX - 1, 0), INT32_MAX);
    ck_assert_int_ge(clock_ms(), 0);
}
END_TEST

static const struct {
    const char *text;
    bool good;
    int64_t ms;
} durations[] = {
    {"30", true, 30000},
    {"30s", true, 30000},
    {"500ms", true, 500},
    {"5m", true, 300000},
    {"2h", true, 7200000},
    {"0.25", true, 250},
    {"1.5m", true, 90000},
    {"0", true, 0},
    {"1.", false, 0},
    {"1.s", false, 0},
    {"", false, 0},
    {"s", false, 0},
    {"-1", false, 0},
    {"+1", false, 0},
    {" 1", false, 0},
    {"1 s", false, 0},
    {"1d", false, 0},
    {"1e3", false, 0},
    {"9999999999999999999", false, 0},
    {"99999999999h", false, 0},
    {"25h", false, 0},
};

START_TEST(durations_are_read_strictly)
{
    int64_t ms = -7;
    bool good = parse_duration(durations[_i].text, 0, 86400000, &ms);

    ck_assert_int_eq(good, durations[_i].good);
    ck_assert_int_eq(ms, good ? durations[_i].ms : -7);
}
END_TEST

static const struct {
    const char *text;
    bool good;
    int64_t low, high;
} ranges[] = {
    {"8", true, 8, 8},        {"8..256", true, 8, 256}, {"1..1", true, 1, 1},
    {"9..8", false, 0, 0},    {"0..4", false, 0, 0},    {"8..", false, 0, 0},
    {"..8", false, 0, 0},     {"8...9", false, 0, 0},   {"8-9", false, 0, 0},
    {"1..4097", false, 0, 0}, {"", false, 0, 0},
};

START_TEST(ranges_are_read_strictly)
{
    int64_t low = 0, high = 0;

    ck_assert_int_eq(parse_range(ranges[_i].text, 1, 4096, &low, &high), ranges[_i].good);
    ck_assert_int_eq(low, ranges[_i].low);
    ck_assert_int_eq(high, ranges[_i].high);
}
END_TEST

static const struct {
    int64_t ms;
    const char *text;
} ages[] = {
    {-5, "0 ms"},       {999, "999 ms"},      {1000, "1 s"},          {119999, "119 s"},
    {120000, "2 min"},  {7199999, "119 min"}, {7500000, "2 h 5 min"}, {187200000, "2 d 4 h"},
    {86400000, "24 h"}, {259200000, "3 d"},
};

START_TEST(ages_are_for_people)
{
    char out[32];

    format_duration(ages[_i].ms, out, sizeof out);
    ck_assert_str_eq(out, ages[_i].text);
}
END_TEST

#define ROWS(table) (int)(sizeof table / sizeof table[0])

static Suite *suite(void)
{
    Suite *s = suite_create("text");
    TCase *tc = tcase_create("text");

    tcase_add_test(tc, a_buffer_refuses_what_does_not_fit);
    tcase_add_loop_test(tc, numbers_are_written_whole, 0, ROWS(numbers));
    tcase_add_loop_test(tc, strings_are_always_valid_json, 0, ROWS(strings));
    tcase_add_test(tc, containers_get_their_commas);
    tcase_add_test(tc, overflow_is_told);
    tcase_add_loop_test(tc, times_are_rfc_3339, 0, ROWS(times));
    tcase_add_test(tc, what_is_left_of_a_deadline);
    tcase_add_loop_test(tc, durations_are_read_strictly, 0, ROWS(durations));
    tcase_add_loop_test(tc, ranges_are_read_strictly, 0, ROWS(ranges));
    tcase_add_loop_test(tc, ages_are_for_people, 0, ROWS(ages));
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

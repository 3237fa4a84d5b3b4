/* aws/json, aws/xml and aws/times: what others write, read with suspicion. */
#include "aws/json.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "aws/times.h"
#include "aws/xml.h"
#include "runner.h"

#define COUNT(table) ((int)(sizeof table / sizeof table[0]))

static struct json *read_text(const char *text)
{
    return json_read(text, strlen(text));
}

static const struct {
    const char *text, *path, *expect;
} texts[] = {
    {"{\"a\":\"b\"}", "a", "b"},
    {" {\"a\":{\"b\":{\"c\":\"d\"}}} \r\n", "a.b.c", "d"},
    {"{\"a\":\"b\"}", "b", NULL},
    {"{\"a\":\"b\"}", "a.b", NULL},
    {"{\"a\":1}", "a", NULL},
    {"{\"a\":null}", "a", NULL},
    {"{\"a\":[\"b\"]}", "a", NULL},
    {"{\"a\":\"b\\u0000c\"}", "a", NULL},
    {"{\"a\":\"\\u00e9\\ud83d\\ude00\"}", "a", "\xc3\xa9\xf0\x9f\x98\x80"},
    {"{\"a\":\"\"}", "a", ""},
    {"\"a\"", "a", NULL},
    {"[]", "a", NULL},
    {"12", "a", NULL},
};

START_TEST(texts_by_path)
{
    struct json *json = read_text(texts[_i].text);
    const char *found;

    ck_assert_ptr_nonnull(json);
    found = json_text(json, texts[_i].path);
    if (texts[_i].expect == NULL) {
        ck_assert_ptr_null(found);
    } else {
        ck_assert_ptr_nonnull(found);
        ck_assert_str_eq(found, texts[_i].expect);
    }
    json_free(json);
}
END_TEST

static const struct {
    const char *text;
    bool found;
    int64_t expect;
} numbers[] = {
    {"{\"a\":1}", true, 1},
    {"{\"a\":-7}", true, -7},
    {"{\"a\":9223372036854775807}", true, INT64_MAX},
    {"{\"a\":1.5}", false, 0},
    {"{\"a\":\"1\"}", false, 0},
    {"{\"a\":true}", false, 0},
    {"{}", false, 0},
};

START_TEST(numbers_by_path)
{
    struct json *json = read_text(numbers[_i].text);
    int64_t out = 0;

    ck_assert(json_number(json, "a", &out) == numbers[_i].found);
    ck_assert_int_eq(out, numbers[_i].expect);
    json_free(json);
}
END_TEST

static const char *const broken[] = {
    "",
    " ",
    "{",
    "{\"a\":",
    "{\"a\":\"b\"",
    "{'a':'b'}",
    "{\"a\":\"b\"} x",
    "{\"a\":\"b\"}{}",
    "{\"a\":\"b\",}",
    "{\"a\":\"\xff\"}",
    "<html>",
    "[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]",
};

START_TEST(what_is_not_json_is_refused)
{
    ck_assert_ptr_null(read_text(broken[_i]));
}
END_TEST

START_TEST(size_is_bounded)
{
    size_t n = JSON_SIZE_MAX + 1;
    char *text = malloc(n);

    memset(text, 'a', n);
    text[0] = text[n - 1] = '"';
    ck_assert_ptr_null(json_read(text, n));
    text[n - 2] = '"';
    {
        struct json *json = json_read(text, n - 1);

        ck_assert_ptr_nonnull(json);
        json_free(json);
    }
    free(text);
}
END_TEST

/* Any cut of a good text is refused, and never read beyond its end. */
START_TEST(every_cut_is_refused)
{
    static const char whole[] = "{\"Parameter\":{\"Value\":\"a\\u00e9b\",\"Version\":12}}";

    for (size_t n = 0; n < sizeof whole - 1; n++) {
        char *exact = malloc(n + 1);

        memcpy(exact, whole, n);
        ck_assert_ptr_null(json_read(exact, n));
        free(exact);
    }
}
END_TEST

/* -- xml ---------------------------------------------------------------------------------- */

static const struct {
    const char *document, *expect;
} elements[] = {
    {"<a><b>text</b></a>", "text"},
    {"<b></b>", ""},
    {"<x/><b>1 &lt; 2 &amp;&amp; &quot;3&quot; &apos;4&gt;</b>", "1 < 2 && \"3\" '4>"},
    {"<b>&unknown;</b>", "&unknown;"},
    {"<b><c>text</c></b>", NULL},
    {"<b>text</c>", NULL},
    {"<b>text", NULL},
    {"<bb>text</bb>", NULL},
    {"", NULL},
    {"<b>0123456789012345678901234567890123456789</b>", NULL}, /* does not fit */
};

START_TEST(elements_by_name)
{
    char out[40];
    bool found = xml_text(elements[_i].document, "b", out, sizeof out);

    ck_assert(found == (elements[_i].expect != NULL));
    if (found) {
        ck_assert_str_eq(out, elements[_i].expect);
    }
}
END_TEST

/* -- times -------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    int64_t expect; /* -1: none */
} iso[] = {
    {"1970-01-01T00:00:01Z", 1000},
    {"2026-01-02T03:04:05Z", 1767323045000},
    {"2026-01-02T03:04:05.678Z", 1767323045000},
    {"2026-01-02T04:04:05+01:00", 1767323045000},
    {"2026-01-02T04:04:05+0100", 1767323045000},
    {"2026-01-01T23:34:05-03:30", 1767323045000},
    {"2026-01-02T03:04:05", -1},
    {"2026-01-02T03:04:05ZZ", -1},
    {"2026-01-02", -1},
    {"soon", -1},
    {"", -1},
};

START_TEST(iso_times)
{
    int64_t out = -1;

    ck_assert(times_iso(iso[_i].text, &out) == (iso[_i].expect >= 0));
    ck_assert_int_eq(out, iso[_i].expect);
}
END_TEST

static const struct {
    const char *text;
    int64_t expect;
} retries[] = {
    {"120", 120000},
    {"0", 0},
    {"Fri, 02 Jan 2026 03:04:05 GMT", 45000},
    {"Fri, 02 Jan 2026 03:00:05 GMT", 0}, /* past */
    {"-5", 0},
    {"later", 0},
    {"", 0},
};

START_TEST(retry_after)
{
    ck_assert_int_eq(times_retry_after(retries[_i].text, 1767323000000), retries[_i].expect);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("json");
    TCase *json = tcase_create("json"), *other = tcase_create("xml and times");

    tcase_add_loop_test(json, texts_by_path, 0, COUNT(texts));
    tcase_add_loop_test(json, numbers_by_path, 0, COUNT(numbers));
    tcase_add_loop_test(json, what_is_not_json_is_refused, 0, COUNT(broken));
    tcase_add_test(json, size_is_bounded);
    tcase_add_test(json, every_cut_is_refused);
    tcase_add_loop_test(other, elements_by_name, 0, COUNT(elements));
    tcase_add_loop_test(other, iso_times, 0, COUNT(iso));
    tcase_add_loop_test(other, retry_after, 0, COUNT(retries));
    suite_add_tcase(s, json);
    suite_add_tcase(s, other);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

/* smtp/header: what is kept of a message, and that no body ever is. */
#include "smtp/header.h"

#include <check.h>
#include <string.h>

#include "runner.h"

#define SIZE 64

/* `out`: [name=value] for each field; '+' at the end: there was more. */
static const struct {
    const char *in, *out;
} rows[] = {
    {"", ""},
    {"Subject: hello\r\n\r\nbody: no\r\n", "[Subject=hello]"},
    {"A: 1\r\nB:2\r\nC:\t 3\r\n\r\n", "[A=1][B=2][C=3]"},
    {"A:\r\nB: \r\n\r\n", "[A=][B=]"},
    {"A: one\r\n two\r\n\t three\r\nB: x\r\n\r\n", "[A=one two three][B=x]"},
    {"A:\r\n one\r\n\r\n", "[A= one]"},
    {"A: a:b\r\n\r\n", "[A=a:b]"},
    {"A: 1\nB: 2\n\nbody: no\n", "[A=1][B=2]"}, /* no CRs at all: the body stays out */
    {"..A: 1\r\n.B: 2\r\n.\r\n", "[.A=1][B=2]"},
    {".\r\n", ""},
    {"no field\r\nA: 1\r\n\r\n", ""},
    {"A: 1\r\nno field\r\nB: 2\r\n", "[A=1]"},
    {"A: 1\r\nnofield\r\nB: 2\r\n", "[A=1]"},
    {"A: 1\r\nnofield", "[A=1]"},
    {" fold: of nothing\r\nA: 1\r\n", ""},
    {": no name\r\nA: 1\r\n", ""},
    {"\r\nA: 1\r\n", ""},
    {"\rA: 1\r\n", ""},
    {"A: 1\r\r\n\r\n", "[A=1\r]"}, /* one CR belongs to the end */
    {"A: x\ry\r\n\r\n", "[A=x\ry]"},
    {"A\x80: 1\r\n\r\n", ""},
    {"A: \x80\xff\r\n\r\n", "[A=\x80\xff]"},
    {"A: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
     "[A=01234567890123456789012345678901234567890123456789012345678901]+"},
    {"A: 01234567890123456789012345678901234567890123456789\r\nLonger-Name: x\r\n",
     "[A=01234567890123456789012345678901234567890123456789]+"},
};

static const char *show(const struct header *h)
{
    static char out[512];
    struct span name, value;
    size_t at = 0;

    out[0] = '\0';
    while (header_next(h, &at, &name, &value)) {
        strcat(out, "[");
        strncat(out, name.at, name.n);
        strcat(out, "=");
        strncat(out, value.at, value.n);
        strcat(out, "]");
    }
    return h->truncated ? strcat(out, "+") : out;
}

START_TEST(fields_are_kept_however_they_came_in)
{
    size_t n = strlen(rows[_i].in);

    for (size_t piece = 1; piece <= n + 1; piece++) {
        char storage[SIZE];
        struct header h = header_start(storage, sizeof storage);

        for (size_t at = 0; at < n; at += piece) {
            header_feed(&h, rows[_i].in + at, at + piece < n ? piece : n - at);
        }
        ck_assert_str_eq(show(&h), rows[_i].out);
    }
}
END_TEST

/* Every size of storage: never a byte too many, never a field without its colon. */
START_TEST(storage_is_the_limit)
{
    static const char in[] = "Name-1: value\r\n two\r\nName-2: v\r\n\r\n";

    for (size_t size = 0; size < sizeof in; size++) {
        char storage[sizeof in + 1];
        struct header h = header_start(storage, size);
        struct span name, value;
        size_t at = 0;

        storage[size] = '#';
        header_feed(&h, in, sizeof in - 1);
        ck_assert_int_eq(storage[size], '#');
        while (header_next(&h, &at, &name, &value)) {
            ck_assert_uint_eq(name.n, 6);
        }
        ck_assert_int_eq(h.truncated, size < strlen("Name-1:value two\nName-2:v"));
    }
}
END_TEST

START_TEST(field_is_found_by_name)
{
    static const char in[] = "X: 1\r\nmessage-ID: <a@b>\r\nMessage-Id: <c@d>\r\n\r\n";
    char storage[SIZE];
    struct header h = header_start(storage, sizeof storage);
    struct span value;

    header_feed(&h, in, sizeof in - 1);
    ck_assert(header_find(&h, "Message-ID", &value));
    ck_assert_uint_eq(value.n, 5);
    ck_assert_int_eq(memcmp(value.at, "<a@b>", 5), 0);
    ck_assert(!header_find(&h, "Subject", &value));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("header");
    TCase *tc = tcase_create("header");

    tcase_add_loop_test(tc, fields_are_kept_however_they_came_in, 0,
                        sizeof rows / sizeof rows[0]);
    tcase_add_test(tc, storage_is_the_limit);
    tcase_add_test(tc, field_is_found_by_name);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

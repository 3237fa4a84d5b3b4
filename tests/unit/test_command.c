/* smtp/command and smtp/path: what a line says. */
#include "smtp/command.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "smtp/path.h"

static struct span span_of(const char *text)
{
    return (struct span){.at = text, .n = strlen(text)};
}

static void expect_span(struct span got, const char *want)
{
    ck_assert_uint_eq(got.n, strlen(want));
    ck_assert_int_eq(memcmp(got.at, want, got.n), 0);
}

static const struct {
    const char *line;
    enum verb verb;
    const char *argument;
} commands[] = {
    {"NOOP", VERB_NOOP, ""},
    {"noop", VERB_NOOP, ""},
    {"nOoP \t ", VERB_NOOP, ""},
    {"HELO  a.example ", VERB_HELO, "a.example"},
    {"EHLO\ta.example", VERB_EHLO, "a.example"},
    {"MAIL FROM:<a@b.c>", VERB_MAIL, "FROM:<a@b.c>"},
    {"RCPT TO:<a@b.c>", VERB_RCPT, "TO:<a@b.c>"},
    {"DATA", VERB_DATA, ""},
    {"RSET", VERB_RSET, ""},
    {"QUIT", VERB_QUIT, ""},
    {"VRFY root", VERB_VRFY, "root"},
    {"EXPN list", VERB_EXPN, "list"},
    {"HELP MAIL", VERB_HELP, "MAIL"},
    {"", VERB_UNKNOWN, ""},
    {" NOOP", VERB_UNKNOWN, "NOOP"},
    {"NOOPS", VERB_UNKNOWN, ""},
    {"NOO", VERB_UNKNOWN, ""},
    {"MAIL:FROM", VERB_UNKNOWN, ""},
    {"STARTTLS", VERB_UNKNOWN, ""},
    {"GET / HTTP/1.1", VERB_UNKNOWN, "/ HTTP/1.1"},
};

START_TEST(line_falls_into_verb_and_argument)
{
    struct command command;

    ck_assert(command_parse(span_of(commands[_i].line), &command));
    ck_assert_int_eq(command.verb, commands[_i].verb);
    expect_span(command.argument, commands[_i].argument);
}
END_TEST

START_TEST(every_verb_is_found_by_its_name)
{
    struct command command;

    for (int verb = VERB_UNKNOWN + 1; verb < VERB_COUNT; verb++) {
        ck_assert(command_parse(span_of(command_name((enum verb)verb)), &command));
        ck_assert_int_eq(command.verb, verb);
    }
}
END_TEST

/* Only printable ASCII, space and tab make a command. */
START_TEST(other_bytes_make_no_command)
{
    for (int c = 0; c < 256; c++) {
        char line[] = "NOOP x";
        bool legal = c == '\t' || (c >= ' ' && c <= '~');
        struct command command;

        line[5] = (char)c;
        ck_assert_int_eq(
            command_parse((struct span){.at = line, .n = sizeof line - 1}, &command), legal);
        ck_assert_int_eq(command.verb, legal ? VERB_NOOP : VERB_UNKNOWN);
    }
}
END_TEST

#define LOCAL_64  "0123456789012345678901234567890123456789012345678901234567890123"
#define DOMAIN_64 "a23456789.123456789.123456789.123456789.123456789.123456789.123."

static const struct {
    const char *argument; /* behind FROM: */
    enum path_result result;
    const char *address, *domain, *parameters;
} paths[] = {
    {"<a@b.c>", PATH_OK, "a@b.c", "b.c", ""},
    {" <a@b.c>", PATH_OK, "a@b.c", "b.c", ""},
    {"<a@b.c> ", PATH_OK, "a@b.c", "b.c", ""},
    {"<>", PATH_OK, "", "", ""},
    {"<> SIZE=7 BODY=8BITMIME", PATH_OK, "", "", "SIZE=7 BODY=8BITMIME"},
    {"<a@b.c>\tSIZE=7", PATH_OK, "a@b.c", "b.c", "SIZE=7"},
    {"<postmaster>", PATH_OK, "postmaster", "", ""},
    {"<a.b+c=d!e/f@x-y.z_0>", PATH_OK, "a.b+c=d!e/f@x-y.z_0", "x-y.z_0", ""},
    {"<..a..@b>", PATH_OK, "..a..@b", "b", ""},
    {"<\"a b\"@c>", PATH_OK, "\"a b\"@c", "c", ""},
    {"<\"\"@c>", PATH_OK, "\"\"@c", "c", ""},
    {"<\"a>b\\\"c\\\\\"@d>", PATH_OK, "\"a>b\\\"c\\\\\"@d", "d", ""},
    {"<a@[192.0.2.7]>", PATH_OK, "a@[192.0.2.7]", "[192.0.2.7]", ""},
    {"<a@[IPv6:2001:db8::7]>", PATH_OK, "a@[IPv6:2001:db8::7]", "[IPv6:2001:db8::7]", ""},
    {"<@x.y:a@b.c>", PATH_OK, "a@b.c", "b.c", ""},
    {"<@x.y,@[10.0.0.1],@z:a@b.c>", PATH_OK, "a@b.c", "b.c", ""},
    {"<" LOCAL_64 "@" DOMAIN_64 DOMAIN_64 DOMAIN_64 DOMAIN_64 "x>", PATH_SYNTAX, "", "", ""},
    {"<" LOCAL_64 "@" DOMAIN_64 DOMAIN_64 DOMAIN_64 "123456789.a>", PATH_OK,
     LOCAL_64 "@" DOMAIN_64 DOMAIN_64 DOMAIN_64 "123456789.a",
     DOMAIN_64 DOMAIN_64 DOMAIN_64 "123456789.a", ""},
    {"", PATH_KEYWORD, "", "", ""},
    {"a@b.c", PATH_KEYWORD, "", "", ""},
    {"<", PATH_SYNTAX, "", "", ""},
    {"<a@b.c", PATH_SYNTAX, "", "", ""},
    {"<a@b.c SIZE=7>", PATH_SYNTAX, "", "", ""},
    {"<a b@c>", PATH_SYNTAX, "", "", ""},
    {"<@b.c>", PATH_SYNTAX, "", "", ""},
    {"<a@>", PATH_SYNTAX, "", "", ""},
    {"<a@b@c>", PATH_SYNTAX, "", "", ""},
    {"<a@.b>", PATH_SYNTAX, "", "", ""},
    {"<a@b.>", PATH_SYNTAX, "", "", ""},
    {"<a@b..c>", PATH_SYNTAX, "", "", ""},
    {"<a@-b>", PATH_SYNTAX, "", "", ""},
    {"<a@b->", PATH_SYNTAX, "", "", ""},
    {"<a@[]>", PATH_SYNTAX, "", "", ""},
    {"<a@[1.2.3.4>", PATH_SYNTAX, "", "", ""},
    {"<a@[1[2]>", PATH_SYNTAX, "", "", ""},
    {"<\"a@b>", PATH_SYNTAX, "", "", ""},
    {"<\"a\\", PATH_SYNTAX, "", "", ""},
    {"<\"a\"b@c>", PATH_SYNTAX, "", "", ""},
    {"<@x:>", PATH_SYNTAX, "", "", ""},
    {"<@x a@b>", PATH_SYNTAX, "", "", ""},
    {"<@x!a@b>", PATH_SYNTAX, "", "", ""},
    {"<@x,a@b>", PATH_SYNTAX, "", "", ""},
    {"<a@b.c>SIZE=7", PATH_TRAILER, "", "", ""},
    {"<a@b.c>>", PATH_TRAILER, "", "", ""},
    {"<>x", PATH_TRAILER, "", "", ""},
};

START_TEST(paths_are_read)
{
    char argument[512] = "fRoM:";
    struct path path;

    strcat(argument, paths[_i].argument);
    ck_assert_int_eq(path_parse(span_of(argument), "FROM:", &path), paths[_i].result);
    if (paths[_i].result == PATH_OK) {
        expect_span(path.address, paths[_i].address);
        expect_span(path.domain, paths[_i].domain);
        expect_span(path.parameters, paths[_i].parameters);
    }
}
END_TEST

START_TEST(path_needs_its_keyword)
{
    static const char *const wrong[] = {"", "FROM", "TO:<a@b>", "FROM <a@b>", "<a@b>"};
    struct path path;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_int_eq(path_parse(span_of(wrong[i]), "FROM:", &path), PATH_KEYWORD);
    }
}
END_TEST

/* A path that ends at any byte of a good one is never read beyond. */
START_TEST(cut_path_is_no_path)
{
    static const char whole[] = "FROM:<@x.y,@z:\"a b\\\"\"@[192.0.2.7]>";
    struct path path;

    for (size_t n = 0; n + 1 < sizeof whole - 1; n++) {
        char *copy = strndup(whole, n);

        ck_assert_int_ne(path_parse((struct span){.at = copy, .n = n}, "FROM:", &path),
                         PATH_OK);
        free(copy);
    }
    ck_assert_int_eq(path_parse(span_of(whole), "FROM:", &path), PATH_OK);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("command");
    TCase *tc = tcase_create("command");

    tcase_add_loop_test(tc, line_falls_into_verb_and_argument, 0,
                        sizeof commands / sizeof commands[0]);
    tcase_add_test(tc, every_verb_is_found_by_its_name);
    tcase_add_test(tc, other_bytes_make_no_command);
    tcase_add_loop_test(tc, paths_are_read, 0, sizeof paths / sizeof paths[0]);
    tcase_add_test(tc, path_needs_its_keyword);
    tcase_add_test(tc, cut_path_is_no_path);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

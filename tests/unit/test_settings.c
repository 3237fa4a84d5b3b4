/* server/settings and base/options: what is taken, what is refused, and in which words. */
#include "server/settings.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner.h"

#define ARGUMENTS 8

static struct settings s;
static char why[512];

static void setup(void)
{
    static const char *const variables[] = {
        "SINKHOLE_BIND_HOST",   "SINKHOLE_BIND_PORT", "SINKHOLE_MODE_SOURCE",
        "SINKHOLE_MODE_PARAM",  "SINKHOLE_CACHE_TTL", "SINKHOLE_GREYLIST_WINDOW",
        "SINKHOLE_SERVER_NAME", "SINKHOLE_RUN_DIR",   "SINKHOLE_WORKERS",
        "SINKHOLE_ENVIRONMENT", "SINKHOLE_USER",
    };

    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        unsetenv(variables[i]);
    }
    setenv("SINKHOLE_RUN_DIR", "/run/test", 1);
}

static bool read_words(const char *const *words)
{
    char *argv[ARGUMENTS + 2] = {"sinkholed"};
    int argc = 1;

    while (argc <= ARGUMENTS && words[argc - 1] != NULL) {
        argv[argc] = (char *)words[argc - 1];
        argc++;
    }
    why[0] = '\0';
    return settings_read(&s, argc, argv, why, sizeof why);
}

#define READ(...) read_words((const char *const[ARGUMENTS + 1]){__VA_ARGS__})

START_TEST(defaults_are_the_contract)
{
    ck_assert(READ(NULL));
    ck_assert_int_eq(s.bind_port, 25);
    ck_assert_str_eq(s.bind_host, "");
    ck_assert_str_eq(s.mode_source, "file:/run/test/mode");
    ck_assert_int_eq(s.cache_ttl_ms, 30000);
    ck_assert_int_eq(s.greylist_window_ms, 1800000);
    ck_assert_str_eq(s.server_name, "sinkhole.cabal.internal");
    ck_assert_int_eq(s.workers_min, 8);
    ck_assert_int_eq(s.workers_max, 256);
    ck_assert_int_eq(s.drain_ms, 20000);
    ck_assert_int_eq(s.limits.command_ms, 300000);
    ck_assert_int_eq(s.quiet_ms, 180000);
}
END_TEST

START_TEST(a_flag_wins_over_its_variable)
{
    setenv("SINKHOLE_BIND_PORT", "2525", 1);
    setenv("SINKHOLE_WORKERS", "4", 1);
    ck_assert(READ("--bind-port=2600"));
    ck_assert_int_eq(s.bind_port, 2600);
    ck_assert_int_eq(s.workers_min, 4);
    ck_assert_int_eq(s.workers_max, 4);
    ck_assert(READ("-p", "2601", "-w", "2..9"));
    ck_assert_int_eq(s.bind_port, 2601);
    ck_assert_int_eq(s.workers_max, 9);
}
END_TEST

START_TEST(an_empty_variable_is_none)
{
    setenv("SINKHOLE_BIND_PORT", "", 1);
    ck_assert(READ(NULL));
    ck_assert_int_eq(s.bind_port, 25);
}
END_TEST

static const struct {
    const char *name, *param, *spec;
} sources[] = {
    {NULL, NULL, "file:/run/test/mode"},
    {NULL, "/a/b", "ssm:/a/b"},
    {"ssm", NULL, "ssm:/cabal/sinkhole_mode"},
    {"ssm", "/a/b", "ssm:/a/b"},
    {"ssm:/x", "/a/b", "ssm:/x"},
    {"file:/etc/mode", NULL, "file:/etc/mode"},
    {"static:bounce", "/a/b", "static:bounce"},
};

START_TEST(the_source_follows_the_rule)
{
    if (sources[_i].name != NULL) {
        setenv("SINKHOLE_MODE_SOURCE", sources[_i].name, 1);
    }
    if (sources[_i].param != NULL) {
        setenv("SINKHOLE_MODE_PARAM", sources[_i].param, 1);
    }
    ck_assert_msg(READ(NULL), "%s", why);
    ck_assert_str_eq(s.mode_source, sources[_i].spec);
}
END_TEST

/* What is refused, and a word that the message must have. */
static const struct {
    const char *words[3];
    const char *names;
} refused[] = {
    {{"--bind-port", "65536"}, "from 0 to 65535"},
    {{"--bind-port", "smtp"}, "whole number"},
    {{"--bind-port"}, "missing"},
    {{"--workers", "0"}, "MIN..MAX"},
    {{"--workers", "9..8"}, "MIN..MAX"},
    {{"--workers", "5000"}, "4096"},
    {{"--cache-ttl", "soon"}, "seconds"},
    {{"--cache-ttl", "0.1"}, "200 ms"}, /* the refresher takes no less */
    {{"--mode-source", "http://x"}, "file:/PATH"},
    {{"--mode-source", "static:nope"}, "accept-log"},
    {{"--mode-source", "file:relative"}, "file:/PATH"},
    {{"--server-name", "a b"}, "domain"},
    {{"--server-name", ""}, "domain"},
    {{"--environment", "prod"}, "never run in prod"},
    {{"--environment", "PROD"}, "never run in prod"},
    {{"--environment", "production"}, "never run in prod"},
    {{"--run-dir", "relative"}, "absolute"},
    {{"--no-such-flag"}, "--help"},
    {{"operand"}, "no operands"},
    {{"--max-line", "10"}, "from 512"},
};

START_TEST(bad_input_gets_one_clear_line)
{
    ck_assert(!read_words(refused[_i].words));
    ck_assert_msg(strstr(why, refused[_i].names) != NULL, "%s", why);
    ck_assert_ptr_null(strchr(why, '\n'));
}
END_TEST

START_TEST(a_bad_variable_is_named)
{
    setenv("SINKHOLE_CACHE_TTL", "never", 1);
    ck_assert(!READ(NULL));
    ck_assert_ptr_nonnull(strstr(why, "SINKHOLE_CACHE_TTL"));
}
END_TEST

START_TEST(root_becomes_somebody_else)
{
    if (geteuid() != 0) {
        return;
    }
    ck_assert(READ(NULL));
    ck_assert(s.drop);
    ck_assert_int_ne(s.uid, 0);
    ck_assert(READ("--user", "12345:54321"));
    ck_assert_int_eq(s.uid, 12345);
    ck_assert_int_eq(s.gid, 54321);
    ck_assert(!READ("--user", "0"));
    ck_assert(!READ("--user", "no such user"));
    ck_assert(READ("--allow-root"));
    ck_assert(!s.drop);
}
END_TEST

#define ROWS(table) (int)(sizeof table / sizeof table[0])

static Suite *suite(void)
{
    Suite *suite = suite_create("settings");
    TCase *tc = tcase_create("settings");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, defaults_are_the_contract);
    tcase_add_test(tc, a_flag_wins_over_its_variable);
    tcase_add_test(tc, an_empty_variable_is_none);
    tcase_add_loop_test(tc, the_source_follows_the_rule, 0, ROWS(sources));
    tcase_add_loop_test(tc, bad_input_gets_one_clear_line, 0, ROWS(refused));
    tcase_add_test(tc, a_bad_variable_is_named);
    tcase_add_test(tc, root_becomes_somebody_else);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}

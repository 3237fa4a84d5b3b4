/* aws/credentials and its providers, as far as they go without a network. */
#include "aws/credentials.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aws/command.h"
#include "aws/profile.h"
#include "base/clock.h"
#include "runner.h"

#define COUNT(table) ((int)(sizeof table / sizeof table[0]))

extern char **environ;

static char dir[64];
static struct http *http;
static struct credentials_cache cache;
static struct source_fault fault;

static void write_file(const char *name, const char *text)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

/* No variables but those that keep us on this machine. */
static void set_up(void)
{
    static char *nothing[] = {NULL};
    char path[128];

    environ = nothing;
    strcpy(dir, "/tmp/credentials.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    setenv("HOME", dir, 1);
    setenv("PATH", "/usr/bin:/bin", 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    snprintf(path, sizeof path, "%s/.aws", dir);
    mkdir(path, 0700);
    http = http_open();
    memset(&cache, 0, sizeof cache);
}

static void tear_down(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
    http_close(http);
}

static void expect(const char *provider, const char *key, const char *secret, const char *token)
{
    bool fresh;

    ck_assert_msg(credentials_get(&cache, http, &fresh, &fault), "%s", fault.text);
    ck_assert(fresh);
    ck_assert_str_eq(cache.provider, provider);
    ck_assert_str_eq(cache.now.key, key);
    ck_assert_str_eq(cache.now.secret, secret);
    ck_assert_str_eq(cache.now.token, token);
}

static void expect_fault(const char *code, const char *text)
{
    ck_assert(!credentials_get(&cache, http, NULL, &fault));
    ck_assert_str_eq(fault.code, code);
    ck_assert_msg(strstr(fault.text, text) != NULL, "%s", fault.text);
}

/* -- the chain ------------------------------------------------------------------------------
 */

START_TEST(nobody_provides)
{
    static const char *const names[] = {
        "environment: ", "profile: ", "web identity: ", "container: ", "instance: "};

    expect_fault("NoCredentials", "AWS_EC2_METADATA_DISABLED");
    for (int i = 0; i < COUNT(names); i++) {
        ck_assert_ptr_nonnull(strstr(fault.text, names[i]));
    }
}
END_TEST

START_TEST(environment_comes_first)
{
    write_file(".aws/credentials",
               "[default]\naws_access_key_id=F\naws_secret_access_key=fs\n");
    expect("profile", "F", "fs", "");
    setenv("AWS_ACCESS_KEY_ID", "E", 1);
    credentials_forget(&cache);
    expect_fault("CredentialsFailed", "AWS_SECRET_ACCESS_KEY is not");
    setenv("AWS_SECRET_ACCESS_KEY", "es", 1);
    expect("environment", "E", "es", "");
    setenv("AWS_SESSION_TOKEN", "et", 1);
    credentials_forget(&cache);
    expect("environment", "E", "es", "et");
}
END_TEST

START_TEST(what_lasts_is_kept)
{
    bool fresh;

    setenv("AWS_ACCESS_KEY_ID", "E", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "es", 1);
    expect("environment", "E", "es", "");
    unsetenv("AWS_ACCESS_KEY_ID");
    ck_assert(credentials_get(&cache, http, &fresh, &fault));
    ck_assert(!fresh);
    credentials_forget(&cache);
    ck_assert_str_eq(cache.now.secret, "");
    ck_assert(!credentials_get(&cache, http, &fresh, &fault));
}
END_TEST

/* What happens to kept credentials that have so long to live, while no provider answers. */
static const struct {
    int64_t left_ms;
    bool served;
} lives[] = {
    {CREDENTIALS_EARLY_MS + 60000, true},
    {CREDENTIALS_EARLY_MS - 60000, true}, /* to be renewed; that fails; they are still good */
    {-1000, false},
};

START_TEST(expiry)
{
    bool fresh;

    cache = (struct credentials_cache){.provider = "container"};
    strcpy(cache.now.key, "K");
    cache.now.expires_ms = clock_wall_ms() + lives[_i].left_ms;
    ck_assert(credentials_get(&cache, http, &fresh, &fault) == lives[_i].served);
    ck_assert(!fresh);
}
END_TEST

START_TEST(early_renewal)
{
    cache = (struct credentials_cache){.provider = "container"};
    strcpy(cache.now.key, "old");
    cache.now.expires_ms = clock_wall_ms() + CREDENTIALS_EARLY_MS / 2;
    setenv("AWS_ACCESS_KEY_ID", "new", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "es", 1);
    expect("environment", "new", "es", "");
}
END_TEST

static const struct {
    const char *key, *secret, *token, *expires;
    bool taken;
} parts[] = {
    {"K", "s", "t", "2026-01-02T03:04:05Z", true},
    {"K", "s", NULL, NULL, true},
    {"K", "s", "", NULL, true},
    {"", "s", NULL, NULL, false},
    {"K", NULL, NULL, NULL, false},
    {"K\r\nHost: x", "s", NULL, NULL, false},
    {"K", "s s", NULL, NULL, false},
    {"K", "s", "t\nx", NULL, false},
    {"K", "s", "t\xc3\xa9", NULL, false},
    {"K", "s", "t", "tomorrow", false},
};

START_TEST(parts_are_checked)
{
    struct credentials out;
    char why[200];

    ck_assert(credentials_take(&out, parts[_i].key, parts[_i].secret, parts[_i].token,
                               parts[_i].expires, why, sizeof why) == parts[_i].taken);
}
END_TEST

/* -- the shared files -----------------------------------------------------------------------
 */

static const char config_text[] = "# a comment\n"
                                  "[default]\n"
                                  "region = eu-west-1\n"
                                  "s3 =\n"
                                  "  region = nested\n"
                                  "[profile  stage]\n"
                                  "Region=eu-north-1 ; behind white space\n"
                                  "aws_secret_access_key = of-config\n"
                                  "[stage]\n"
                                  "region = not-a-profile\n"
                                  "[ profile sso ]\r\n"
                                  "sso_session = x\r\n"
                                  "[profile role]\n"
                                  "role_arn = arn:aws:iam::1:role/x\n"
                                  "[profile command]\n"
                                  "credential_process = cat $HOME/answer\n";
static const char credentials_text[] = "[default]\n"
                                       "; aws_access_key_id = no\n"
                                       "aws_access_key_id=DK\n"
                                       "aws_secret_access_key = d#s/+= \n"
                                       "[stage]\n"
                                       "aws_access_key_id = SK\n"
                                       "aws_secret_access_key = ss\n"
                                       "aws_session_token = st\n";

static void write_both(void)
{
    write_file(".aws/config", config_text);
    write_file(".aws/credentials", credentials_text);
}

static const struct {
    const char *profile;
    enum profile_key key;
    const char *value;
} values[] = {
    {NULL, PROFILE_REGION, "eu-west-1"},
    {NULL, PROFILE_KEY_ID, "DK"},
    {NULL, PROFILE_SECRET, "d#s/+="},
    {NULL, PROFILE_TOKEN, NULL},
    {"stage", PROFILE_REGION, "eu-north-1"},
    {"stage", PROFILE_SECRET, "ss"},
    {"sso", PROFILE_SSO, "x"},
    {"none", PROFILE_REGION, NULL},
};

START_TEST(values_of_profiles)
{
    struct profile profile;

    write_both();
    if (values[_i].profile != NULL) {
        setenv("AWS_PROFILE", values[_i].profile, 1);
    }
    profile_load(&profile);
    if (values[_i].value == NULL) {
        ck_assert_ptr_null(profile.values[values[_i].key]);
    } else {
        ck_assert_ptr_nonnull(profile.values[values[_i].key]);
        ck_assert_str_eq(profile.values[values[_i].key], values[_i].value);
    }
    profile_free(&profile);
}
END_TEST

START_TEST(keys_of_a_profile)
{
    write_both();
    expect("profile", "DK", "d#s/+=", "");
    setenv("AWS_PROFILE", "stage", 1);
    credentials_forget(&cache);
    expect("profile", "SK", "ss", "st");
}
END_TEST

START_TEST(files_elsewhere)
{
    char path[128];

    write_file("keys", "[default]\naws_access_key_id=X\naws_secret_access_key=xs\n");
    snprintf(path, sizeof path, "%s/keys", dir);
    setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
    expect("profile", "X", "xs", "");
    setenv("AWS_SHARED_CREDENTIALS_FILE", "~/keys", 1);
    credentials_forget(&cache);
    expect("profile", "X", "xs", "");
}
END_TEST

static const struct {
    const char *profile, *why;
} unusable[] = {
    {"sso", "sso_session"},
    {"role", "role_arn"},
    {"absent", "no profile [absent]"},
};

START_TEST(a_named_profile_has_to_serve)
{
    write_both();
    setenv("AWS_PROFILE", unusable[_i].profile, 1);
    expect_fault("CredentialsFailed", unusable[_i].why);
}
END_TEST

/* -- credential_process ---------------------------------------------------------------------
 */

static const struct {
    const char *answer, *why; /* NULL: it serves */
} answers[] = {
    {"{\"Version\":1,\"AccessKeyId\":\"PK\",\"SecretAccessKey\":\"ps\",\"SessionToken\":\"pt\","
     "\"Expiration\":\"2099-01-01T00:00:00Z\"}",
     NULL},
    {"{\"AccessKeyId\":\"PK\"}", "the secret key is missing"},
    {"secret-words", "not JSON"},
    {"", "not JSON"},
};

START_TEST(process_answers)
{
    write_both();
    write_file("answer", answers[_i].answer);
    setenv("AWS_PROFILE", "command", 1);
    if (answers[_i].why == NULL) {
        expect("profile", "PK", "ps", "pt");
        ck_assert_int_eq(cache.now.expires_ms, 4070908800000);
    } else {
        expect_fault("CredentialsFailed", answers[_i].why);
        ck_assert_ptr_null(strstr(fault.text, "secret-words"));
    }
}
END_TEST

static const struct {
    const char *command, *output, *why; /* why NULL: it works */
} commands[] = {
    {"printf abc", "abc", NULL},
    {"cat", "", NULL}, /* nothing stands on its standard input */
    {"exit 3", NULL, "status 3"},
    {"kill -9 $$", NULL, "signal 9"},
    {"no-such-program 2>/dev/null", NULL, "status 127"},
    {"yes", NULL, "too much"},
    {"sleep 600 & sleep 600", NULL, "does not end"},
    {"printf abc; exit 1", NULL, "status 1"},
};

START_TEST(commands_are_bounded)
{
    char out[4096], why[200];
    size_t n = 0;
    int patience = commands[_i].why != NULL && strstr(commands[_i].why, "end") ? 200 : 20000;
    bool done =
        command_run(commands[_i].command, patience, out, sizeof out, &n, why, sizeof why);

    ck_assert(done == (commands[_i].why == NULL));
    if (done) {
        ck_assert_uint_eq(n, strlen(commands[_i].output));
        ck_assert_int_eq(memcmp(out, commands[_i].output, n), 0);
    } else {
        ck_assert_msg(strstr(why, commands[_i].why) != NULL, "%s", why);
    }
}
END_TEST

/* -- endpoints that must not be asked -------------------------------------------------------
 */

static const struct {
    const char *variable, *value, *why;
} forbidden[] = {
    {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/x", "not to 192.0.2.1"},
    {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1@192.0.2.1/x", "no URI"},
    {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "ftp://127.0.0.1/x", "no URI"},
    {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@192.0.2.1/x", "no URI"},
    {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ".example.net/x", "no URI"},
};

START_TEST(container_endpoints_are_checked)
{
    setenv(forbidden[_i].variable, forbidden[_i].value, 1);
    expect_fault("CredentialsFailed", forbidden[_i].why);
}
END_TEST

START_TEST(a_token_with_a_line_end_is_refused)
{
    char path[128];

    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/x", 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nX: b", 1);
    expect_fault("CredentialsFailed", "line end");
    write_file("token", "a\n");
    snprintf(path, sizeof path, "%s/token", dir);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "good", 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path, 1);
    expect_fault("CredentialsFailed", "line end");
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/nonexistent", 1);
    expect_fault("CredentialsFailed", "/nonexistent");
}
END_TEST

static const struct {
    const char *variable, *value, *why;
} instances[] = {
    {"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://192.0.2.1/", "no URL on this machine"},
    {"AWS_EC2_METADATA_SERVICE_ENDPOINT", "localhost", "no URL on this machine"},
    {"ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4/x", "ECS task"},
};

START_TEST(instance_metadata_is_not_asked)
{
    setenv("AWS_EC2_METADATA_DISABLED", "false", 1);
    setenv(instances[_i].variable, instances[_i].value, 1);
    expect_fault("NoCredentials", instances[_i].why);
}
END_TEST

START_TEST(web_identity_needs_its_token)
{
    setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/x", 1);
    expect_fault("NoCredentials", "AWS_WEB_IDENTITY_TOKEN_FILE");
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent", 1);
    expect_fault("CredentialsFailed", "/nonexistent");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("credentials");
    TCase *t = tcase_create("all");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, nobody_provides);
    tcase_add_test(t, environment_comes_first);
    tcase_add_test(t, what_lasts_is_kept);
    tcase_add_loop_test(t, expiry, 0, COUNT(lives));
    tcase_add_test(t, early_renewal);
    tcase_add_loop_test(t, parts_are_checked, 0, COUNT(parts));
    tcase_add_loop_test(t, values_of_profiles, 0, COUNT(values));
    tcase_add_test(t, keys_of_a_profile);
    tcase_add_test(t, files_elsewhere);
    tcase_add_loop_test(t, a_named_profile_has_to_serve, 0, COUNT(unusable));
    tcase_add_loop_test(t, process_answers, 0, COUNT(answers));
    tcase_add_loop_test(t, commands_are_bounded, 0, COUNT(commands));
    tcase_add_loop_test(t, container_endpoints_are_checked, 0, COUNT(forbidden));
    tcase_add_test(t, a_token_with_a_line_end_is_refused);
    tcase_add_loop_test(t, instance_metadata_is_not_asked, 0, COUNT(instances));
    tcase_add_test(t, web_identity_needs_its_token);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

/* aws/credentials: the chain of providers, as far as it goes without a network. */
#include "aws/credentials.h"

#include "base/clock.h"
#include "credentials_stage.h"

/* -- the chain ---------------------------------------------------------------------------- */

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
    {"K", "", NULL, NULL, false},
    {"K\x7f", "s", NULL, NULL, false},
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

/* Each part has a length that it may have, and no more. */
static const struct {
    size_t key, secret, token;
    bool taken;
} lengths[] = {
    {191, 255, 8191, true}, {192, 1, 1, false}, {1, 256, 1, false}, {1, 1, 8192, false}};

START_TEST(parts_fit)
{
    static char text[3][9000];
    const size_t n[] = {lengths[_i].key, lengths[_i].secret, lengths[_i].token};
    struct credentials out;
    char why[200];

    for (int i = 0; i < 3; i++) {
        memset(text[i], 'x', n[i]);
    }
    ck_assert(credentials_take(&out, text[0], text[1], text[2], NULL, why, sizeof why) ==
              lengths[_i].taken);
    ck_assert_uint_eq(strlen(out.key), lengths[_i].taken ? n[0] : 0);
    ck_assert_uint_eq(strlen(out.secret), lengths[_i].taken ? n[1] : 0);
    ck_assert_uint_eq(strlen(out.token), lengths[_i].taken ? n[2] : 0);
}
END_TEST

START_TEST(files_of_tokens)
{
    static char long_token[30000];
    char path[128];

    snprintf(path, sizeof path, "%s/token", dir);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/x", 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path, 1);
    expect_fault("CredentialsFailed", "token: No such file or directory");
    write_file("token", "");
    expect_fault("CredentialsFailed", "token is empty");
    memset(long_token, 't', 4096);
    write_file("token", long_token);
    expect_fault("CredentialsFailed", "token is too long");
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path, 1);
    setenv("AWS_ROLE_ARN", "arn", 1);
    memset(long_token, 't', 20001);
    write_file("token", long_token);
    expect_fault("CredentialsFailed", "web identity: the token in");
    write_file("token", "t");
    memset(long_token, '/', sizeof long_token - 1); /* three characters each, in a form */
    setenv("AWS_ROLE_ARN", long_token, 1);
    expect_fault("CredentialsFailed", "AWS_ROLE_ARN or AWS_ROLE_SESSION_NAME is too long");
}
END_TEST

/* -- endpoints that must not be asked ----------------------------------------------------- */

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
    tcase_add_loop_test(t, parts_fit, 0, COUNT(lengths));
    tcase_add_test(t, files_of_tokens);
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

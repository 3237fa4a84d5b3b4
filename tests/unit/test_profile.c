/* aws/profile and aws/ini: the shared files. */
#include "aws/profile.h"

#include <pwd.h>

#include "credentials_stage.h"

/* -- the shared files --------------------------------------------------------------------- */

static const char config_text[] = "# a comment\n"
                                  "  [profile indented] # and all of it\n"
                                  "\tregion = i\n"
                                  "\tservices = here\n"
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
                                  "source_profile = role\n"
                                  "[profile sso-role]\n"
                                  "sso_session = x\n"
                                  "sso_role_name = x\n"
                                  "aws_access_key_id = no\n"
                                  "aws_secret_access_key = no\n"
                                  "[profile bearer]\n"
                                  "sso_session = x\n" /* for other services: keys serve */
                                  "aws_access_key_id = BK\n"
                                  "aws_secret_access_key = bs\n"
                                  "[profile login]\n"
                                  "login_session = arn:aws:iam::1:user/x\n"
                                  "[profile 'with blank'] # quoted\n"
                                  "region = quoted\n"
                                  "[profile both]\n"
                                  "region = first\n"
                                  "aws_session_token = of-config\n"
                                  "[profile both]\n"
                                  "REGION = last\n"
                                  "region =\n"
                                  "[profile deeper]\n"
                                  "  region = d\n"
                                  "  s3 =\n"
                                  "    [profile deep]\n"
                                  "    region = no\n"
                                  "[profile open\n"
                                  "region = no\n"
                                  "[services here]\n"
                                  "region = no\n"
                                  "endpoint_url = no\n"
                                  "ssm =\n"
                                  "  # the store\n"
                                  "  endpoint_url = http://ssm\n"
                                  "\n"
                                  "  region = no\n"
                                  "s3 = \n"
                                  "  endpoint_url = http://s3\n"
                                  "sts = continued\n"
                                  "  endpoint_url = no\n"
                                  "[profile ']\n"
                                  "region = odd\n"
                                  "[services]\n"
                                  "ssm =\n"
                                  "  endpoint_url = no\n";
static const char credentials_text[] = "[default]\n"
                                       "; aws_access_key_id = no\n"
                                       "aws_access_key_id=DK\n"
                                       "aws_secret_access_key = d#s/+= \n"
                                       "[stage]\n"
                                       "aws_access_key_id = SK\n"
                                       "aws_secret_access_key = ss\n"
                                       "aws_session_token = st\n"
                                       "[both]\n"
                                       "aws_session_token = of-credentials\n"
                                       "[profile none]\n"
                                       "aws_access_key_id = no\n"
                                       "[role]\n"
                                       "aws_access_key_id = RK\n"
                                       "aws_secret_access_key = rs\n"
                                       "[login]\n"
                                       "credential_process = echo {}\n";

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
    {"none", PROFILE_KEY_ID, NULL},
    {"with blank", PROFILE_REGION, "quoted"},
    {"both", PROFILE_REGION, "last"},
    {"both", PROFILE_TOKEN, "of-credentials"},
    {"indented", PROFILE_REGION, "i"},
    {"indented", PROFILE_ENDPOINT_SSM, "http://ssm"},
    {"indented", PROFILE_ENDPOINT_STS, NULL},
    {"indented", PROFILE_ENDPOINT, NULL},
    {"open", PROFILE_REGION, NULL},
    {"deeper", PROFILE_REGION, "d"},
    {"deep", PROFILE_REGION, NULL},
    {"'", PROFILE_REGION, "odd"},
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
    setenv("AWS_PROFILE", "bearer", 1);
    credentials_forget(&cache);
    expect("profile", "BK", "bs", "");
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
    {"sso", "sso_session"},     {"sso-role", "sso_role_name"},
    {"role", "role_arn"}, /* its keys alone would be another identity */
    {"login", "login_session"}, {"absent", "no profile [absent]"},
};

START_TEST(a_named_profile_has_to_serve)
{
    write_both();
    setenv("AWS_PROFILE", unusable[_i].profile, 1);
    expect_fault("CredentialsFailed", unusable[_i].why);
}
END_TEST

START_TEST(a_profile_of_settings_leaves_keys_to_others)
{
    write_both();
    setenv("AWS_PROFILE", "both", 1);
    expect_fault("NoCredentials", "no keys in [both]");
}
END_TEST

START_TEST(the_old_name_of_the_variable)
{
    write_both();
    setenv("AWS_DEFAULT_PROFILE", "stage", 1);
    expect("profile", "SK", "ss", "st");
    setenv("AWS_PROFILE", "default", 1);
    credentials_forget(&cache);
    expect("profile", "DK", "d#s/+=", "");
}
END_TEST

START_TEST(both_files_are_named)
{
    char path[128];

    setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/keys", 1);
    expect_fault("NoCredentials", "in /nonexistent/keys or /tmp/credentials.");
    snprintf(path, sizeof path, "%s/.aws/config", dir);
    ck_assert_int_eq(symlink("config", path), 0);
    expect_fault("NoCredentials", "/.aws/config (Too many levels of symbolic links)");
}
END_TEST

/* The files of whoever runs this are named, and not read: they are nobody's business. */
START_TEST(without_home_the_system_is_asked)
{
    const struct passwd *user = getpwuid(geteuid());
    char text[400], expected[400];

    ck_assert_ptr_nonnull(user);
    unsetenv("HOME");
    setenv("AWS_CONFIG_FILE", "/nonexistent", 1);
    profile_tell_files(text, sizeof text);
    snprintf(expected, sizeof expected, "%s/.aws/credentials", user->pw_dir);
    ck_assert_msg(strncmp(text, expected, strlen(expected)) == 0, "%s", text);
}
END_TEST

static char long_text[41000];

static void add_many(char c, size_t n)
{
    char *end = long_text + strlen(long_text);

    memset(end, c, n);
    end[n] = '\0';
}

/* Session tokens have no length that AWS would promise. */
static const struct {
    size_t length;
    bool taken;
} tokens[] = {{8191, true}, {8192, false}, {16384, false}, {40000, false}};

START_TEST(a_token_is_taken_whole_or_not_at_all)
{
    strcpy(long_text, "[default]\naws_access_key_id=K\naws_secret_access_key=s\n"
                      "aws_session_token = ");
    add_many('t', tokens[_i].length);
    write_file(".aws/credentials", long_text);
    if (tokens[_i].taken) {
        expect("profile", "K", "s", strstr(long_text, "tt"));
    } else {
        expect_fault("CredentialsFailed", "too long");
    }
}
END_TEST

START_TEST(what_does_not_fit_is_no_line_of_its_own)
{
    for (size_t size = 1024; size <= 32768; size *= 2) {
        strcpy(long_text, "[default]\naws_access_key_id=K\naws_secret_access_key=s\n");
        add_many('#', size - 1); /* as many as a buffer of this size might take */
        strcat(long_text, "aws_access_key_id=L\nregion=r\n");
        write_file(".aws/credentials", long_text);
        credentials_forget(&cache);
        expect("profile", "K", "s", "");
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("profile");
    TCase *t = tcase_create("all");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, values_of_profiles, 0, COUNT(values));
    tcase_add_test(t, keys_of_a_profile);
    tcase_add_test(t, files_elsewhere);
    tcase_add_loop_test(t, a_named_profile_has_to_serve, 0, COUNT(unusable));
    tcase_add_test(t, a_profile_of_settings_leaves_keys_to_others);
    tcase_add_test(t, the_old_name_of_the_variable);
    tcase_add_test(t, both_files_are_named);
    tcase_add_test(t, without_home_the_system_is_asked);
    tcase_add_loop_test(t, a_token_is_taken_whole_or_not_at_all, 0, COUNT(tokens));
    tcase_add_test(t, what_does_not_fit_is_no_line_of_its_own);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

/* aws/profile and aws/command: the shared files, and programs that print credentials. */
#include "aws/profile.h"

#include <signal.h>

#include "aws/command.h"
#include "credentials_stage.h"

/* -- the shared files --------------------------------------------------------------------- */

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

/* -- credential_process ------------------------------------------------------------------- */

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
    {"exec >&-; sleep 600", NULL, "does not end"}, /* though its output does */
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

/* What it starts ends with it: the sleep holds a pipe, which closes when the sleep is gone. */
START_TEST(children_are_ended_too)
{
    char command[64], out[64], why[200];
    int ends[2];
    size_t n;

    ck_assert_int_eq(pipe(ends), 0);
    snprintf(command, sizeof command, "sleep 600 >&%d & printf x; wait", ends[1]);
    ck_assert(!command_run(command, 300, out, sizeof out, &n, why, sizeof why));
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], out, 1), 0); /* the suite's time limit ends a wait */
    close(ends[0]);
}
END_TEST

/* A process of the refresher, but with signals and variables as a shell's. */
START_TEST(commands_find_no_trace_of_the_refresher)
{
    char out[64], why[200];
    sigset_t set;
    size_t n;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    setenv("GNUTLS_NO_IMPLICIT_INIT", "1", 1);
    ck_assert(command_run("grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '[:space:]'; "
                          "printf %s \"$GNUTLS_NO_IMPLICIT_INIT\"",
                          20000, out, sizeof out, &n, why, sizeof why));
    out[n] = '\0';
    ck_assert_str_eq(out, "SigBlk:0000000000000000SigIgn:0000000000000000");
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
    tcase_add_loop_test(t, process_answers, 0, COUNT(answers));
    tcase_add_loop_test(t, commands_are_bounded, 0, COUNT(commands));
    tcase_add_test(t, children_are_ended_too);
    tcase_add_test(t, commands_find_no_trace_of_the_refresher);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

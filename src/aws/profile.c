/* Which settings count, and where the files are; how they are written is in ini.c. */
#include "aws/profile.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aws/ini.h"
#include "aws/variables.h"
#include "base/buf.h"

/* above: the service, in a section of services; NULL: in the profile itself. */
static const struct {
    const char *above, *name;
} keys[PROFILE_KEYS] = {
    [PROFILE_KEY_ID] = {NULL, "aws_access_key_id"},
    [PROFILE_SECRET] = {NULL, "aws_secret_access_key"},
    [PROFILE_TOKEN] = {NULL, "aws_session_token"},
    [PROFILE_PROCESS] = {NULL, "credential_process"},
    [PROFILE_ROLE] = {NULL, "role_arn"},
    [PROFILE_SSO_ROLE] = {NULL, "sso_role_name"},
    [PROFILE_SSO] = {NULL, "sso_session"},
    [PROFILE_SSO_START] = {NULL, "sso_start_url"},
    [PROFILE_LOGIN] = {NULL, "login_session"},
    [PROFILE_REGION] = {NULL, "region"},
    [PROFILE_ENDPOINT] = {NULL, "endpoint_url"},
    [PROFILE_ENDPOINT_SSM] = {"ssm", "endpoint_url"},
    [PROFILE_ENDPOINT_STS] = {"sts", "endpoint_url"},
    [PROFILE_IGNORE_ENDPOINTS] = {NULL, "ignore_configured_endpoint_urls"},
    [PROFILE_FIPS] = {NULL, "use_fips_endpoint"},
    [PROFILE_DUALSTACK] = {NULL, "use_dualstack_endpoint"},
    [PROFILE_SERVICES] = {NULL, "services"},
};

static const struct {
    const char *variable, *usual, *kind;
} files[] = {
    {"AWS_CONFIG_FILE", "~/.aws/config", "profile"},
    {"AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials", NULL},
};
#define FILES (sizeof files / sizeof files[0])
enum { CONFIG, CREDENTIALS };

/* -- paths -------------------------------------------------------------------------------- */

/* A daemon may have no HOME; the AWS CLI asks the system as well. */
static const char *find_home(void)
{
    const char *home = variable("HOME");
    const struct passwd *user = home == NULL ? getpwuid(geteuid()) : NULL;

    return user != NULL ? user->pw_dir : home;
}

static void find_path(size_t which, char *out, size_t size)
{
    const char *path = variable(files[which].variable);
    const char *home;

    if (path == NULL) {
        path = files[which].usual;
    }
    home = strncmp(path, "~/", 2) == 0 ? find_home() : NULL;
    snprintf(out, size, "%s%s", home != NULL ? home : "", home != NULL ? path + 1 : path);
}

void profile_tell_files(char *out, size_t size)
{
    struct buf text = buf_over(out, size);
    char path[512];

    for (size_t i = FILES; i-- > 0;) {
        find_path(i, path, sizeof path);
        buf_addf(&text, "%s%.80s", i + 1 < FILES ? " or " : "", path);
        if (access(path, R_OK) != 0 && errno != ENOENT) {
            buf_addf(&text, " (%s)", strerror(errno));
        }
    }
    buf_addc(&text, '\0');
    out[size - 1] = '\0';
}

/* -- reading ------------------------------------------------------------------------------ */

static void set(char **value, const char *text)
{
    if (*value != NULL) {
        explicit_bzero(*value, strlen(*value));
        free(*value);
    }
    *value = text != NULL ? strdup(text) : NULL;
}

static bool is_same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcasecmp(a, b) == 0);
}

/* One setting; the last that is not empty stands. */
static void keep(struct profile *profile, const char *above, const char *key, const char *value)
{
    for (int i = 0; i < PROFILE_KEYS; i++) {
        if (*value != '\0' && is_same(above, keys[i].above) && is_same(key, keys[i].name)) {
            set(&profile->values[i], value);
        }
    }
}

static void take(void *context, const char *above, const char *key, const char *value)
{
    if (above == NULL) {
        keep(context, NULL, key, value);
    }
}

static void take_service(void *context, const char *above, const char *key, const char *value)
{
    if (above != NULL) {
        keep(context, above, key, value);
    }
}

void profile_load(struct profile *profile)
{
    const char *name = variable("AWS_PROFILE");
    char path[512];

    if (name == NULL) {
        name = variable("AWS_DEFAULT_PROFILE");
    }
    *profile = (struct profile){.name = name != NULL ? name : "default", .named = name != NULL};
    for (size_t i = 0; i < FILES; i++) {
        find_path(i, path, sizeof path);
        profile->found |= ini_read(path, files[i].kind, profile->name, take, profile) > 0;
    }
    if (profile->values[PROFILE_SERVICES] != NULL) {
        find_path(CONFIG, path, sizeof path);
        ini_read(path, "services", profile->values[PROFILE_SERVICES], take_service, profile);
    }
}

void profile_free(struct profile *profile)
{
    for (int i = 0; i < PROFILE_KEYS; i++) {
        set(&profile->values[i], NULL);
    }
    *profile = (struct profile){0};
}

const char *profile_key_name(enum profile_key key)
{
    return keys[key].name;
}

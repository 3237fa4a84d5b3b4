/* The format is that of AWS's own tools: [sections] of "key = value" lines, comments behind #
   or ; at the start of a line or behind white space, and indented lines that belong to the key
   above. */
#include "aws/profile.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/variables.h"

static const char *const key_names[PROFILE_KEYS] = {
    [PROFILE_KEY_ID] = "aws_access_key_id",
    [PROFILE_SECRET] = "aws_secret_access_key",
    [PROFILE_TOKEN] = "aws_session_token",
    [PROFILE_PROCESS] = "credential_process",
    [PROFILE_ROLE] = "role_arn",
    [PROFILE_SSO] = "sso_session",
    [PROFILE_SSO_START] = "sso_start_url",
    [PROFILE_REGION] = "region",
    [PROFILE_ENDPOINT] = "endpoint_url",
    [PROFILE_FIPS] = "use_fips_endpoint",
    [PROFILE_DUALSTACK] = "use_dualstack_endpoint",
};

static const struct {
    const char *variable, *usual;
} files[] = {
    [false] = {"AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"},
    [true] = {"AWS_CONFIG_FILE", "~/.aws/config"},
};

void profile_path(bool config, char *out, size_t size)
{
    const char *path = variable(files[config].variable);
    const char *home = variable("HOME");

    if (path == NULL) {
        path = files[config].usual;
    }
    if (path[0] == '~' && path[1] == '/' && home != NULL) {
        snprintf(out, size, "%s%s", home, path + 1);
    } else {
        snprintf(out, size, "%s", path);
    }
}

/* Cuts white space off both ends, in place. */
static char *trim(char *text)
{
    size_t n;

    while (isspace((unsigned char)*text)) {
        text++;
    }
    n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1])) {
        text[--n] = '\0';
    }
    return text;
}

/* Does "[profile NAME]" (config) or "[NAME]" open our section? */
static bool opens(char *line, const char *name, bool config)
{
    char *end = strchr(line, ']');
    char *title;

    if (end == NULL) {
        return false;
    }
    *end = '\0';
    title = trim(line + 1);
    if (config && strncmp(title, "profile", 7) == 0 && isspace((unsigned char)title[7])) {
        return strcmp(trim(title + 7), name) == 0;
    }
    return (!config || strcmp(name, "default") == 0) && strcmp(title, name) == 0;
}

/* A comment starts behind white space: a secret may hold a '#'. */
static void cut_comment(char *value)
{
    for (char *at = value; *at != '\0'; at++) {
        if ((*at == '#' || *at == ';') && at > value && isspace((unsigned char)at[-1])) {
            *at = '\0';
            return;
        }
    }
}

static void take_line(struct profile *profile, char *line)
{
    char *equals = strchr(line, '=');
    char *key, *value;

    if (equals == NULL) {
        return;
    }
    *equals = '\0';
    cut_comment(equals + 1);
    key = trim(line);
    value = trim(equals + 1);
    for (int i = 0; i < PROFILE_KEYS; i++) {
        if (strcasecmp(key, key_names[i]) == 0 && profile->values[i] == NULL &&
            *value != '\0') {
            profile->values[i] = strdup(value);
        }
    }
}

static void read_shared_file(struct profile *profile, bool config)
{
    char path[512], line[8192];
    bool ours = false;
    FILE *file;

    profile_path(config, path, sizeof path);
    file = fopen(path, "re");
    if (file == NULL) {
        return;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '[') {
            ours = opens(line, profile->name, config);
            profile->found |= ours;
        } else if (ours && !isspace((unsigned char)line[0]) && line[0] != '#' &&
                   line[0] != ';') {
            take_line(profile, line);
        }
    }
    explicit_bzero(line, sizeof line);
    fclose(file);
}

void profile_load(struct profile *profile)
{
    const char *name = variable("AWS_PROFILE");

    if (name == NULL) {
        name = variable("AWS_DEFAULT_PROFILE");
    }
    *profile = (struct profile){.name = name != NULL ? name : "default", .named = name != NULL};
    read_shared_file(profile, false);
    read_shared_file(profile, true);
}

void profile_free(struct profile *profile)
{
    for (int i = 0; i < PROFILE_KEYS; i++) {
        if (profile->values[i] != NULL) {
            explicit_bzero(profile->values[i], strlen(profile->values[i]));
            free(profile->values[i]);
        }
    }
    *profile = (struct profile){0};
}

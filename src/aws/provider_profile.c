/* The shared credentials and config files: keys that stand there, or a command that prints them
   (credential_process). */
#include "aws/credentials.h"

#include <stdio.h>
#include <string.h>

#include "aws/command.h"
#include "aws/profile.h"

/* Programs of this kind may ask a server, but they must not hold up a fetch for long. */
#define COMMAND_MS  10000
#define COMMAND_MAX 16384

static enum provided ask_command(const char *command, struct credentials *out, char *why,
                                 size_t why_size)
{
    char text[COMMAND_MAX];
    enum provided result = BROKEN;
    size_t n;

    if (command_run(command, COMMAND_MS, text, sizeof text, &n, why, why_size) &&
        credentials_from_json(out, text, n, "SessionToken", why, why_size)) {
        result = PROVIDED;
    }
    explicit_bzero(text, sizeof text);
    return result;
}

/* What a profile may name instead of keys and we do not know. */
static const struct {
    enum profile_key key;
    const char *name;
} foreign[] = {{PROFILE_ROLE, "role_arn"},
               {PROFILE_SSO, "sso_session"},
               {PROFILE_SSO_START, "sso_start_url"}};

static enum provided refuse(const struct profile *profile, char *why, size_t why_size)
{
    char path[160];

    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (profile->values[foreign[i].key] != NULL) {
            snprintf(why, why_size,
                     "[%.40s] uses %s, which only credential_process can bring here "
                     "(aws configure export-credentials --format process)",
                     profile->name, foreign[i].name);
            return BROKEN;
        }
    }
    profile_path(false, path, sizeof path);
    snprintf(why, why_size, "no %s [%.40s] in %.100s", profile->found ? "keys in" : "profile",
             profile->name, path);
    return profile->named ? BROKEN : ABSENT;
}

static enum provided ask(struct http *http, struct credentials *out, char *why, size_t why_size)
{
    struct profile profile;
    enum provided result;

    (void)http;
    profile_load(&profile);
    if (profile.values[PROFILE_KEY_ID] != NULL) {
        result = credentials_take(out, profile.values[PROFILE_KEY_ID],
                                  profile.values[PROFILE_SECRET], profile.values[PROFILE_TOKEN],
                                  NULL, why, why_size)
                     ? PROVIDED
                     : BROKEN;
    } else if (profile.values[PROFILE_PROCESS] != NULL) {
        result = ask_command(profile.values[PROFILE_PROCESS], out, why, why_size);
    } else {
        result = refuse(&profile, why, why_size);
    }
    profile_free(&profile);
    return result;
}

const struct provider provider_profile = {.name = "profile", .ask = ask};

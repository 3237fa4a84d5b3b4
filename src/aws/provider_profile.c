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
        credentials_from_json(out, text, n, FORM_PROCESS, why, why_size)) {
        result = PROVIDED;
    }
    explicit_bzero(text, sizeof text);
    return result;
}

/* What a profile may name and we do not know. For the SDKs a role, and SSO with a role, come
   before keys that stand in the same profile: those would be another identity. */
static const struct {
    enum profile_key key;
    bool before_keys;
} foreign[] = {{PROFILE_ROLE, true},
               {PROFILE_SSO_ROLE, true},
               {PROFILE_SSO, false},
               {PROFILE_SSO_START, false},
               {PROFILE_LOGIN, false}};

/* Does it name such a thing, that serves before keys or where there are none? */
static bool is_foreign(const struct profile *profile, bool before_keys, char *why,
                       size_t why_size)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (profile->values[foreign[i].key] != NULL && foreign[i].before_keys == before_keys) {
            snprintf(why, why_size,
                     "[%.40s] uses %s, which only credential_process can bring here "
                     "(aws configure export-credentials --format process)",
                     profile->name, profile_key_name(foreign[i].key));
            return true;
        }
    }
    return false;
}

static enum provided ask_keys(const struct profile *profile, struct credentials *out, char *why,
                              size_t why_size)
{
    return credentials_take(out, profile->values[PROFILE_KEY_ID],
                            profile->values[PROFILE_SECRET], profile->values[PROFILE_TOKEN],
                            NULL, why, why_size)
               ? PROVIDED
               : BROKEN;
}

static enum provided tell_absent(const struct profile *profile, char *why, size_t why_size)
{
    char paths[200];

    profile_tell_files(paths, sizeof paths);
    snprintf(why, why_size, "no %s [%.40s] in %s", profile->found ? "keys in" : "profile",
             profile->name, paths);
    /* One that only has settings leaves the credentials to the next, as with the SDKs. */
    return profile->named && !profile->found ? BROKEN : ABSENT;
}

static enum provided ask_profile(const struct profile *profile, struct credentials *out,
                                 char *why, size_t why_size)
{
    if (is_foreign(profile, true, why, why_size)) {
        return BROKEN;
    }
    if (profile->values[PROFILE_KEY_ID] != NULL) {
        return ask_keys(profile, out, why, why_size);
    }
    if (is_foreign(profile, false, why, why_size)) {
        return BROKEN;
    }
    if (profile->values[PROFILE_PROCESS] != NULL) {
        return ask_command(profile->values[PROFILE_PROCESS], out, why, why_size);
    }
    return tell_absent(profile, why, why_size);
}

static enum provided ask(struct http *http, struct credentials *out, char *why, size_t why_size)
{
    struct profile profile;
    enum provided result;

    (void)http;
    profile_load(&profile);
    result = ask_profile(&profile, out, why, why_size);
    profile_free(&profile);
    return result;
}

const struct provider provider_profile = {.name = "profile", .ask = ask};

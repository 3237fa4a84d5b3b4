/* The chain, the cache, and the checks that all providers share. */
#include "aws/credentials.h"

#include <stdio.h>
#include <string.h>

#include "aws/json.h"
#include "aws/times.h"
#include "base/buf.h"
#include "base/clock.h"

static const struct provider *const chain[] = {
    &provider_environment, &provider_profile,  &provider_web_identity,
    &provider_container,   &provider_instance,
};
#define CHAIN_LENGTH (sizeof chain / sizeof chain[0])

/* -- filling ------------------------------------------------------------------------------ */

/* They go into headers: no blanks, no controls. */
static bool copy_clean(char *out, size_t size, const char *text)
{
    size_t n = strlen(text);

    if (n >= size) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (text[i] <= ' ' || text[i] > '~') {
            return false;
        }
    }
    memcpy(out, text, n + 1);
    return true;
}

bool credentials_take(struct credentials *out, const char *key, const char *secret,
                      const char *token, const char *expires, char *why, size_t why_size)
{
    *out = (struct credentials){0};
    if (key == NULL || *key == '\0' || secret == NULL || *secret == '\0') {
        snprintf(why, why_size, "%s is missing",
                 key == NULL || *key == '\0' ? "the access key's id" : "the secret key");
        return false;
    }
    if (!copy_clean(out->key, sizeof out->key, key) ||
        !copy_clean(out->secret, sizeof out->secret, secret) ||
        !copy_clean(out->token, sizeof out->token, token != NULL ? token : "")) {
        explicit_bzero(out, sizeof *out);
        snprintf(why, why_size,
                 "what it gives is too long, or holds blanks or control characters");
        return false;
    }
    if (expires != NULL && !times_iso(expires, &out->expires_ms)) {
        explicit_bzero(out, sizeof *out);
        snprintf(why, why_size, "its time of expiry '%.40s' is no ISO 8601 time", expires);
        return false;
    }
    return true;
}

static const struct {
    const char *token;
    bool versioned; /* the number of this form stands in it: 1 */
} forms[] = {
    [FORM_ENDPOINT] = {"Token", false},
    [FORM_PROCESS] = {"SessionToken", true},
};

static bool is_version_1(const struct json *json)
{
    int64_t version;

    return json_number(json, "Version", &version) && version == 1;
}

bool credentials_from_json(struct credentials *out, const char *text, size_t n,
                           enum credentials_form form, char *why, size_t why_size)
{
    struct json *json = json_read(text, n);
    bool done = false;

    if (json == NULL) {
        snprintf(why, why_size, "what it gives is not JSON");
        return false;
    }
    if (forms[form].versioned && !is_version_1(json)) {
        snprintf(why, why_size, "what it gives has no \"Version\": 1");
    } else {
        done = credentials_take(
            out, json_text(json, "AccessKeyId"), json_text(json, "SecretAccessKey"),
            json_text(json, forms[form].token), json_text(json, "Expiration"), why, why_size);
    }
    json_free(json);
    return done;
}

/* -- the chain ---------------------------------------------------------------------------- */

/* Asks all in turn. Returns who provided, or NULL with the reasons in *fault. */
static const struct provider *ask_chain(struct http *http, struct credentials *out,
                                        struct source_fault *fault)
{
    char reasons[SOURCE_FAULT_SIZE], why[SOURCE_FAULT_SIZE];
    struct buf text = buf_over(reasons, sizeof reasons);

    for (size_t i = 0; i < CHAIN_LENGTH; i++) {
        enum provided result = chain[i]->ask(http, out, why, sizeof why);

        if (result == PROVIDED) {
            return chain[i];
        }
        if (result == BROKEN) {
            source_fault_set(fault, "CredentialsFailed", "credentials from %s: %s",
                             chain[i]->name, why);
            return NULL;
        }
        buf_addf(&text, "%s%s: %s", i > 0 ? "; " : "", chain[i]->name, why);
    }
    source_fault_set(fault, "NoCredentials", "no credentials: %.*s", (int)text.len, reasons);
    return NULL;
}

bool credentials_get(struct credentials_cache *cache, struct http *http, bool *fresh,
                     struct source_fault *fault)
{
    int64_t now = clock_wall_ms();
    int64_t expires = cache->now.expires_ms;
    const struct provider *provider;
    struct credentials newer;

    if (fresh != NULL) {
        *fresh = false;
    }
    if (cache->provider != NULL && (expires == 0 || expires - now > CREDENTIALS_EARLY_MS)) {
        return true;
    }
    provider = ask_chain(http, &newer, fault);
    if (provider == NULL) {
        return cache->provider != NULL && expires > now;
    }
    cache->now = newer;
    cache->provider = provider->name;
    explicit_bzero(&newer, sizeof newer);
    if (fresh != NULL) {
        *fresh = true;
    }
    return true;
}

void credentials_forget(struct credentials_cache *cache)
{
    explicit_bzero(cache, sizeof *cache);
}

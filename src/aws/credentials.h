/* Who we are for AWS. Providers are asked in the order of AWS's SDKs; the first that is
   configured serves. One that is configured and fails ends the search: falling through to the
   next would act under another identity. */
#ifndef AWS_CREDENTIALS_H
#define AWS_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/http.h"
#include "mode/source.h"

/* Renewed when less than this is left; while that fails, the old ones serve till they end. */
#define CREDENTIALS_EARLY_MS (10 * 60 * 1000)

struct credentials {
    char key[192], secret[256];
    char token[8192];   /* empty for long-lived keys */
    int64_t expires_ms; /* clock_wall_ms(); 0: never */
};

enum provided {
    PROVIDED,
    ABSENT, /* this provider is not configured: ask the next */
    BROKEN, /* it is, and it failed */
};

struct provider {
    const char *name;
    /* Asks. Fills *out, or says in one short line of why what is missing. */
    enum provided (*ask)(struct http *http, struct credentials *out, char *why,
                         size_t why_size);
};

extern const struct provider provider_environment, provider_profile, provider_web_identity,
    provider_container, provider_instance;

/* What was provided last. Zeroed: nothing yet. */
struct credentials_cache {
    struct credentials now;
    const char *provider; /* NULL: there are none */
};

/* Sees to it that cache->now can be used: from the cache, or from the providers. *fresh (may be
   NULL): they were asked. On false *fault names each provider and why it did not serve. */
bool credentials_get(struct credentials_cache *cache, struct http *http, bool *fresh,
                     struct source_fault *fault);

/* Forgets them: AWS has refused them. */
void credentials_forget(struct credentials_cache *cache);

/* For providers: fills *out from text. Tells in why when something is missing, too long, or
   holds a character that no credential has. token: may be NULL or empty. expires: ISO 8601, or
   NULL. */
bool credentials_take(struct credentials *out, const char *key, const char *secret,
                      const char *token, const char *expires, char *why, size_t why_size);

/* How providers write credentials in JSON. */
enum credentials_form {
    FORM_ENDPOINT, /* the container's endpoint, the metadata service */
    FORM_PROCESS,  /* credential_process */
};

/* For providers: the same from JSON. */
bool credentials_from_json(struct credentials *out, const char *text, size_t n,
                           enum credentials_form form, char *why, size_t why_size);

#endif

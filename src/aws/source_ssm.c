/* The source interface over the SSM client; only names are checked here. */
#include "aws/source_ssm.h"

#include <stdlib.h>
#include <string.h>

#include "aws/ssm.h"

/* What names and ARNs are made of. */
static bool is_name(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789/_.-:";

    return *text != '\0' && strspn(text, allowed) == strlen(text);
}

static bool open_ssm(struct source *source, struct source_fault *fault)
{
    struct ssm *ssm;

    if (!is_name(source->argument)) {
        source_fault_set(fault, "BadSource",
                         "ssm:%.80s names no parameter, as ssm:" SOURCE_PARAM " does; "
                         "a name has letters, digits and / _ . -",
                         source->argument);
        return false;
    }
    ssm = malloc(sizeof *ssm);
    if (ssm == NULL || !ssm_open(ssm)) {
        free(ssm);
        source_fault_set(fault, "ENOMEM", "no memory for the SSM client");
        return false;
    }
    source->state = ssm;
    return true;
}

static bool fetch_ssm(struct source *source, struct reading *out, struct source_fault *fault)
{
    return ssm_get(source->state, source->argument, out, fault);
}

static bool store_ssm(struct source *source, const char *value, uint64_t *version,
                      struct source_fault *fault)
{
    return ssm_put(source->state, source->argument, value, version, fault);
}

static void close_ssm(struct source *source)
{
    if (source->state != NULL) {
        ssm_close(source->state);
        free(source->state);
    }
}

const struct source_kind source_ssm = {
    .scheme = "ssm",
    .open = open_ssm,
    .fetch = fetch_ssm,
    .store = store_ssm,
    .close = close_ssm,
};

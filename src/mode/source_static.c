/* static:MODE: the mode is fixed at start. Nothing is polled and nothing can be stored. */
#include "mode/source.h"

#include <string.h>

#include "mode/policy.h"

static bool open_static(struct source *source, struct source_fault *fault)
{
    enum mode mode;

    if (!mode_parse(source->argument, strlen(source->argument), &mode)) {
        source_fault_set(fault, "BadSource", "static:%.60s names no mode; there are %s",
                         source->argument, mode_list());
        return false;
    }
    source->constant = true;
    return true;
}

static bool fetch_static(struct source *source, struct reading *out, struct source_fault *fault)
{
    (void)fault;
    *out = (struct reading){.length = strlen(source->argument)};
    memcpy(out->value, source->argument, out->length);
    return true;
}

const struct source_kind source_static = {
    .scheme = "static",
    .open = open_static,
    .fetch = fetch_static,
};

/* The source, as the control tool uses it: file: and static: by itself, ssm: by
 * sinkhole-refresh. */
#include "ctl/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ctl/helper.h"

static int complain_fault(int status, const struct source_fault *fault)
{
    return ctl_complain(status, "%s", fault->text);
}

int origin_spec(const struct ctl *ctl, const struct view *view, char spec[SOURCE_SPEC_SIZE])
{
    struct source_fault fault;

    if (ctl->source == NULL && view->now.source[0] != '\0') {
        snprintf(spec, SOURCE_SPEC_SIZE, "%s", view->now.source);
        return EXIT_OK;
    }
    if (!source_spec(ctl->source, getenv("SINKHOLE_MODE_PARAM"), ctl->run_dir, spec, &fault)) {
        return complain_fault(EXIT_USAGE, &fault);
    }
    return EXIT_OK;
}

static bool is_local(const char *spec)
{
    return strncmp(spec, "ssm:", 4) != 0;
}

static int fetch_local(const char *spec, struct reading *out)
{
    struct source_fault fault;
    struct source source;
    bool fetched;

    if (!source_open(&source, spec, source_local_kinds, &fault)) {
        return complain_fault(EXIT_USAGE, &fault);
    }
    fetched = source.kind->fetch(&source, out, &fault);
    source_close(&source);
    return fetched ? EXIT_OK : complain_fault(EXIT_SYSTEM, &fault);
}

int origin_fetch(const struct ctl *ctl, const char *spec, struct reading *out)
{
    static const char *const words[] = {"--print", NULL};
    int status;

    if (is_local(spec)) {
        return fetch_local(spec, out);
    }
    *out = (struct reading){0};
    status = helper_run(ctl, spec, words, out->value, sizeof out->value);
    out->length = strcspn(out->value, "\n");
    out->value[out->length] = '\0';
    return status;
}

int origin_store(const struct ctl *ctl, const char *spec, const char *value, uint64_t *version)
{
    const char *const words[] = {"--put", value, NULL};
    struct source_fault fault;
    char said[256];
    int status;

    *version = 0;
    if (is_local(spec)) {
        return source_put(spec, source_local_kinds, value, version, &fault)
                   ? EXIT_OK
                   : complain_fault(EXIT_SYSTEM, &fault);
    }
    status = helper_run(ctl, spec, words, said, sizeof said);
    *version = strtoull(said, NULL, 10);
    return status;
}

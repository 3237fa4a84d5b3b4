/* The source, as the control tool uses it: file: and static: by itself, ssm: by
 * sinkhole-refresh. */
#include "ctl/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ctl/helper.h"

#define SAID_SIZE 4096

static int complain_fault(const struct source_fault *fault)
{
    return ctl_complain(source_fault_status(fault), "%s", fault->text);
}

int origin_spec(const struct ctl *ctl, const struct view *view, char spec[SOURCE_SPEC_SIZE])
{
    struct source_fault fault;

    if (ctl->source == NULL && view->now.source[0] != '\0') {
        snprintf(spec, SOURCE_SPEC_SIZE, "%s", view->now.source);
        return EXIT_OK;
    }
    if (!source_spec(ctl->source, getenv("SINKHOLE_MODE_PARAM"), ctl->run_dir, spec, &fault)) {
        return complain_fault(&fault);
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
        return complain_fault(&fault);
    }
    fetched = source.kind->fetch(&source, out, &fault);
    source_close(&source);
    return fetched ? EXIT_OK : complain_fault(&fault);
}

/* What sinkhole-refresh prints is one flat JSON object of our own making. A quote within a
   string has a backslash before it, so that `"key":` stands nowhere but at a member. */
static const char *member(const char *json, const char *key)
{
    char name[32];
    const char *at;

    snprintf(name, sizeof name, "\"%s\":", key);
    at = strstr(json, name);
    return at != NULL ? at + strlen(name) : NULL;
}

static uint64_t member_number(const char *json, const char *key)
{
    const char *at = member(json, key);

    return at != NULL ? strtoull(at, NULL, 10) : 0;
}

/* A string member; values are printable ASCII there, so quote and backslash alone are
   escaped. */
static size_t member_text(const char *json, const char *key, char *out, size_t size)
{
    const char *at = member(json, key);
    size_t n = 0;

    if (at != NULL && *at == '"') {
        for (at++; *at != '"' && *at != '\0' && n < size - 1; at++) {
            at += *at == '\\' && at[1] != '\0';
            out[n++] = *at;
        }
    }
    out[n] = '\0';
    return n;
}

int origin_fetch(const struct ctl *ctl, const char *spec, struct reading *out)
{
    static const char *const words[] = {"--print", NULL};
    char said[SAID_SIZE];
    int status;

    if (is_local(spec)) {
        return fetch_local(spec, out);
    }
    *out = (struct reading){0};
    status = helper_run(ctl, spec, words, said, sizeof said);
    out->length = member_text(said, "value", out->value, sizeof out->value);
    out->version = member_number(said, "version");
    return status;
}

int origin_store(const struct ctl *ctl, const char *spec, const char *value, uint64_t *version)
{
    const char *const words[] = {"--put", value, NULL};
    struct source_fault fault;
    char said[SAID_SIZE];
    int status;

    *version = 0;
    if (is_local(spec)) {
        return source_put(spec, source_local_kinds, value, version, &fault)
                   ? EXIT_OK
                   : complain_fault(&fault);
    }
    status = helper_run(ctl, spec, words, said, sizeof said);
    *version = member_number(said, "version");
    return status;
}

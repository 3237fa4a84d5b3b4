/* What all sources share: finding the backend that a specification names, and faults. */
#include "mode/source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

const struct source_kind *const source_local_kinds[] = {&source_static, &source_file, NULL};

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

bool source_spec(const char *named, const char *param, const char *run_dir,
                 char out[SOURCE_SPEC_SIZE], struct source_fault *fault)
{
    int n;

    if (!is_given(named)) {
        named = is_given(param) ? "ssm" : "file";
    }
    if (strcmp(named, "ssm") == 0) {
        n = snprintf(out, SOURCE_SPEC_SIZE, "ssm:%s", is_given(param) ? param : SOURCE_PARAM);
    } else if (strcmp(named, "file") == 0) {
        n = snprintf(out, SOURCE_SPEC_SIZE, "file:%s/mode", run_dir);
    } else {
        n = snprintf(out, SOURCE_SPEC_SIZE, "%s", named);
    }
    if (n < 0 || n >= SOURCE_SPEC_SIZE) {
        source_fault_set(fault, "BadSource", "the mode source is longer than %d bytes",
                         SOURCE_SPEC_SIZE - 1);
        return false;
    }
    return true;
}

const struct source_kind *source_kind_of(const char *spec,
                                         const struct source_kind *const kinds[])
{
    size_t scheme = strcspn(spec, ":");

    for (; *kinds != NULL; kinds++) {
        if (strlen((*kinds)->scheme) == scheme && memcmp((*kinds)->scheme, spec, scheme) == 0 &&
            spec[scheme] == ':') {
            return *kinds;
        }
    }
    return NULL;
}

bool source_open(struct source *source, const char *spec,
                 const struct source_kind *const kinds[], struct source_fault *fault)
{
    *source = (struct source){.kind = source_kind_of(spec, kinds)};
    if (source->kind == NULL) {
        source_fault_set(fault, "BadSource",
                         "mode source '%.80s' is unknown: "
                         "it is ssm:/NAME, file:/PATH or static:MODE",
                         spec);
        return false;
    }
    if (snprintf(source->spec, sizeof source->spec, "%s", spec) >= SOURCE_SPEC_SIZE) {
        source_fault_set(fault, "BadSource", "the mode source is longer than %d bytes",
                         SOURCE_SPEC_SIZE - 1);
        return false;
    }
    source->argument = source->spec + strlen(source->kind->scheme) + 1;
    return source->kind->open(source, fault);
}

void source_close(struct source *source)
{
    if (source->kind != NULL && source->kind->close != NULL) {
        source->kind->close(source);
    }
    *source = (struct source){0};
}

bool source_put(const char *spec, const struct source_kind *const kinds[], const char *value,
                uint64_t *version, struct source_fault *fault)
{
    struct source source;
    bool stored = false;

    *version = 0;
    if (!source_open(&source, spec, kinds, fault)) {
        return false;
    }
    if (source.kind->store == NULL) {
        source_fault_set(
            fault, "ReadOnly",
            "%s cannot be changed while it runs; start it with another mode source", spec);
    } else {
        stored = source.kind->store(&source, value, version, fault);
    }
    source_close(&source);
    return stored;
}

/* Both go to terminals, and may quote what strangers wrote. */
static void tame(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7F) {
            *text = '?';
        }
    }
}

void source_fault_set(struct source_fault *fault, const char *code, const char *format, ...)
{
    va_list args;

    *fault = (struct source_fault){0};
    snprintf(fault->code, sizeof fault->code, "%s", code);
    va_start(args, format);
    vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    tame(fault->code);
    tame(fault->text);
}

void source_fault_errno(struct source_fault *fault, const char *format, ...)
{
    int number = errno;
    const char *name = strerrorname_np(number);
    size_t used;
    va_list args;

    *fault = (struct source_fault){0};
    snprintf(fault->code, sizeof fault->code, "%s", name != NULL ? name : "Errno");
    va_start(args, format);
    vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    used = strlen(fault->text);
    snprintf(fault->text + used, sizeof fault->text - used, ": %s", strerror(number));
    tame(fault->text);
}

int source_fault_status(const struct source_fault *fault)
{
    static const struct {
        const char *code;
        int status;
    } rows[] = {{"BadSource", EXIT_USAGE}, {"ReadOnly", EXIT_USAGE}, {"Timeout", EXIT_TIMEOUT}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(fault->code, rows[i].code) == 0) {
            return rows[i].status;
        }
    }
    return EXIT_SYSTEM;
}

/* The option table at work: environment first, then the command line over it. */
#include "base/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

/* What a value has to look like, for messages. */
static void describe(const struct option_row *row, char *out, size_t size)
{
    char low[32], high[32];

    switch (row->kind) {
    case OPTION_NUMBER:
        snprintf(out, size, "a whole number from %lld to %lld", (long long)row->min,
                 (long long)row->max);
        break;
    case OPTION_SECONDS:
        format_duration(row->min, low, sizeof low);
        format_duration(row->max, high, sizeof high);
        snprintf(out, size, "a time from %s to %s: seconds, or with the unit ms, s, m or h",
                 low, high);
        break;
    case OPTION_FLAG:
        snprintf(out, size, "1 or 0");
        break;
    case OPTION_TEXT:
        snprintf(out, size, "a text");
        break;
    }
}

static bool read_flag(const char *text, bool *out)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"1", true},  {"true", true},   {"yes", true},
                 {"0", false}, {"false", false}, {"no", false}};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i].word) == 0) {
            *out = words[i].value;
            return true;
        }
    }
    return false;
}

static bool set_value(const struct option_row *row, const char *text)
{
    switch (row->kind) {
    case OPTION_FLAG:
        return read_flag(text, row->target);
    case OPTION_TEXT:
        *(const char **)row->target = text;
        return true;
    case OPTION_NUMBER:
        return parse_number(text, row->min, row->max, row->target);
    case OPTION_SECONDS:
        return parse_duration(text, row->min, row->max, row->target);
    }
    return false;
}

/* name: as it was written; of "--name=value" what stands before the '='. */
static bool apply(const struct option_row *row, const char *name, const char *text, char *why,
                  size_t why_size)
{
    int length = (int)strcspn(name, "=");
    char accepted[128];

    if (set_value(row, text)) {
        return true;
    }
    describe(row, accepted, sizeof accepted);
    snprintf(why, why_size, "%.*s: '%.80s' is not accepted; it takes %s", length, name, text,
             accepted);
    return false;
}

static bool read_environment(const struct option_row *rows, char *why, size_t why_size)
{
    for (const struct option_row *row = rows; row->name != NULL; row++) {
        const char *text = row->env != NULL ? getenv(row->env) : NULL;

        if (text != NULL && *text != '\0' && !apply(row, row->env, text, why, why_size)) {
            return false;
        }
    }
    return true;
}

/* The row that an argument names; *value is what stands behind '=', or NULL. */
static const struct option_row *find(const struct option_row *rows, const char *argument,
                                     const char **value)
{
    *value = NULL;
    for (const struct option_row *row = rows; row->name != NULL; row++) {
        size_t n = strlen(row->name);

        if (row->letter != '\0' && argument[1] == row->letter && argument[2] == '\0') {
            return row;
        }
        if (strncmp(argument, "--", 2) == 0 && strncmp(argument + 2, row->name, n) == 0 &&
            (argument[2 + n] == '\0' || argument[2 + n] == '=')) {
            *value = argument[2 + n] == '=' ? argument + 3 + n : NULL;
            return row;
        }
    }
    return NULL;
}

int options_read(const struct option_row *rows, int argc, char **argv, char *why,
                 size_t why_size)
{
    int at;

    if (!read_environment(rows, why, why_size)) {
        return -1;
    }
    for (at = 1; at < argc && argv[at][0] == '-' && argv[at][1] != '\0'; at++) {
        const char *name = argv[at], *value;
        const struct option_row *row;

        if (strcmp(name, "--") == 0) {
            return at + 1;
        }
        row = find(rows, name, &value);
        if (row == NULL) {
            snprintf(why, why_size, "%.80s: there is no such option; --help lists them", name);
            return -1;
        }
        if (row->kind == OPTION_FLAG && value == NULL) {
            value = "1";
        } else if (value == NULL && ++at == argc) {
            snprintf(why, why_size, "%s: a value is missing (%s)", name, row->value);
            return -1;
        } else if (value == NULL) {
            value = argv[at];
        }
        if (!apply(row, name, value, why, why_size)) {
            return -1;
        }
    }
    return at;
}

void options_help(const struct option_row *rows)
{
    for (const struct option_row *row = rows; row->name != NULL; row++) {
        char left[64], letter[8] = "";

        if (row->letter != '\0') {
            snprintf(letter, sizeof letter, "-%c, ", row->letter);
        }
        snprintf(left, sizeof left, "%s--%s%s%s", letter, row->name,
                 row->value != NULL ? " " : "", row->value != NULL ? row->value : "");
        printf("  %-28s %s\n", left, row->help);
        if (row->env != NULL) {
            printf("  %-28s   [%s]\n", "", row->env);
        }
    }
}

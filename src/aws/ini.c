/* Line by line. What makes no sense is passed over: these files serve many programs. */
#include "aws/ini.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Holds the longest session token that is taken, with much to spare: what is cut is too long.
 */
#define LINE_SIZE 16384
#define KEY_SIZE  64

struct reader {
    const char *kind, *name;
    ini_take *take;
    void *context;
    int sections;       /* how many of ours there were */
    bool ours;          /* in one of them */
    int indent;         /* of the last key; -1: none in this section */
    char key[KEY_SIZE]; /* the last key without a value: others may stand below it */
};

/* Cuts white space off both ends, in place. */
static char *trim(char *text)
{
    size_t n;

    while (isspace((unsigned char)*text)) {
        text++;
    }
    n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1])) {
        text[--n] = '\0';
    }
    return text;
}

/* Cuts quotes off: the AWS CLI writes them around names with blanks. */
static char *unquote(char *text)
{
    size_t n = strlen(text);

    if (n >= 2 && (text[0] == '\'' || text[0] == '"') && text[n - 1] == text[0]) {
        text[n - 1] = '\0';
        text++;
    }
    return text;
}

/* Is this the title of one of our sections? */
static bool is_ours(const struct reader *r, char *title)
{
    size_t n = r->kind != NULL ? strlen(r->kind) : 0;

    if (n > 0 && strncmp(title, r->kind, n) == 0 && isspace((unsigned char)title[n])) {
        return strcmp(unquote(trim(title + n)), r->name) == 0;
    }
    if (n > 0 && (strcmp(r->kind, "profile") != 0 || strcmp(r->name, "default") != 0)) {
        return false;
    }
    return strcmp(title, r->name) == 0;
}

static void open_section(struct reader *r, char *line)
{
    char *end = strchr(line, ']');

    if (end != NULL) {
        *end = '\0';
    }
    r->ours = end != NULL && is_ours(r, trim(line + 1));
    r->sections += r->ours ? 1 : 0;
    r->indent = -1;
}

/* A comment starts behind white space: a secret may hold a '#'. */
static void cut_comment(char *value)
{
    for (char *at = value; *at != '\0'; at++) {
        if ((*at == '#' || *at == ';') && at > value && isspace((unsigned char)at[-1])) {
            *at = '\0';
            return;
        }
    }
}

static void take_pair(struct reader *r, char *line, bool below)
{
    char *equals = strchr(line, '=');
    char *key, *value;

    if (equals == NULL) {
        return;
    }
    *equals = '\0';
    cut_comment(equals + 1);
    key = trim(line);
    value = trim(equals + 1);
    if (!below) {
        snprintf(r->key, sizeof r->key, "%s", *value == '\0' ? key : "");
        r->take(r->context, NULL, key, value);
    } else if (r->key[0] != '\0') {
        r->take(r->context, r->key, key, value);
    }
}

static void take_line(struct reader *r, char *line)
{
    int indent = (int)strspn(line, " \t");
    bool below = r->indent >= 0 && indent > r->indent;

    line = trim(line);
    if (*line == '\0' || *line == '#' || *line == ';') {
        return;
    }
    if (*line == '[' && !below) {
        open_section(r, line);
        return;
    }
    if (r->ours) {
        take_pair(r, line, below);
    }
    r->indent = below ? r->indent : indent;
}

/* fgets(3), but the rest of a line that is too long is lost and not taken for another one. */
static bool next_line(FILE *file, char *line, size_t size)
{
    size_t n;
    int c;

    if (fgets(line, (int)size, file) == NULL) {
        return false;
    }
    n = strlen(line);
    if (n + 1 == size && line[n - 1] != '\n') {
        do {
            c = fgetc(file);
        } while (c != EOF && c != '\n');
    }
    return true;
}

int ini_read(const char *path, const char *kind, const char *name, ini_take *take,
             void *context)
{
    struct reader r = {
        .kind = kind, .name = name, .take = take, .context = context, .indent = -1};
    char line[LINE_SIZE];
    FILE *file = fopen(path, "re");
    int wrong;

    if (file == NULL) {
        return -1;
    }
    errno = 0;
    while (next_line(file, line, sizeof line)) {
        take_line(&r, line);
    }
    wrong = ferror(file) ? errno : 0;
    explicit_bzero(line, sizeof line);
    fclose(file);
    errno = wrong;
    return wrong != 0 ? -1 : r.sections;
}

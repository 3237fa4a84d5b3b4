/* A scanner for paths: each scan_ function takes what it knows from the front of *left. */
#include "smtp/path.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"

static bool take(struct span *left, char c)
{
    if (left->n == 0 || left->at[0] != c) {
        return false;
    }
    *left = span_from(*left, 1);
    return true;
}

/* One or more bytes of a class. */
static bool scan_run(struct span *left, enum byte_class class)
{
    size_t n = bytes_run(left->at, left->n, class);

    *left = span_from(*left, n);
    return n > 0;
}

/* "quoted \"text\"", when the opening quote is taken. */
static bool scan_quoted(struct span *left)
{
    while (left->n > 0) {
        if (take(left, '"')) {
            return true;
        }
        if (take(left, '\\') && left->n == 0) {
            return false;
        }
        if (!byte_is(left->at[0], BYTE_PRINT)) {
            return false;
        }
        *left = span_from(*left, 1);
    }
    return false;
}

static bool scan_local(struct span *left)
{
    return take(left, '"') ? scan_quoted(left) : scan_run(left, BYTE_LOCAL);
}

static bool scan_domain(struct span *left)
{
    const char *start = left->at;
    char last;

    if (take(left, '[')) {
        return scan_run(left, BYTE_LITERAL) && take(left, ']');
    }
    if (!scan_run(left, BYTE_DOMAIN)) {
        return false;
    }
    last = left->at[-1];
    return byte_is(start[0], BYTE_ALNUM) && last != '.' && last != '-' &&
           memmem(start, (size_t)(left->at - start), "..", 2) == NULL;
}

/* "@one,@two:": old mail routes, to be read and ignored (RFC 5321 appendix C). */
static bool skip_route(struct span *left)
{
    if (left->n == 0 || left->at[0] != '@') {
        return true;
    }
    do {
        if (!take(left, '@') || !scan_domain(left)) {
            return false;
        }
    } while (take(left, ','));
    return take(left, ':');
}

/* What stands between the brackets; the closing one is taken too. */
static bool scan_path(struct span *left, struct path *out)
{
    const char *start;

    out->address = out->domain = (struct span){.at = left->at, .n = 0};
    if (take(left, '>')) {
        return true;
    }
    if (!skip_route(left)) {
        return false;
    }
    start = left->at;
    if (!scan_local(left)) {
        return false;
    }
    if (take(left, '@')) {
        out->domain.at = left->at;
        if (!scan_domain(left)) {
            return false;
        }
        out->domain.n = (size_t)(left->at - out->domain.at);
    }
    out->address = (struct span){.at = start, .n = (size_t)(left->at - start)};
    return out->address.n <= PATH_ADDRESS_MAX && take(left, '>');
}

enum path_result path_parse(struct span argument, const char *keyword, struct path *out)
{
    struct span left;

    if (!span_begins(argument, keyword)) {
        return PATH_KEYWORD;
    }
    /* "FROM: <a@b>" breaks the grammar, but many send it and nothing else can be meant. */
    left = span_trim(span_from(argument, strlen(keyword)));
    if (!take(&left, '<')) {
        return PATH_KEYWORD;
    }
    if (!scan_path(&left, out)) {
        return PATH_SYNTAX;
    }
    if (left.n > 0 && left.at[0] != ' ' && left.at[0] != '\t') {
        return PATH_TRAILER;
    }
    out->parameters = span_trim(left);
    return PATH_OK;
}

/* Searches for the tags as text; a document is judged only as far as it is needed. */
#include "aws/xml.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    char character;
} entities[] = {
    {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};

/* One character of text at *at; moves on behind it. */
static char take_character(const char **at)
{
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
        size_t n = strlen(entities[i].name);

        if (strncmp(*at, entities[i].name, n) == 0) {
            *at += n;
            return entities[i].character;
        }
    }
    return *(*at)++;
}

bool xml_text(const char *document, const char *name, char *out, size_t size)
{
    char open[64], close[64];
    const char *at, *end;
    size_t n = 0;

    snprintf(open, sizeof open, "<%s>", name);
    snprintf(close, sizeof close, "</%s>", name);
    at = strstr(document, open);
    if (at == NULL) {
        return false;
    }
    at += strlen(open);
    end = strchr(at, '<');
    if (end == NULL || strncmp(end, close, strlen(close)) != 0) {
        return false;
    }
    while (at < end) {
        if (n + 1 >= size) {
            return false;
        }
        out[n++] = take_character(&at);
    }
    out[n] = '\0';
    return true;
}

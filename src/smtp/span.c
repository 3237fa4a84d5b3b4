/* Comparing and cutting runs of bytes; independent of the locale. */
#include "smtp/span.h"

#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool span_begins(struct span s, const char *word)
{
    size_t i = 0;

    while (word[i] != '\0' && i < s.n && lower(s.at[i]) == lower(word[i])) {
        i++;
    }
    return word[i] == '\0';
}

bool span_is(struct span s, const char *word)
{
    return s.n == strlen(word) && span_begins(s, word);
}

struct span span_from(struct span s, size_t n)
{
    return (struct span){.at = s.at + n, .n = s.n - n};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct span span_trim(struct span s)
{
    while (s.n > 0 && is_blank(s.at[s.n - 1])) {
        s.n--;
    }
    while (s.n > 0 && is_blank(s.at[0])) {
        s = span_from(s, 1);
    }
    return s;
}

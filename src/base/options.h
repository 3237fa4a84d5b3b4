/* Command-line options with environment variables behind them, described by one table that also
   makes the help text. A flag wins over its variable, which wins over the default. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,    /* no value; target: bool */
    OPTION_TEXT,    /* target: const char * */
    OPTION_NUMBER,  /* target: int64_t, within [min, max] */
    OPTION_SECONDS, /* "30", "0.5", "500ms", "5m", "1h"; target: int64_t milliseconds, within
                       [min, max] milliseconds */
};

struct option_row {
    const char *name; /* "bind-port": --bind-port VALUE or --bind-port=VALUE */
    char letter;      /* 'p': -p VALUE; 0: none */
    const char *env;  /* "SINKHOLE_BIND_PORT", or NULL */
    enum option_kind kind;
    void *target;
    int64_t min, max;
    const char *value; /* "SECONDS", for the help text */
    const char *help;  /* one sentence, with the default */
};

/* Reads the environment, then the arguments up to the first that is no option (or behind "--"),
   into the targets. Returns the index of the first operand in argv, or -1 with one line in why
   that says what was wrong and what is accepted. rows: ended by a NULL name. An empty variable
   counts as unset. */
int options_read(const struct option_row *rows, int argc, char **argv, char *why,
                 size_t why_size);

/* Prints the rows to standard output, aligned, with their variables. */
void options_help(const struct option_row *rows);

#endif

/* The control tool: one command a file, each a row of the table in commands.c. It reads the
   board and writes the source; it never writes the board's policy. */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdbool.h>
#include <stdint.h>

#include "mode/rundir.h"

/* What the command line said. */
struct ctl {
    const struct ctl_command *command;
    int operands;   /* behind the command's name */
    char **operand; /* into argv */
    char run_dir[RUNDIR_SIZE];
    const char *named_dir; /* --run-dir or its variable; NULL: found by rule */
    const char *source;    /* --mode-source or its variable; NULL: what the daemon reads */
    int64_t timeout_ms;    /* --timeout */
    const char *svg;       /* --svg: draw there */
    const char *expect;    /* --expect: the Message-IDs that must have been accepted */
    bool json, wait;
    bool help, version;
};

/* Options that only some commands take, as bits. */
enum ctl_takes {
    TAKES_JSON = 1 << 0,
    TAKES_WAIT = 1 << 1,
    TAKES_TIMEOUT = 1 << 2,
    TAKES_PROOF = 1 << 3, /* --svg, --expect */
};

/* One thing that can be asked for. */
struct ctl_command {
    const char *name;
    const char *operands; /* for the usage line: "[set VALUE]" */
    const char *summary;  /* one line */
    const char *help;     /* a few lines, each with its newline */
    void (*more)(void);   /* prints more help, or NULL */
    unsigned takes;       /* enum ctl_takes */
    int least, most;      /* how many operands; most < 0: any number */
    const char *words;    /* what completion offers as the first operand, or NULL */
    int (*run)(const struct ctl *ctl); /* returns the exit status */
};

/* All commands, in the order of the help text; ended by NULL. */
extern const struct ctl_command *const ctl_commands[];

/* The command of that name, or NULL. */
const struct ctl_command *ctl_find(const char *name);

/* "go on": not one of the exit codes. */
#define CTL_GO (-1)

/* Reads environment and arguments; options may stand before or behind the command. Returns
   CTL_GO, or the exit status when there is nothing left to do: help was printed, or a line
   about what was wrong. */
int ctl_read(struct ctl *ctl, int argc, char **argv);

/* Runs the command and returns the exit status. */
int ctl_run(const struct ctl *ctl);

/* --help of the program, or of one command. */
void ctl_help(const struct ctl_command *command);

/* "sinkholectl: text" on standard error; returns status. */
int ctl_complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

/* `completion`: what could come next, for the shells' completion scripts. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "ctl/commands.h"
#include "mode/policy.h"

static void print_words(const char *words)
{
    for (; *words != '\0'; words++) {
        putchar(*words == ' ' ? '\n' : *words);
    }
    putchar('\n');
}

static void print_options(unsigned takes)
{
    static const struct {
        unsigned bit;
        const char *words;
    } options[] = {
        {0, "--run-dir --mode-source --help"},
        {TAKES_JSON, "--json"},
        {TAKES_WAIT, "--wait"},
        {TAKES_TIMEOUT, "--timeout"},
        {TAKES_PROOF, "--svg --expect"},
    };

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (options[i].bit == 0 || (takes & options[i].bit) != 0) {
            print_words(options[i].words);
        }
    }
}

static void print_modes(void)
{
    for (int mode = 0; mode < MODE_COUNT; mode++) {
        puts(mode_name((enum mode)mode));
    }
}

/* Is the next word this option's value? */
static bool wants_value(const char *option)
{
    static const char *const options[] = {"-d", "--run-dir", "-s",    "--mode-source",
                                          "-t", "--timeout", "--svg", "--expect"};

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (strcmp(option, options[i]) == 0) {
            return true;
        }
    }
    return false;
}

#define WORDS 3

/* The words typed so far without options; returns how many. */
static int sort_words(const struct ctl *ctl, const char *words[WORDS])
{
    int n = 0;

    for (int i = 0; i < ctl->operands && n < WORDS; i++) {
        if (ctl->operand[i][0] != '-') {
            words[n++] = ctl->operand[i];
        } else if (wants_value(ctl->operand[i])) {
            i++;
        }
    }
    return n;
}

static void print_commands(void)
{
    for (size_t i = 0; ctl_commands[i] != NULL; i++) {
        puts(ctl_commands[i]->name);
    }
}

static int run(const struct ctl *ctl)
{
    const char *words[WORDS] = {"", "", ""};
    int n = sort_words(ctl, words);
    const struct ctl_command *command = ctl_find(words[0]);

    if (n == 0) {
        print_commands();
        print_options(0);
    } else if (command != NULL) {
        if (n == 1 && command->words != NULL) {
            print_words(command->words);
        } else if (n == 2 && command == &ctl_mode) {
            print_modes();
        }
        print_options(command->takes);
    }
    return EXIT_OK;
}

const struct ctl_command ctl_completion = {
    .name = "completion",
    .operands = "[-- WORD...]",
    .summary = "what may follow these words, for shell completion",
    .help = "Prints, a line each, the words that may follow those given. The scripts for\n"
            "bash and zsh in etc/completion/ ask it.\n",
    .most = -1,
    .run = run,
};

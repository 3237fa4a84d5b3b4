/* `check`: is the daemon in health? 0 or 1, quickly and without a trace in its log: the probe
   sends no command. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wire.h"
#include "ctl/commands.h"
#include "ctl/dial.h"
#include "ctl/view.h"

#define BEAT_MAX_MS 30000
#define ANSWER_MS   2000

enum { HEALTHY = 0, SICK = 1 };

static int sick(const char *why, const char *detail)
{
    ctl_complain(SICK, "not healthy: %s%s%s", why, *detail != '\0' ? ": " : "", detail);
    return SICK;
}

/* Reads up to the end of the first line. */
static bool read_greeting(int fd, char *line, size_t size, int64_t deadline)
{
    const struct wire wire = {.in = fd, .out = fd};
    size_t len = 0;

    while (len < size - 1 && memchr(line, '\n', len) == NULL) {
        ssize_t n = wire_read(&wire, line + len, size - 1 - len, clock_ms(), deadline);

        if (n <= 0) {
            break;
        }
        len += (size_t)n;
    }
    line[len] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    return len > 0;
}

/* 220: ready; 421: all workers are busy, which is no illness. */
static int check_listener(const char *address)
{
    int64_t deadline = clock_ms() + ANSWER_MS;
    char line[600], why[128];
    int fd = dial(address, deadline, why, sizeof why);
    bool answered;

    if (fd < 0) {
        return sick(address, why);
    }
    answered = read_greeting(fd, line, sizeof line, deadline);
    close(fd);
    if (!answered) {
        return sick(address, "no greeting within 2 s");
    }
    if (strncmp(line, "220", 3) != 0 && strncmp(line, "421", 3) != 0) {
        return sick("the greeting is wrong", line);
    }
    return HEALTHY;
}

static int check(const struct view *view)
{
    const struct board_control *control = view->board.control;
    char age[AGE_SIZE], address[BOARD_ADDR_SIZE];

    if (!view->running) {
        return sick("no daemon runs", "");
    }
    if (view_age_ms(view, atomic_load(&control->beat_ms)) > BEAT_MAX_MS) {
        return sick("the master has not moved for",
                    view_age(view, atomic_load(&control->beat_ms), age));
    }
    if (!view->refreshing) {
        return sick("the refresher does not run", "");
    }
    memcpy(address, control->listening[0], sizeof address - 1);
    address[sizeof address - 1] = '\0';
    return address[0] == '\0' ? sick("it listens nowhere", "") : check_listener(address);
}

static int run(const struct ctl *ctl)
{
    struct view view;
    int status;

    view_open(&view, ctl, BOARD_READ);
    if (!view.attached) {
        return sick("there is no board to read", ctl->run_dir);
    }
    status = check(&view);
    view_close(&view);
    return status;
}

const struct ctl_command ctl_check = {
    .name = "check",
    .operands = "",
    .summary = "exit status 0 in health, 1 not: for health checks",
    .help = "Healthy is: the master lives and its loop turned within the last 30 s, the\n"
            "refresher lives, and the first listening address greets with 220 (or 421, all\n"
            "workers busy) within 2 s. No command is sent, so the daemon logs nothing. One\n"
            "line on standard error says what is wrong.\n",
    .run = run,
};

/* sinkhole-refresh as a whole: what it is told to do, and doing it. */
#ifndef AWS_FETCHER_H
#define AWS_FETCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fetcher {
    const char *run_dir, *mode_source, *mode_param; /* as given; NULL: by the usual rules */
    const char *put;                                /* the mode to store, or NULL */
    int64_t ttl_ms, env_fd, ready_fd;               /* descriptors: -1: none */
    bool once, print, syslog;
};

/* Reads environment and arguments; prints --help or --version and exits. Returns false with one
   line in why. */
bool fetcher_read(struct fetcher *fetcher, int argc, char **argv, char *why, size_t size);

/* Does one thing and returns an exit status, or serves until a signal ends the process. What
   keeps it from that ends the process with a line on standard error. */
int fetcher_run(const struct fetcher *fetcher);

#endif

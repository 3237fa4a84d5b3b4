/* What the daemon was told: one validated struct, made before anything is opened. */
#ifndef SERVER_SETTINGS_H
#define SERVER_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/options.h"
#include "mode/rundir.h"
#include "mode/source.h"
#include "smtp/session.h"

/* The largest pool; the board has room for it. */
#define SETTINGS_WORKERS_MAX 4096

struct settings {
    const char *bind_host; /* addresses with commas between, or empty: all */
    int64_t bind_port;     /* 0: any free one */
    int64_t listen_fd;     /* a listening socket that somebody hands over; -1: none */
    const char *server_name;
    const char *environment;

    char run_dir[RUNDIR_SIZE];
    char mode_source[SOURCE_SPEC_SIZE];
    int64_t cache_ttl_ms;
    int64_t greylist_window_ms;

    int64_t workers_min, workers_max;
    int64_t drain_ms;     /* for transactions that are open when the daemon stops */
    int64_t idle_exit_ms; /* leave when nobody came for so long; 0: never */
    bool sandbox;         /* of workers */
    bool inetd;           /* one session on standard input and output */

    uid_t uid; /* who serves */
    gid_t gid;
    bool drop; /* started as root: become them */

    int64_t notify_fd; /* s6 readiness; -1: none */
    const char
        *log_to; /* stdout, stderr, syslog, none or a path; empty: by the circumstances */
    struct session_limits limits;
    int64_t quiet_ms; /* how long a call may block: the shortest usual deadline */
};

/* Reads environment and arguments. Returns true; or false with one line in why that says what
   was wrong and what is accepted. --help and --version print and exit. */
bool settings_read(struct settings *settings, int argc, char **argv, char *why,
                   size_t why_size);

#endif

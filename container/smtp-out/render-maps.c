/* Writes what the environment decides about smtp-out's mail into sendmail's maps.
 *
 * Each file is made beside its place, brought to disk and renamed over the old one, so whoever
 * reads, and whatever is killed when, finds the old file or the new one and never a part. The
 * text is the mark that a map is done: its database goes first, so a run that was cut short is
 * made good by the next one. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT_MAX  4096
#define NAME_MAX_ 64

enum { EXIT_USAGE = 100, EXIT_SYSTEM = 111 };

/* sendmail reads the ":25" as a second host, named "25". That is wanted: with no sinkhole
 * running its name does not resolve, which alone would be a permanent 5.1.2; the second host,
 * which no one is, turns it into a deferral. docs/testing/queue-persistence.md tells the whole
 * story. */
#define SINKHOLE_ROUTE "sinkhole.test\tsmtp:[sinkhole.cabal.internal]:25\n"

struct wish {
    bool sinkhole;       /* route sinkhole.test to the sinkhole */
    const char *network; /* the network whose mail is relayed, a.b.c.d/LEN; NULL: none */
};

struct map {
    const char *name;
    bool hashed; /* sendmail reads NAME.db, made by makemap */
    bool (*render)(const struct wish *wish, char text[TEXT_MAX]);
};

extern char **environ;

static const char *makemap = "/usr/sbin/makemap";

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("render-maps: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

static bool failed(const char *doing, const char *name)
{
    say("cannot %s %s: %s", doing, name, strerror(errno));
    return false;
}

/* ---- what the files say ---- */

static bool render_mailertable(const struct wish *wish, char text[TEXT_MAX])
{
    strcpy(text, wish->sinkhole ? SINKHOLE_ROUTE : "");
    return true;
}

/* sendmail names a network by its leading octets, so only whole octets can be said. */
static bool render_relay_domains(const struct wish *wish, char text[TEXT_MAX])
{
    unsigned octet[4], length;
    int end = 0;

    text[0] = '\0';
    if (!wish->network) {
        return true;
    }
    if (sscanf(wish->network, "%3u.%3u.%3u.%3u/%2u%n", &octet[0], &octet[1], &octet[2],
               &octet[3], &length, &end) != 5 ||
        wish->network[end] || octet[0] > 255 || octet[1] > 255 || octet[2] > 255 ||
        octet[3] > 255 || length == 0 || length > 32 || length % 8) {
        say("NETWORK_CIDR is \"%s\": want A.B.C.D/8, /16, /24 or /32", wish->network);
        return false;
    }
    for (unsigned i = 0, at = 0; i < length / 8; i++) {
        at += (unsigned)snprintf(text + at, TEXT_MAX - at, "%s%u", i ? "." : "", octet[i]);
    }
    strcat(text, "\n");
    return true;
}

static const struct map maps[] = {
    {"mailertable", true, render_mailertable},
    {"relay-domains", false, render_relay_domains},
};

/* ---- how they get to their place ---- */

/* Whether the file holds exactly this text already. */
static bool holds(int dir, const char *name, const char *text)
{
    char old[TEXT_MAX];
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, old, sizeof old);

    if (fd >= 0) {
        close(fd);
    }
    return n == (ssize_t)strlen(text) && memcmp(old, text, (size_t)n) == 0;
}

/* Writes a whole new file, on disk when this returns. */
static bool write_file(int dir, const char *name, const char *text)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    size_t length = strlen(text);

    if (fd < 0) {
        return failed("create", name);
    }
    bool good = write(fd, text, length) == (ssize_t)length && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    return good || failed("write", name);
}

/* Puts the file in its place, on disk when this returns. */
static bool put(int dir, const char *from, const char *to)
{
    if (renameat(dir, from, dir, to) < 0) {
        return failed("rename over", to);
    }
    return fsync(dir) == 0 || failed("sync the directory of", to);
}

static bool sync_file(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0) {
        close(fd);
    }
    return good || failed("sync", name);
}

/* Runs "makemap hash DB < TEXT". The working directory is the maps'. */
static bool run_makemap(const char *text, const char *db)
{
    char *argv[] = {"makemap", "hash", (char *)db, NULL};
    posix_spawn_file_actions_t actions;
    int status = -1;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, text, O_RDONLY, 0);
    errno = posix_spawn(&pid, makemap, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (errno) {
        return failed("run", makemap);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) {
        say("%s made no %s (wait status 0x%04x)", makemap, db, (unsigned)status);
    }
    return status == 0;
}

/* The database of NAME.new, in NAME.db's place. */
static bool publish_db(int dir, const char *name, const char *text)
{
    char new[NAME_MAX_], db[NAME_MAX_];

    snprintf(new, sizeof new, "%s.new.db", name);
    snprintf(db, sizeof db, "%s.db", name);
    if (unlinkat(dir, new, 0) < 0 && errno != ENOENT) {
        return failed("remove", new);
    }
    return run_makemap(text, new) && sync_file(dir, new) && put(dir, new, db);
}

static bool publish(int dir, const struct map *map, const char *text)
{
    char new[NAME_MAX_], db[NAME_MAX_];

    snprintf(db, sizeof db, "%s.db", map->name);
    if (holds(dir, map->name, text) && (!map->hashed || faccessat(dir, db, R_OK, 0) == 0)) {
        return true;
    }
    snprintf(new, sizeof new, "%s.new", map->name);
    return write_file(dir, new, text) && (!map->hashed || publish_db(dir, map->name, new)) &&
           put(dir, new, map->name);
}

/* Everything is rendered before anything is written: a wish that cannot be met changes
   nothing. */
static int publish_all(const char *path, const struct wish *wish)
{
    enum { COUNT = sizeof maps / sizeof maps[0] };
    static char text[COUNT][TEXT_MAX];
    int dir;

    for (size_t i = 0; i < COUNT; i++) {
        if (!maps[i].render(wish, text[i])) {
            return EXIT_USAGE;
        }
    }
    /* One renderer at a time; the lock goes with the process, however it ends. */
    dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || fchdir(dir) < 0 || flock(dir, LOCK_EX) < 0) {
        failed("enter", path);
        return EXIT_SYSTEM;
    }
    for (size_t i = 0; i < COUNT; i++) {
        if (!publish(dir, &maps[i], text[i])) {
            return EXIT_SYSTEM;
        }
    }
    return 0;
}

/* ---- what the environment says ---- */

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static bool read_wish(struct wish *wish)
{
    const char *enabled = variable("SINKHOLE_ENABLED");
    const char *environment = variable("SINKHOLE_ENVIRONMENT");

    wish->network = variable("NETWORK_CIDR");
    wish->sinkhole = enabled && strcmp(enabled, "true") == 0;
    if (enabled && !wish->sinkhole && strcmp(enabled, "false") != 0) {
        say("SINKHOLE_ENABLED is \"%s\", neither true nor false: no route", enabled);
    }
    if (wish->sinkhole && environment && strncasecmp(environment, "prod", 4) == 0) {
        say("SINKHOLE_ENABLED is true and SINKHOLE_ENVIRONMENT is \"%s\": no route to the "
            "sinkhole in prod; nothing was written",
            environment);
        return false;
    }
    return true;
}

static const char usage[] =
    "usage: render-maps [--dir DIR] [--makemap PROGRAM]\n"
    "\n"
    "Writes sendmail's mailertable (with its .db) and relay-domains into DIR\n"
    "(/run/cabal), each whole or not at all.\n"
    "\n"
    "  SINKHOLE_ENABLED=true   route sinkhole.test to sinkhole.cabal.internal\n"
    "  SINKHOLE_ENVIRONMENT    refuses that route where it begins with \"prod\"\n"
    "  NETWORK_CIDR            relay for this network: A.B.C.D/8, /16, /24 or /32\n"
    "\n"
    "Exit: 0 done, 100 the environment or an argument is wrong, 111 a call failed.\n";

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"dir", required_argument, NULL, 'd'},
        {"makemap", required_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    const char *dir = "/run/cabal";
    struct wish wish;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'd':
            dir = optarg;
            break;
        case 'm':
            makemap = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        say("\"%s\" is not an option; see --help", argv[optind]);
        return EXIT_USAGE;
    }
    return read_wish(&wish) ? publish_all(dir, &wish) : EXIT_USAGE;
}

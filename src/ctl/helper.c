/* Finding, starting and hearing sinkhole-refresh. */
#include "ctl/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

#define PROGRAM   "sinkhole-refresh"
#define MAX_WORDS 16

extern char **environ;

/* Where this program lies, with its slash; empty when that is not to be known. */
static void own_directory(char *out, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", out, size - 1);
    char *slash;

    out[n > 0 ? n : 0] = '\0';
    slash = strrchr(out, '/');
    out[slash != NULL ? slash + 1 - out : 0] = '\0';
}

/* Beside this program (a build directory), in the sbin beside its bin, or where it was meant to
   be installed; else wherever PATH has it, which is a name without a slash. */
static void find_program(char *path, size_t size)
{
    char here[4096];
    const struct {
        const char *base, *folder;
    } places[] = {{here, ""}, {here, "../sbin/"}, {SBINDIR, "/"}};

    own_directory(here, sizeof here);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(path, size, "%s%s" PROGRAM, places[i].base, places[i].folder);
        if (path[0] == '/' && access(path, X_OK) == 0) {
            return;
        }
    }
    snprintf(path, size, PROGRAM);
}

/* Takes all that fd gives; what does not fit is dropped. */
static void take_output(int fd, char *out, size_t size)
{
    char rest[512];
    size_t len = 0;
    ssize_t n;

    do {
        bool fits = len < size - 1;

        n = read(fd, fits ? out + len : rest, fits ? size - 1 - len : sizeof rest);
        if (n > 0 && fits) {
            len += (size_t)n;
        }
    } while (n > 0 || (n < 0 && errno == EINTR));
    out[len] = '\0';
}

static int wait_for(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return ctl_complain(EXIT_SYSTEM, PROGRAM " was lost: %s", strerror(errno));
        }
    }
    if (WIFSIGNALED(status)) {
        return ctl_complain(EXIT_SYSTEM, PROGRAM " was killed by signal %d", WTERMSIG(status));
    }
    return WEXITSTATUS(status);
}

/* Starts it with standard output on fd `out`. Returns 0 or an errno. */
static int start(pid_t *pid, char *const argv[], int out)
{
    posix_spawn_file_actions_t actions;
    char path[4200];
    int error;

    find_program(path, sizeof path);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    error = posix_spawnp(pid, path, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

int helper_run(const struct ctl *ctl, const char *spec, const char *const words[], char *out,
               size_t size)
{
    const char *argv[MAX_WORDS] = {PROGRAM, "--run-dir", ctl->run_dir, "--mode-source", spec};
    size_t argc = 5;
    int pipe_ends[2], error;
    pid_t pid;

    for (size_t i = 0; words[i] != NULL && argc < MAX_WORDS - 1; i++) {
        argv[argc++] = words[i];
    }
    if (pipe2(pipe_ends, O_CLOEXEC) != 0) {
        return ctl_complain(EXIT_SYSTEM, "no pipe: %s", strerror(errno));
    }
    error = start(&pid, (char *const *)argv, pipe_ends[1]);
    close(pipe_ends[1]);
    if (error == 0) {
        take_output(pipe_ends[0], out, size);
    }
    close(pipe_ends[0]);
    if (error != 0) {
        return ctl_complain(EXIT_SYSTEM, PROGRAM " cannot be started: %s", strerror(error));
    }
    return wait_for(pid);
}

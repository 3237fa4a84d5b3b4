/* sinkholed: the daemon. Arguments and environment become one struct, which is run. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "server/master.h"

/* Opens the event log where --log says. */
static bool open_log(const char *where)
{
    int fd;

    if (strcmp(where, "syslog") == 0) {
        log_open_syslog();
        return true;
    }
    if (*where == '\0' || strcmp(where, "stdout") == 0) {
        fd = STDOUT_FILENO;
    } else if (strcmp(where, "stderr") == 0) {
        fd = STDERR_FILENO;
    } else if (strcmp(where, "none") == 0) {
        fd = -1;
    } else {
        fd = open(where, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
        if (fd < 0) {
            return false;
        }
    }
    log_open(fd);
    return true;
}

int main(int argc, char **argv)
{
    static struct master master;
    struct settings settings;
    char why[512];
    int status;

    log_name("sinkholed");
    if (!settings_read(&settings, argc, argv, why, sizeof why)) {
        log_fatalx(EXIT_USAGE, "%s", why);
    }
    if (!open_log(settings.log_to)) {
        log_fatal(EXIT_SYSTEM, "--log: unable to open %s", settings.log_to);
    }
    status = master_open(&master, &settings, why, sizeof why);
    if (status != EXIT_OK) {
        log_fatalx(status, "%s", why);
    }
    return master_run(&master);
}

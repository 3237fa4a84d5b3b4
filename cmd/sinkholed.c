/* sinkholed: the daemon. Arguments and environment become one struct, which is run. */
#include "base/log.h"
#include "base/stdfds.h"
#include "server/master.h"
#include "server/oneshot.h"
#include "server/output.h"

int main(int argc, char **argv)
{
    static struct master master;
    struct settings settings;
    char why[512];
    int status;

    stdfds_fill();
    log_name("sinkholed");
    output_protect();
    if (!settings_read(&settings, argc, argv, why, sizeof why)) {
        log_fatalx(EXIT_USAGE, "%s", why);
    }
    if (!output_open(settings.log_to, settings.inetd)) {
        log_fatal(EXIT_SYSTEM, "--log: unable to open %s", settings.log_to);
    }
    if (settings.inetd) {
        return oneshot_run(&settings);
    }
    status = master_open(&master, &settings, why, sizeof why);
    if (status != EXIT_OK) {
        log_fatalx(status, "%s", why);
    }
    return master_run(&master);
}

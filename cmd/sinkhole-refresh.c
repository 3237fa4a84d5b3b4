/* sinkhole-refresh: the one process that holds credentials and talks to AWS. */
#include "aws/fetcher.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/stdfds.h"

int main(int argc, char **argv)
{
    struct fetcher fetcher;
    char why[400];

    stdfds_fill();
    signals_reset();
    log_name("sinkhole-refresh");
    if (!fetcher_read(&fetcher, argc, argv, why, sizeof why)) {
        log_fatalx(EXIT_USAGE, "%s", why);
    }
    return fetcher_run(&fetcher);
}

/* sinkholectl: what a person types to see a running sinkhole and to choose its mode. */
#include "base/log.h"
#include "base/stdfds.h"
#include "ctl/ctl.h"

int main(int argc, char **argv)
{
    struct ctl ctl;
    int status;

    stdfds_fill();
    log_name("sinkholectl");
    status = ctl_read(&ctl, argc, argv);
    return status == CTL_GO ? ctl_run(&ctl) : status;
}

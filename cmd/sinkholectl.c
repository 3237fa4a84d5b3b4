/* sinkholectl: what a person types to see a running sinkhole and to choose its mode. */
#include "ctl/ctl.h"

int main(int argc, char **argv)
{
    struct ctl ctl;
    int status = ctl_read(&ctl, argc, argv);

    return status == CTL_GO ? ctl_run(&ctl) : status;
}

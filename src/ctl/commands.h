/* The rows of the command table, each in the file of its name. */
#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H

#include "ctl/ctl.h"

extern const struct ctl_command ctl_mode;
extern const struct ctl_command ctl_refresh;
extern const struct ctl_command ctl_status;
extern const struct ctl_command ctl_workers;
extern const struct ctl_command ctl_greylist;
extern const struct ctl_command ctl_check;
extern const struct ctl_command ctl_report;
extern const struct ctl_command ctl_completion;

#endif

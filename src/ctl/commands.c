/* The table of commands. */
#include <stddef.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"

const struct ctl_command *const ctl_commands[] = {
    &ctl_mode,  &ctl_refresh, &ctl_status,     &ctl_workers, &ctl_greylist,
    &ctl_check, &ctl_report,  &ctl_completion, NULL,
};

const struct ctl_command *ctl_find(const char *name)
{
    for (size_t i = 0; ctl_commands[i] != NULL; i++) {
        if (strcmp(ctl_commands[i]->name, name) == 0) {
            return ctl_commands[i];
        }
    }
    return NULL;
}

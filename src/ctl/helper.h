/* Runs sinkhole-refresh, which alone can talk to AWS, for the commands that need it. */
#ifndef CTL_HELPER_H
#define CTL_HELPER_H

#include <stddef.h>

#include "ctl/ctl.h"

/* Runs `sinkhole-refresh --run-dir DIR --mode-source SPEC WORD...` (words ended by NULL) and
   returns its exit status; 111 when it cannot be started or is killed. Its standard error is
   ours; its standard output goes to out as a text of at most size - 1 bytes. */
int helper_run(const struct ctl *ctl, const char *spec, const char *const words[], char *out,
               size_t size);

#endif

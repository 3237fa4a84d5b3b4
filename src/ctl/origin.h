/* The mode source that a command means, and reading and writing it without a daemon. */
#ifndef CTL_ORIGIN_H
#define CTL_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/ctl.h"
#include "ctl/view.h"
#include "mode/source.h"

/* Writes the specification to spec: --mode-source or its variable, else what the board says
   that the daemon reads, else the daemon's own default. Returns EXIT_OK, or another exit status
   after a line on standard error. */
int origin_spec(const struct ctl *ctl, const struct view *view, char spec[SOURCE_SPEC_SIZE]);

/* Reads the value now, past any daemon. As above. */
int origin_fetch(const struct ctl *ctl, const char *spec, struct reading *out);

/* Stores a value. *version: the new one, 0 where the source has none. As above. */
int origin_store(const struct ctl *ctl, const char *spec, const char *value, uint64_t *version);

#endif

/* What sinkhole-refresh does when it is to do one thing and leave. Each returns an exit status
   (base/log.h) and has said on standard error why it is not 0; what it brought is one JSON
   line, an event like all others. */
#ifndef MODE_ERRAND_H
#define MODE_ERRAND_H

#include <stdint.h>

#include "mode/source.h"

/* Fetches and prints (`fetched`); touches no board. */
int errand_print(const char *spec, const struct source_kind *const kinds[]);

/* Checks that value names a mode, and stores it in the source (`stored`). */
int errand_put(const char *spec, const struct source_kind *const kinds[], const char *value);

/* Fetches once, publishes in run_dir's board, prints (`fetched`). Waits a while for the right
   to publish; EXIT_TIMEOUT while a refresher serves this directory. */
int errand_once(const char *spec, const struct source_kind *const kinds[], const char *run_dir,
                int64_t ttl_ms);

#endif

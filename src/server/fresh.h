/* The mode of one-shot sessions. Where a refresher lives, they use what it publishes and
   nothing else. Where none does they do its work, a little each:

   - a local source (static:, file:) is cheap to look at, so that each session looks for itself
     when an answer is due, and publishes what it found if that is news;
   - for any other the first to find the published mode older than its TTL starts
     `sinkhole-refresh --once` in the background; all go on with what there is. Only when
   nothing was ever fetched do they wait, at most FRESH_WAIT_MS after the fetch began. */
#ifndef SERVER_FRESH_H
#define SERVER_FRESH_H

#include <sys/stat.h>

#include "mode/board.h"
#include "mode/source.h"
#include "server/settings.h"

#define FRESH_WAIT_MS 2000

/* A fetch that was begun and has not ended is given up for lost after this, or a TTL. */
#define FRESH_CLAIM_MS 15000

struct fresh {
    const struct settings *settings;
    struct board *board;
    struct source source; /* a local one; kind NULL: it is not */
    bool looked;
    struct stat seen; /* the file, when it was last looked into */
};

/* Before the session; settings and board stay the caller's. secrets: secrets_take(). */
void fresh_open(struct fresh *fresh, const struct settings *settings, struct board *board,
                int secrets);

/* Is the source a file, which has to be looked at each time that an answer is due? */
bool fresh_reads_files(const struct fresh *fresh);

/* Looks; the context is a struct fresh with a local source. */
void fresh_look(void *context);

/* For fresh_open(), and for tests. May a fetch begin, by what the board says of the last? */
bool fresh_is_due(const struct published *last, int64_t claim_ms, const char *source,
                  int64_t ttl_ms, int64_t now_ms);

#endif

/* Writes JSON into a fixed buffer: what the log lines and --json are made of. It only writes;
   nothing here reads JSON, so it may live in a process that talks to strangers. */
#ifndef BASE_JSONOUT_H
#define BASE_JSONOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct jsonout {
    struct buf *to;
    bool comma;    /* the next value needs a comma before it */
    bool overflow; /* something did not fit: what is in the buffer is not whole */
};

/* Starts at the end of what the buffer holds. */
struct jsonout jsonout_to(struct buf *to);

/* Values. A key of NULL makes an array element. Strings are bytes: what is not valid UTF-8 is
   written as U+FFFD, control characters are escaped. */
void jsonout_str(struct jsonout *j, const char *key, const char *text);
void jsonout_bytes(struct jsonout *j, const char *key, const char *bytes, size_t n);
void jsonout_int(struct jsonout *j, const char *key, int64_t number);
void jsonout_bool(struct jsonout *j, const char *key, bool value);
void jsonout_null(struct jsonout *j, const char *key);

/* Containers: kind is '{' or '['. Each open wants its close. */
void jsonout_open(struct jsonout *j, const char *key, char kind);
void jsonout_close(struct jsonout *j, char kind);

#endif

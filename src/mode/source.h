/* Where the mode comes from: one interface, one file a backend. The refresher fetches; the
   control tool stores. A source is opened from its specification, SCHEME:ARGUMENT. */
#ifndef MODE_SOURCE_H
#define MODE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOURCE_VALUE_MAX  4096 /* the longest value that is read: SSM's standard tier */
#define SOURCE_SPEC_SIZE  300  /* scheme, ':' and a path or parameter name, NUL */
#define SOURCE_FAULT_SIZE 400
#define SOURCE_PARAM      "/cabal/sinkhole_mode" /* the parameter of plain `ssm` */

/* What a fetch brought. */
struct reading {
    char value[SOURCE_VALUE_MAX +
               1]; /* as it is stored, NUL-terminated; may be no mode at all */
    size_t length;
    uint64_t
        version; /* counts up with each change where the source has such a number, else 0 */
    bool secret; /* kept encrypted where it comes from: never quoted */
};

/* Why a fetch or a store failed. Never holds a credential. */
struct source_fault {
    char code[64];                /* short and stable: "ENOENT", "AccessDeniedException" */
    char text[SOURCE_FAULT_SIZE]; /* one line for a person, with the request id where there is
                                     one */
    int64_t retry_after_ms; /* the source asked to be left alone this long; 0: it did not */
    bool throttled;         /* asking again soon makes it worse */
};

struct source;

/* A backend. fetch and store block for a bounded time (seconds) and return true, or false and
   fill *fault. */
struct source_kind {
    const char *scheme; /* "file" */
    /* Checks the argument and prepares; may allocate into source->state. On false, *fault says
       what is accepted. */
    bool (*open)(struct source *source, struct source_fault *fault);
    bool (*fetch)(struct source *source, struct reading *out, struct source_fault *fault);
    /* Replaces the value (mode set). NULL: this source cannot be written. *version: the new
       one, or 0. */
    bool (*store)(struct source *source, const char *value, uint64_t *version,
                  struct source_fault *fault);
    /* A descriptor that becomes readable when the value may have changed, or -1. NULL: the
       source has to be polled. The source owns it. */
    int (*watch)(struct source *source);
    /* Takes what the descriptor holds. Returns true when a fetch is due. */
    bool (*changed)(struct source *source);
    void (*close)(struct source *source);
};

struct source {
    const struct source_kind *kind;
    char spec[SOURCE_SPEC_SIZE];
    const char *argument; /* into spec, behind the ':' */
    void *state;          /* the backend's */
    /* A fetched value stays true for ever: no polling (static), or polling each TTL. */
    bool constant;
};

/* Writes the specification in force to out. named: --mode-source or NULL; param: the
   parameter's name of SINKHOLE_MODE_PARAM or NULL. Plain `ssm` means the parameter param, else
   SOURCE_PARAM; plain `file` means run_dir/mode; nothing means the former where param is given,
   else the latter. An empty text counts as NULL. Returns false and fills *fault when it is too
   long. */
bool source_spec(const char *named, const char *param, const char *run_dir,
                 char out[SOURCE_SPEC_SIZE], struct source_fault *fault);

/* The kind whose scheme spec has, among `kinds` (ended by NULL), or NULL. */
const struct source_kind *source_kind_of(const char *spec,
                                         const struct source_kind *const kinds[]);

/* Opens the source that spec names, among `kinds` (ended by NULL). Returns false for an unknown
   scheme, a bad argument or a failed open, and fills *fault. */
bool source_open(struct source *source, const char *spec,
                 const struct source_kind *const kinds[], struct source_fault *fault);
void source_close(struct source *source);

/* Opens, stores and closes: `mode set`. For a source that cannot be written *fault says so. */
bool source_put(const char *spec, const struct source_kind *const kinds[], const char *value,
                uint64_t *version, struct source_fault *fault);

/* Fills *fault: errno's name and text behind the formatted words; or a code of the caller's. */
void source_fault_errno(struct source_fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void source_fault_set(struct source_fault *fault, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The exit status that goes with a fault: EXIT_USAGE where no such source can be read or
   written ever, EXIT_TIMEOUT, or EXIT_SYSTEM. */
int source_fault_status(const struct source_fault *fault);

/* The backends that need no network. */
extern const struct source_kind source_static; /* static:MODE */
extern const struct source_kind source_file;   /* file:/PATH; watched by inotify(7) */
extern const struct source_kind *const source_local_kinds[]; /* these two, and NULL */

#endif

/* What the shared files say about one profile: ~/.aws/credentials and ~/.aws/config, or those
   of AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE. */
#ifndef AWS_PROFILE_H
#define AWS_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

enum profile_key {
    PROFILE_KEY_ID,
    PROFILE_SECRET,
    PROFILE_TOKEN,
    PROFILE_PROCESS,
    PROFILE_ROLE,
    PROFILE_SSO_ROLE,
    PROFILE_SSO,
    PROFILE_SSO_START,
    PROFILE_LOGIN,
    PROFILE_REGION,
    PROFILE_ENDPOINT,
    PROFILE_ENDPOINT_SSM, /* these two of the section that `services` names */
    PROFILE_ENDPOINT_STS,
    PROFILE_IGNORE_ENDPOINTS,
    PROFILE_FIPS,
    PROFILE_DUALSTACK,
    PROFILE_SERVICES,
    PROFILE_KEYS,
};

struct profile {
    const char *name;           /* AWS_PROFILE, else "default"; not owned */
    bool named;                 /* by AWS_PROFILE: then it has to be there */
    bool found;                 /* in one of the files */
    char *values[PROFILE_KEYS]; /* NULL: not given. The credentials file wins. */
};

/* Reads both files afresh. A file that is missing or unreadable counts as empty. */
void profile_load(struct profile *profile);

/* Wipes and frees. */
void profile_free(struct profile *profile);

/* The setting's name, as it stands in the files. */
const char *profile_key_name(enum profile_key key);

/* Writes which files were looked for, and why one could not be read: "A or B (Permission
   denied)". */
void profile_tell_files(char *out, size_t size);

#endif

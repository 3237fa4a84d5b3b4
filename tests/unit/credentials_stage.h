/* A stage for tests of credentials: an empty home, no variables, and no way to a network. */
#ifndef UNIT_CREDENTIALS_STAGE_H
#define UNIT_CREDENTIALS_STAGE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aws/credentials.h"
#include "runner.h"

#define COUNT(table) ((int)(sizeof table / sizeof table[0]))

extern char **environ;

static char dir[64];
static struct http *http;
static struct credentials_cache cache;
static struct source_fault fault;

static inline void write_file(const char *name, const char *text)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

/* No variables but those that keep us on this machine. */
static inline void set_up(void)
{
    static char *nothing[] = {NULL};
    char path[128];

    environ = nothing;
    strcpy(dir, "/tmp/credentials.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    setenv("HOME", dir, 1);
    setenv("PATH", "/usr/bin:/bin", 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    snprintf(path, sizeof path, "%s/.aws", dir);
    mkdir(path, 0700);
    http = http_open();
    memset(&cache, 0, sizeof cache);
}

static inline void tear_down(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
    http_close(http);
}

static inline void expect(const char *provider, const char *key, const char *secret,
                          const char *token)
{
    bool fresh;

    ck_assert_msg(credentials_get(&cache, http, &fresh, &fault), "%s", fault.text);
    ck_assert(fresh);
    ck_assert_str_eq(cache.provider, provider);
    ck_assert_str_eq(cache.now.key, key);
    ck_assert_str_eq(cache.now.secret, secret);
    ck_assert_str_eq(cache.now.token, token);
}

static inline void expect_fault(const char *code, const char *text)
{
    ck_assert(!credentials_get(&cache, http, NULL, &fault));
    ck_assert_str_eq(fault.code, code);
    ck_assert_msg(strstr(fault.text, text) != NULL, "%s", fault.text);
}

#endif

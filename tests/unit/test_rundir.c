/* mode/rundir: what is found, what is made, and what is refused. */
#include "mode/rundir.h"

#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mode/owner.h"
#include "runner.h"

#define NOBODY 65534

static char base[64], path[128], why[200];

static void in_directory(void)
{
    strcpy(base, "/tmp/rundir.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(base));
    snprintf(path, sizeof path, "%s/sinkhole", base);
}

static void remove_directory(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", base);
    ck_assert_int_eq(system(command), 0);
}

static unsigned mode_of(const char *name)
{
    struct stat st;

    ck_assert_int_eq(lstat(name, &st), 0);
    return st.st_mode & 07777;
}

START_TEST(a_name_wins)
{
    char out[RUNDIR_SIZE];

    ck_assert(rundir_find("/some/where", RUNDIR_SERVE, out, why, sizeof why));
    ck_assert_str_eq(out, "/some/where");
    ck_assert(rundir_find("/some/where", RUNDIR_LOOK, out, why, sizeof why));
    ck_assert_str_eq(out, "/some/where");
}
END_TEST

START_TEST(bad_names_are_refused)
{
    char out[RUNDIR_SIZE], name[RUNDIR_SIZE + 1];

    ck_assert(!rundir_find("some/where", RUNDIR_SERVE, out, why, sizeof why));
    ck_assert_ptr_nonnull(strstr(why, "some/where"));
    memset(name, '/', RUNDIR_SIZE);
    name[RUNDIR_SIZE] = '\0';
    ck_assert(!rundir_find(name, RUNDIR_SERVE, out, why, sizeof why));
    ck_assert_ptr_nonnull(strstr(why, "longer"));
}
END_TEST

/* For root the system's; for others, who may not write there, their own. */
START_TEST(the_default_depends_on_the_user)
{
    char out[RUNDIR_SIZE], expect[RUNDIR_SIZE];

    setenv("XDG_RUNTIME_DIR", "/run/user/1", 1);
    if (geteuid() == 0) {
        ck_assert(rundir_find("", RUNDIR_SERVE, out, why, sizeof why));
        ck_assert_str_eq(out, "/run/sinkhole");
        ck_assert_int_eq(setuid(NOBODY), 0);
    }
    if (access("/run/sinkhole", W_OK) == 0) {
        return;
    }
    ck_assert(rundir_find(NULL, RUNDIR_SERVE, out, why, sizeof why));
    ck_assert_str_eq(out, "/run/user/1/sinkhole");
    unsetenv("XDG_RUNTIME_DIR");
    snprintf(expect, sizeof expect, "/tmp/sinkhole-%d", (int)geteuid());
    ck_assert(rundir_find(NULL, RUNDIR_SERVE, out, why, sizeof why));
    ck_assert_str_eq(out, expect);
}
END_TEST

START_TEST(made_and_taken_again)
{
    umask(022);
    ck_assert_msg(rundir_make(path, geteuid(), getegid(), why, sizeof why), "%s", why);
    ck_assert_uint_eq(mode_of(path), 0700); /* it lies below /tmp */
    ck_assert(rundir_make(path, geteuid(), getegid(), why, sizeof why));
    ck_assert_int_eq(chmod(path, 0755), 0);
    ck_assert(rundir_make(path, geteuid(), getegid(), why, sizeof why));
}
END_TEST

START_TEST(root_hands_it_over)
{
    struct stat st;

    if (geteuid() != 0) {
        return;
    }
    ck_assert(rundir_make(path, NOBODY, NOBODY, why, sizeof why));
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_uid, NOBODY);
    ck_assert_uint_eq(st.st_gid, NOBODY);
    ck_assert(rundir_make(path, NOBODY, NOBODY, why, sizeof why));
    /* A third user's is not trusted, not even by root. */
    ck_assert(!rundir_make(path, 1, 1, why, sizeof why));
    ck_assert_ptr_nonnull(strstr(why, "another user"));
}
END_TEST

/* An administrator made it; root's own programs may have been there already. */
START_TEST(root_gives_its_own_away)
{
    char file[PATH_MAX];
    struct stat st;

    if (geteuid() != 0) {
        return;
    }
    ck_assert_int_eq(mkdir(path, 0755), 0);
    snprintf(file, sizeof file, "%s/refresh.lock", path);
    ck_assert_int_ge(creat(file, 0600), 0);
    ck_assert_msg(rundir_make(path, NOBODY, NOBODY, why, sizeof why), "%s", why);
    ck_assert(owner_give(path, NOBODY, NOBODY));
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_uid, NOBODY);
    ck_assert_int_eq(stat(file, &st), 0);
    ck_assert_uint_eq(st.st_uid, NOBODY);
}
END_TEST

START_TEST(root_gives_nothing_else_away)
{
    char file[PATH_MAX], other[PATH_MAX];
    struct stat st;

    if (geteuid() != 0) {
        return;
    }
    ck_assert_int_eq(mkdir(path, 0755), 0);
    snprintf(other, sizeof other, "%s/other", path);
    snprintf(file, sizeof file, "%s/board", path);
    ck_assert_int_ge(creat(other, 0600), 0);
    ck_assert(!rundir_make(path, NOBODY, NOBODY, why, sizeof why));
    ck_assert_ptr_nonnull(strstr(why, "other things"));
    ck_assert_int_eq(link(other, file), 0);
    ck_assert(owner_give(path, NOBODY, NOBODY));
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_uid, 0);
    ck_assert_int_eq(stat(file, &st), 0);
    ck_assert_uint_eq(st.st_uid, 0);
}
END_TEST

static void make_link(void)
{
    ck_assert_int_eq(symlink("/", path), 0);
}

static void make_file(void)
{
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    fclose(f);
}

static void make_open(void)
{
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(chmod(path, 0770), 0);
}

static void make_no_parent(void)
{
    ck_assert_int_eq(rmdir(base), 0);
}

static const struct {
    void (*make)(void);
    const char *why;
} refused[] = {
    {make_link, "symbolic link"},
    {make_file, "no directory"},
    {make_open, "writable"},
    {make_no_parent, "No such file"},
};

START_TEST(what_is_wrong_is_refused)
{
    refused[_i].make();
    ck_assert(!rundir_make(path, geteuid(), getegid(), why, sizeof why));
    ck_assert_msg(strstr(why, refused[_i].why) != NULL, "%s", why);
    ck_assert_ptr_nonnull(strstr(why, path));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("rundir");
    TCase *find = tcase_create("find"), *make = tcase_create("make");

    tcase_add_test(find, a_name_wins);
    tcase_add_test(find, bad_names_are_refused);
    tcase_add_test(find, the_default_depends_on_the_user);
    tcase_add_checked_fixture(make, in_directory, remove_directory);
    tcase_add_test(make, made_and_taken_again);
    tcase_add_test(make, root_hands_it_over);
    tcase_add_test(make, root_gives_its_own_away);
    tcase_add_test(make, root_gives_nothing_else_away);
    tcase_add_loop_test(make, what_is_wrong_is_refused, 0, 4);
    suite_add_tcase(s, find);
    suite_add_tcase(s, make);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

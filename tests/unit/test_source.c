/* mode/source with its two local backends, and the watch on files. */
#include "mode/source.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner.h"

static char dir[64];
static char spec[128];
static struct source source;
static struct source_fault fault;

static void in_directory(void)
{
    strcpy(dir, "/tmp/source.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(spec, sizeof spec, "file:%s/mode", dir);
}

static void remove_directory(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static const char *in_dir(const char *name)
{
    static char path[2][128];
    static int turn;

    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
    return path[turn];
}

static void write_file(const char *path, const char *text, int flags)
{
    int fd = open(path, O_WRONLY | flags, 0644);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
    close(fd);
}

/* -- specifications ------------------------------------------------------------------------ */

static const struct {
    const char *named, *param, *expect;
} specs[] = {
    {NULL, NULL, "file:/run/sinkhole/mode"},
    {"", "", "file:/run/sinkhole/mode"},
    {NULL, "/my/param", "ssm:/my/param"},
    {"ssm", NULL, "ssm:/cabal/sinkhole_mode"},
    {"ssm", "/my/param", "ssm:/my/param"},
    {"ssm:/other", "/my/param", "ssm:/other"},
    {"file", "/my/param", "file:/run/sinkhole/mode"},
    {"file:/x", NULL, "file:/x"},
    {"static:defer", "/my/param", "static:defer"},
    {"nonsense", NULL, "nonsense"},
};

START_TEST(spec_in_force)
{
    char out[SOURCE_SPEC_SIZE];

    ck_assert(source_spec(specs[_i].named, specs[_i].param, "/run/sinkhole", out, &fault));
    ck_assert_str_eq(out, specs[_i].expect);
}
END_TEST

START_TEST(spec_too_long)
{
    char name[SOURCE_SPEC_SIZE + 1], out[SOURCE_SPEC_SIZE];

    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ck_assert(!source_spec(name, NULL, "/run", out, &fault));
    ck_assert(!source_spec("ssm", name, "/run", out, &fault));
    ck_assert_str_eq(fault.code, "BadSource");
}
END_TEST

static const char *const bad_specs[] = {
    "",      "file",   "files:/x",   "static",  "static:", "static:deferr", "file:mode",
    "file:", "file:/", "file:/dir/", "FILE:/x", ":",       "ssm:/x", /* not among the local
                                                                        kinds */
};

START_TEST(bad_spec_says_what_is_accepted)
{
    ck_assert(!source_open(&source, bad_specs[_i], source_local_kinds, &fault));
    ck_assert_str_eq(fault.code, "BadSource");
    ck_assert(strstr(fault.text, "file:/") != NULL || strstr(fault.text, "greylist") != NULL);
}
END_TEST

START_TEST(faults_are_one_printable_line)
{
    source_fault_set(&fault, "Co\nde", "%s", "red \033[31m\r\nand \x7f\xc3\xa9");
    ck_assert_str_eq(fault.code, "Co?de");
    ck_assert_str_eq(fault.text, "red ?[31m??and ?\xc3\xa9");
    errno = ENOENT;
    source_fault_errno(&fault, "cannot read %s", "a\tb");
    ck_assert_str_eq(fault.code, "ENOENT");
    ck_assert_str_eq(fault.text, "cannot read a?b: No such file or directory");
}
END_TEST

START_TEST(static_source)
{
    struct reading reading;
    uint64_t version;

    ck_assert(source_open(&source, "static:accept-log", source_local_kinds, &fault));
    ck_assert(source.constant);
    ck_assert(source.kind->fetch(&source, &reading, &fault));
    ck_assert_str_eq(reading.value, "accept-log");
    ck_assert_uint_eq(reading.version, 0);
    source_close(&source);
    ck_assert(!source_put("static:defer", source_local_kinds, "accept", &version, &fault));
    ck_assert_str_eq(fault.code, "ReadOnly");
}
END_TEST

/* -- files -------------------------------------------------------------------------------- */

static void fetch_gives(const char *value)
{
    struct reading reading;

    ck_assert_msg(source.kind->fetch(&source, &reading, &fault), "%s", fault.text);
    ck_assert_str_eq(reading.value, value);
    ck_assert_uint_eq(reading.length, strlen(value));
}

START_TEST(file_is_stored_whole)
{
    uint64_t version = 9;
    struct stat st;

    umask(077);
    ck_assert(source_put(spec, source_local_kinds, "bounce", &version, &fault));
    ck_assert_uint_eq(version, 0);
    ck_assert_int_eq(stat(in_dir("mode"), &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0644);
    ck_assert(source_open(&source, spec, source_local_kinds, &fault));
    fetch_gives("bounce\n");
    ck_assert(source_put(spec, source_local_kinds, "accept", &version, &fault));
    fetch_gives("accept\n");
    source_close(&source);
    /* Nothing is left beside it. */
    ck_assert_int_eq(unlink(in_dir("mode")), 0);
    ck_assert_int_eq(rmdir(dir), 0);
    ck_assert_int_eq(mkdir(dir, 0700), 0);
}
END_TEST

START_TEST(store_fails_cleanly)
{
    uint64_t version;

    ck_assert_int_eq(mkdir(in_dir("mode"), 0755), 0);
    ck_assert(!source_put(spec, source_local_kinds, "accept", &version, &fault));
    ck_assert_str_eq(fault.code, "EISDIR");
    ck_assert_int_eq(rmdir(in_dir("mode")), 0);
    ck_assert_int_eq(rmdir(dir), 0);
    ck_assert(!source_put(spec, source_local_kinds, "accept", &version, &fault));
    ck_assert_str_eq(fault.code, "ENOENT");
    ck_assert_ptr_nonnull(strstr(fault.text, dir));
    ck_assert_int_eq(mkdir(dir, 0700), 0);
}
END_TEST

START_TEST(file_of_any_size_is_bounded)
{
    struct reading reading;
    int fd = open(in_dir("mode"), O_WRONLY | O_CREAT, 0644);

    ck_assert_int_eq(ftruncate(fd, 5 << 20), 0);
    close(fd);
    ck_assert(source_open(&source, spec, source_local_kinds, &fault));
    ck_assert(source.kind->fetch(&source, &reading, &fault));
    ck_assert_uint_eq(reading.length, SOURCE_VALUE_MAX);
    source_close(&source);
}
END_TEST

static const struct {
    const char *code;
    bool directory;
} not_files[] = {{"ENOENT", false}, {"EISDIR", true}};

START_TEST(no_file_is_a_fault)
{
    struct reading reading;

    if (not_files[_i].directory) {
        ck_assert_int_eq(mkdir(in_dir("mode"), 0755), 0);
    }
    ck_assert(source_open(&source, spec, source_local_kinds, &fault));
    ck_assert(!source.kind->fetch(&source, &reading, &fault));
    ck_assert_str_eq(fault.code, not_files[_i].code);
    source_close(&source);
}
END_TEST

START_TEST(a_fifo_does_not_hang)
{
    ck_assert_int_eq(mkfifo(in_dir("mode"), 0644), 0);
    ck_assert(source_open(&source, spec, source_local_kinds, &fault));
    fetch_gives("");
    source_close(&source);
}
END_TEST

/* -- the watch ---------------------------------------------------------------------------- */

static void watch_starts(void)
{
    ck_assert(source_open(&source, spec, source_local_kinds, &fault));
    ck_assert_int_ge(source.kind->watch(&source), 0);
}

/* Waits until the watch says that a fetch is due, and expects the value (NULL: a fault). */
static void change_brings(const char *value)
{
    struct pollfd one = {.fd = source.kind->watch(&source), .events = POLLIN};
    struct reading reading;
    bool due = false;

    while (!due) {
        ck_assert_msg(poll(&one, 1, 20000) == 1, "no change was seen");
        due = source.kind->changed(&source);
    }
    if (value != NULL) {
        fetch_gives(value);
    } else {
        ck_assert(!source.kind->fetch(&source, &reading, &fault));
    }
}

/* Nothing that has happened so far makes a fetch due. */
static void nothing_is_due(void)
{
    ck_assert(!source.kind->changed(&source));
}

START_TEST(watch_sees_edits)
{
    int fd;

    watch_starts();
    write_file(in_dir("mode"), "accept", O_CREAT);
    change_brings("accept");
    write_file(in_dir("mode"), "bounce", O_TRUNC);
    change_brings("bounce");
    write_file(in_dir("new"), "defer", O_CREAT);
    ck_assert_int_eq(rename(in_dir("new"), in_dir("mode")), 0);
    change_brings("defer");
    fd = open(in_dir("mode"), O_WRONLY);
    ck_assert_int_eq(write(fd, "Defer", 5), 5);
    change_brings("Defer"); /* still open */
    close(fd);
}
END_TEST

START_TEST(watch_sees_deletion_and_return)
{
    write_file(in_dir("mode"), "accept", O_CREAT);
    watch_starts();
    ck_assert_int_eq(unlink(in_dir("mode")), 0);
    change_brings(NULL);
    write_file(in_dir("mode"), "bounce", O_CREAT);
    change_brings("bounce");
    ck_assert_int_eq(rename(in_dir("mode"), in_dir("away")), 0);
    change_brings(NULL);
    ck_assert_int_eq(link(in_dir("away"), in_dir("mode")), 0);
    change_brings("bounce");
}
END_TEST

START_TEST(watch_ignores_others_and_emptying)
{
    int fd;

    write_file(in_dir("mode"), "accept", O_CREAT);
    watch_starts();
    nothing_is_due();
    write_file(in_dir("other"), "accept", O_CREAT);
    ck_assert_int_eq(mkdir(in_dir("sub"), 0755), 0);
    ck_assert_int_eq(unlink(in_dir("other")), 0);
    fd = open(in_dir("mode"), O_WRONLY | O_TRUNC);
    /* The subdirectory is no reason either, as the file is empty. */
    (void)source.kind->changed(&source);
    nothing_is_due();
    ck_assert_int_eq(write(fd, "bounce", 6), 6);
    close(fd);
    change_brings("bounce");
}
END_TEST

START_TEST(watch_follows_the_directories)
{
    snprintf(spec, sizeof spec, "file:%s/a/b/mode", dir);
    watch_starts();
    ck_assert_int_eq(mkdir(in_dir("a"), 0755), 0);
    ck_assert_int_eq(mkdir(in_dir("a/b"), 0755), 0);
    write_file(in_dir("a/b/mode"), "accept", O_CREAT);
    change_brings("accept");
    ck_assert_int_eq(rename(in_dir("a/b"), in_dir("a/c")), 0);
    ck_assert_int_eq(mkdir(in_dir("a/b"), 0755), 0);
    write_file(in_dir("a/b/mode"), "bounce", O_CREAT);
    change_brings("bounce");
    ck_assert_int_eq(unlink(in_dir("a/b/mode")), 0);
    ck_assert_int_eq(rmdir(in_dir("a/b")), 0);
    ck_assert_int_eq(rename(in_dir("a/c"), in_dir("a/b")), 0);
    change_brings("accept");
    write_file(in_dir("a/b/mode"), "greylist", O_TRUNC);
    change_brings("greylist");
}
END_TEST

/* The directory above may be as busy as /tmp: that must not wake us once ours is there. */
START_TEST(watch_leaves_the_directories_above)
{
    struct pollfd one;

    snprintf(spec, sizeof spec, "file:%s/a/mode", dir);
    watch_starts();
    ck_assert_int_eq(mkdir(in_dir("a"), 0755), 0);
    write_file(in_dir("a/mode"), "accept", O_CREAT);
    change_brings("accept");
    (void)source.kind->changed(&source);
    write_file(in_dir("mode"), "bounce", O_CREAT);
    ck_assert_int_eq(mkdir(in_dir("b"), 0755), 0);
    one = (struct pollfd){.fd = source.kind->watch(&source), .events = POLLIN};
    ck_assert_int_eq(poll(&one, 1, 0), 0);
}
END_TEST

/* Where directories come and go faster than we look, the value is right in the end. */
START_TEST(watch_settles_after_a_storm)
{
    struct reading reading;
    struct pollfd one;

    snprintf(spec, sizeof spec, "file:%s/a/mode", dir);
    watch_starts();
    for (int i = 0; i < 50; i++) {
        mkdir(in_dir("a"), 0755);
        write_file(in_dir("a/mode"), i == 49 ? "accept" : "bounce", O_CREAT | O_TRUNC);
        if (i < 49) {
            ck_assert_int_eq(unlink(in_dir("a/mode")), 0);
            ck_assert_int_eq(rmdir(in_dir("a")), 0);
        }
        if (i % 8 == 0) {
            (void)source.kind->changed(&source);
        }
    }
    one = (struct pollfd){.fd = source.kind->watch(&source), .events = POLLIN};
    do {
        while (!source.kind->changed(&source)) {
            ck_assert_msg(poll(&one, 1, 20000) == 1, "the last change was not seen");
        }
    } while (!source.kind->fetch(&source, &reading, &fault));
    ck_assert_str_eq(reading.value, "accept");
}
END_TEST

static void close_source(void)
{
    source_close(&source);
    remove_directory();
}

#define COUNT(table) ((int)(sizeof table / sizeof table[0]))

static Suite *suite(void)
{
    Suite *s = suite_create("source");
    TCase *plain = tcase_create("specifications"), *files = tcase_create("files"),
          *watch = tcase_create("watch");

    tcase_add_loop_test(plain, spec_in_force, 0, COUNT(specs));
    tcase_add_test(plain, spec_too_long);
    tcase_add_loop_test(plain, bad_spec_says_what_is_accepted, 0, COUNT(bad_specs));
    tcase_add_test(plain, faults_are_one_printable_line);
    tcase_add_test(plain, static_source);
    tcase_add_checked_fixture(files, in_directory, remove_directory);
    tcase_add_test(files, file_is_stored_whole);
    tcase_add_test(files, store_fails_cleanly);
    tcase_add_test(files, file_of_any_size_is_bounded);
    tcase_add_loop_test(files, no_file_is_a_fault, 0, COUNT(not_files));
    tcase_add_test(files, a_fifo_does_not_hang);
    tcase_add_checked_fixture(watch, in_directory, close_source);
    tcase_set_timeout(watch, 60);
    tcase_add_test(watch, watch_sees_edits);
    tcase_add_test(watch, watch_sees_deletion_and_return);
    tcase_add_test(watch, watch_ignores_others_and_emptying);
    tcase_add_test(watch, watch_follows_the_directories);
    tcase_add_test(watch, watch_leaves_the_directories_above);
    tcase_add_test(watch, watch_settles_after_a_storm);
    suite_add_tcase(s, plain);
    suite_add_tcase(s, files);
    suite_add_tcase(s, watch);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

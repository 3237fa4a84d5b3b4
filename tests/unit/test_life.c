/* mode/life: an id and a mark, each of which can be wrong by itself. */
#include "mode/life.h"

#include <check.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "runner.h"

#define WITHIN_MS 60000

static struct board_control control;
static const struct board board = {.control = &control};

enum owner { OWNER_NONE, OWNER_SELF, OWNER_GONE };

static pid_t pid_of(enum owner owner)
{
    pid_t gone;

    if (owner != OWNER_GONE) {
        return owner == OWNER_SELF ? getpid() : 0;
    }
    gone = fork();
    if (gone == 0) {
        _exit(0);
    }
    ck_assert_int_eq(waitpid(gone, NULL, 0), gone);
    return gone;
}

static const struct {
    const char *what;
    enum owner owner;
    int64_t age_ms;
    bool lives;
} rows[] = {
    {"it has just said so", OWNER_SELF, 0, true},
    {"it said so a while ago", OWNER_SELF, WITHIN_MS / 2, true},
    {"the id is a stranger's by now: nobody marked for long", OWNER_SELF, WITHIN_MS, false},
    {"the mark is of a former boot", OWNER_SELF, -WITHIN_MS, false},
    {"it was killed a moment ago", OWNER_GONE, 0, false},
    {"nobody is there", OWNER_NONE, 0, false},
};

START_TEST(the_master_and_the_refresher_are_judged_alike)
{
    int64_t mark = clock_ms() - rows[_i].age_ms;
    pid_t pid = pid_of(rows[_i].owner);

    memset(&control, 0, sizeof control);
    atomic_store(&control.master, pid);
    atomic_store(&control.beat_ms, mark);
    ck_assert_msg(life_of_master(&board, WITHIN_MS) == rows[_i].lives, "%s", rows[_i].what);
    ck_assert(!life_of_refresher(&board, WITHIN_MS));

    memset(&control, 0, sizeof control);
    atomic_store(&control.refresher, pid);
    atomic_store(&control.refresher_beat_ms, mark);
    ck_assert_msg(life_of_refresher(&board, WITHIN_MS) == rows[_i].lives, "%s", rows[_i].what);
    ck_assert(!life_of_master(&board, WITHIN_MS));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("life");
    TCase *tc = tcase_create("life");

    tcase_add_loop_test(tc, the_master_and_the_refresher_are_judged_alike, 0,
                        sizeof rows / sizeof rows[0]);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}

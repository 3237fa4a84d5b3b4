/* What every unit test ends with: int main(void) { return run_suite(suite()); } */
#ifndef UNIT_RUNNER_H
#define UNIT_RUNNER_H

#include <check.h>

static inline int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}

#endif

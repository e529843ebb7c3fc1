/* Least, mean and most of the ranks' times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "support/ranks.h"
#include "train/time_breakdown.h"

/* Rank r needs r + i seconds for item i. */
static void test_least_mean_and_most(void **state) {
    (void)state;
    double seconds[LS_TIMES];
    ls_epoch_time times[LS_TIMES];
    for (int i = 0; i < LS_TIMES; i++) seconds[i] = ranks.rank + i;
    assert_on_all_ranks(ls_time_breakdown(&ranks, 1, seconds, times) == LS_OK);
    bool right = true;
    for (int i = 0; i < LS_TIMES; i++)
        right = right && times[i].least_s == i && times[i].most_s == ranks.size - 1 + i &&
                fabs(times[i].mean_s - (0.5 * (ranks.size - 1) + i)) < 1e-4;
    assert_on_all_ranks(right);
    assert_on_all_ranks(strcmp(times[LS_TIME_WAITING].name, "waiting") == 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_least_mean_and_most)};
    return run_on_ranks(argc, argv, "time_breakdown", tests, sizeof tests / sizeof *tests);
}

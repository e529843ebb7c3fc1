/* The roll call before a run: who answers, and how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "support/ranks.h"
#include "train/roll_call.h"

static bool heard_all(const ls_roll_call *roll, double at_s) {
    int first = ranks.rank == 0 ? 1 : 0, end = ranks.rank == 0 ? ranks.size : 1;
    for (int rank = first; rank < end; rank++)
        if (ls_roll_call_latest(roll, rank)->heard_s != at_s) return false;
    return true;
}

/* Rank 0 hears where each is, and they that rank 0 hears them. */
static void test_answers(void **state) {
    (void)state;
    const double at_s = 7;
    ls_roll_call *roll;
    assert_on_all_ranks(ls_roll_call_open(&ranks, &roll) == LS_OK);
    bool listening = true;
    for (double end_s = ls_clock_s() + 60; listening && !heard_all(roll, at_s) && ls_clock_s() < end_s;) {
        ls_roll_call_answer(roll, 100 + ranks.rank, ranks.rank % 3, ranks.rank);
        listening = ls_roll_call_listen(roll, 0.05, at_s);
    }
    assert_on_all_ranks(listening && heard_all(roll, at_s));
    bool right = true;
    for (int rank = 0; rank < (ranks.rank == 0 ? ranks.size : 1); rank++) {
        const ls_answer *answer = ls_roll_call_latest(roll, rank);
        if (rank == ranks.rank) continue;
        right = right && answer->step == 100 + rank && answer->activity == rank % 3 && answer->moved_s == at_s - rank;
    }
    assert_on_all_ranks(right);
    ls_roll_call_close(roll);
}

static void test_end(void **state) {
    (void)state;
    ls_roll_call *roll;
    assert_on_all_ranks(ls_roll_call_open(&ranks, &roll) == LS_OK);
    ls_roll_call_end(roll);
    double start_s = ls_clock_s();
    assert_on_all_ranks(!ls_roll_call_listen(roll, 60, 0) && ls_clock_s() - start_s < 30);
    ls_roll_call_close(roll);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers), cmocka_unit_test(test_end)};
    return run_on_ranks(argc, argv, "roll_call", tests, sizeof tests / sizeof *tests);
}

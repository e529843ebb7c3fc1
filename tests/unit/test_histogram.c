/* Histograms against looking at every number. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/histogram_internal.h"
#include "support/nets.h"

static ls_histogram histogram; /* too large for the stack */
static double limit[LS_HISTOGRAM_BUCKETS], count[LS_HISTOGRAM_BUCKETS];

static int count_numbers(const float *numbers, int64_t n) {
    ls_histogram_clear(&histogram);
    ls_histogram_add(&histogram, numbers, n);
    return ls_histogram_list(&histogram, limit, count);
}

/* Each bucket holds the numbers between its ends: of equal ones, those that are positive belong to the next. */
static void expect_counts(const float *numbers, int64_t n, int buckets) {
    double total = 0;
    for (int b = 0; b < buckets; b++) {
        double low = b > 0 ? limit[b - 1] : -HUGE_VAL, inside = 0;
        for (int64_t i = 0; i < n; i++) {
            double x = (double)numbers[i];
            bool above = signbit(x) ? x > low : x >= low, below = signbit(x) ? x <= limit[b] : x < limit[b];
            if (above && below) inside++;
        }
        assert_true(count[b] == inside);
        assert_true(b == 0 || limit[b] > limit[b - 1]);
        assert_true(b == 0 || count[b] > 0 || count[b - 1] > 0);
        total += inside;
    }
    assert_true(total == (double)n && count[0] > 0 && count[buckets - 1] > 0);
}

static void every_number_is_in_its_bucket(void **unused) {
    (void)unused;
    enum { COUNT = 2000 };
    static float numbers[COUNT] = {1.0f, -1.0f, 1.125f, -1.125f};
    double sum = 0, squares = 2 + 2 * 1.125 * 1.125;
    for (int i = 4; i < COUNT; i++) {
        numbers[i] = formula_number(1, (uint64_t)i) * (float)pow(2, i % 40 - 20);
        sum += (double)numbers[i];
        squares += (double)numbers[i] * (double)numbers[i];
    }
    int buckets = count_numbers(numbers, COUNT);
    assert_in_range(buckets, 100, 2 * 8 * 40);
    expect_counts(numbers, COUNT, buckets);
    assert_true(histogram.count == COUNT);
    assert_true(fabs(histogram.sum - sum) <= 1e-12 * squares);
    assert_true(fabs(histogram.sum_squares - squares) <= 1e-12 * squares);
}

static void a_few_numbers(void **unused) {
    (void)unused;
    const float numbers[] = {-2.0f, 3.0f, 3.1f, NAN, INFINITY};
    int buckets = count_numbers(numbers, 5);
    assert_int_equal(buckets, 3);
    assert_true(histogram.count == 3 && histogram.min == -2 && histogram.max == (double)3.1f);
    assert_true(limit[0] == -2 && limit[1] == 3 && limit[2] == 3.25);
    assert_true(count[0] == 1 && count[1] == 0 && count[2] == 2);
    const float zeros[] = {0.0f, 0.0f};
    assert_int_equal(count_numbers(zeros, 2), 1);
    assert_true(count[0] == 2 && limit[0] > 0);
    assert_int_equal(count_numbers(zeros, 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_number_is_in_its_bucket),
                                       cmocka_unit_test(a_few_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

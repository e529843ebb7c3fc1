/* Loops over vectors, on every instruction set, against plain ones in double; any cut gives the same bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "support/kernel_case.h"
#include "tensor/random.h"
#include "tensor/vector.h"

enum { COUNT = 40000 };
static float a[COUNT], b[COUNT], c[COUNT];

static void fill(void) {
    ls_rng rng = ls_rng_stream(3, LS_RNG_TEST, 0, 0);
    ls_random_normal(&rng, 0, COUNT, a);
    ls_random_uniform(&rng, 1, COUNT, b);
}

#define FOR_EACH_ISA(isa) for (int isa = 0; isa <= (int)case_best_isa() && (ls_cpu_use((ls_isa)isa), true); isa++)

static void test_add(void **state) {
    (void)state;
    fill();
    FOR_EACH_ISA(isa) for (int64_t count = 0; count <= COUNT; count = count * 3 / 2 + 1) {
        memcpy(c, a, sizeof c);
        ls_vector_add(case_pool(2), count, b, c);
        for (int64_t i = 0; i < COUNT; i++) assert_true(c[i] == (i < count ? a[i] + b[i] : a[i]));
    }
}

static void test_finite(void **state) {
    (void)state;
    fill();
    const float bad[] = {INFINITY, -INFINITY, NAN};
    FOR_EACH_ISA(isa) for (int64_t at = 0; at < COUNT; at = at * 2 + 1) {
        assert_true(ls_vector_finite(at, a));
        for (int i = 0; i < 3; i++) {
            float kept = a[at];
            a[at] = bad[i];
            assert_true(ls_vector_finite(at, a));
            assert_false(ls_vector_finite(at + 1, a));
            a[at] = kept;
        }
    }
}

static void test_within(void **state) {
    (void)state;
    const float bad[] = {0.49F, 2.01F, INFINITY, -INFINITY, NAN};
    FOR_EACH_ISA(isa) for (int64_t at = 0; at < COUNT; at = at * 2 + 1) {
        for (int64_t i = 0; i < COUNT; i++) a[i] = 0.5F + 1.5F * (float)i / (COUNT - 1);
        assert_true(ls_vector_within(at, a, 0.5F, 2)); /* zero is outside, but nothing is behind the end */
        for (int i = 0; i < 5; i++) {
            a[at] = bad[i];
            assert_true(ls_vector_within(at, a, 0.5F, 2));
            assert_false(ls_vector_within(at + 1, a, 0.5F, 2));
            assert_int_equal(ls_vector_within(at + 1, a, -3, INFINITY), !isnan(bad[i]) && bad[i] >= -3);
        }
    }
}

typedef double (*loss_fn)(int64_t count, const float *z, const float *target, float scale, float *dz);

static double cross_entropy(double z, double t, double *derivative) {
    *derivative = 1 / (1 + exp(-z)) - t;
    return fmax(z, 0) - z * t + log1p(exp(-fabs(z)));
}

static double squared_error(double z, double t, double *derivative) {
    *derivative = 2 * (z - t);
    return (z - t) * (z - t);
}

static void check_loss(loss_fn loss, double (*naive)(double z, double t, double *derivative), int64_t count) {
    double sum = 0, derivative;
    double got = loss(count, a, b, 0.25f, c);
    for (int64_t i = 0; i < count; i++) {
        sum += naive((double)a[i], (double)b[i], &derivative);
        assert_true(fabs((double)c[i] - 0.25 * derivative) <= 2e-7 * (1 + fabs(derivative)));
    }
    assert_true(fabs(got - sum) <= 1e-6 * sum);
    assert_true(loss(count, a, b, 0.25f, NULL) == got);
}

static void test_losses(void **state) {
    (void)state;
    fill();
    for (int64_t i = 0; i < COUNT; i++) a[i] *= 10;
    a[0] = 1000, a[1] = -1000, a[2] = 0, a[3] = 88, a[4] = -88;
    FOR_EACH_ISA(isa) for (int64_t count = 0; count <= 3000; count = count * 3 / 2 + 1) {
        check_loss(ls_vector_cross_entropy, cross_entropy, count);
        check_loss(ls_vector_squared_error, squared_error, count);
    }
}

/* An element's derivative is the same wherever a range is cut, down to single elements. */
static void test_cuts(void **state) {
    (void)state;
    fill();
    enum { LENGTH = 100 };
    const loss_fn losses[] = {ls_vector_cross_entropy, ls_vector_squared_error};
    float whole[LENGTH], part[LENGTH];
    FOR_EACH_ISA(isa) for (int l = 0; l < 2; l++) for (int64_t cut = 0; cut <= LENGTH; cut++) {
        losses[l](LENGTH, a, b, 1, whole);
        losses[l](cut, a, b, 1, part);
        losses[l](LENGTH - cut, a + cut, b + cut, 1, part + cut);
        assert_memory_equal(whole, part, sizeof whole);
    }
}

/* Sums of exact squares: the order of the addition is the same on all instruction sets, so is the sum. */
static void test_sum_order(void **state) {
    (void)state;
    fill();
    ls_cpu_use(LS_ISA_PORTABLE);
    double portable = ls_vector_squared_error(12345, a, b, 1, NULL);
    FOR_EACH_ISA(isa) assert_true(ls_vector_squared_error(12345, a, b, 1, NULL) == portable);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),    cmocka_unit_test(test_finite), cmocka_unit_test(test_within),
        cmocka_unit_test(test_losses), cmocka_unit_test(test_cuts),   cmocka_unit_test(test_sum_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

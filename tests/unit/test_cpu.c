/* Which instruction set is found and used, and the measured peak. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "tensor/cpu.h"
#include "tensor/kernels_internal.h"

static void test_detect(void **state) {
    (void)state;
    ls_isa best, isa;
    unsetenv("LOCKSTEP_ISA");
    assert_int_equal(ls_cpu_detect(&best), LS_OK);
    for (int i = 0; i < LS_ISA_COUNT; i++) {
        setenv("LOCKSTEP_ISA", ls_isa_name((ls_isa)i), 1);
        assert_int_equal(ls_cpu_detect(&isa), i <= (int)best ? LS_OK : LS_INVALID);
        if (i <= (int)best) assert_int_equal(isa, i);
    }
    setenv("LOCKSTEP_ISA", "avx1024", 1);
    assert_int_equal(ls_cpu_detect(&isa), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "avx1024"));
    unsetenv("LOCKSTEP_ISA");
}

static void test_use(void **state) {
    (void)state;
    assert_ptr_equal(ls_tile_kernels_get(), &ls_tile_kernels_portable);
    static const int widths[LS_ISA_COUNT] = {4, 8, 16};
    ls_isa best;
    assert_int_equal(ls_cpu_detect(&best), LS_OK);
    ls_cpu_use(best);
    assert_int_equal(ls_tile_kernels_get()->width, widths[best]);
}

static void test_peak(void **state) {
    (void)state;
    ls_pool *pool;
    assert_int_equal(ls_pool_create(1, &pool), LS_OK);
    double gflops = ls_cpu_peak_gflops(pool, 0.01);
    assert_true(gflops > 0.01 && gflops < 1e5);
    ls_pool_destroy(pool);
}

/* training.threads allows more than any table of a fixed length. */
static void test_peak_of_many_threads(void **state) {
    (void)state;
    const char *full = getenv("LOCKSTEP_TEST_FULL"); /* it takes seconds of all cores */
    if (full == NULL || strcmp(full, "1") != 0) skip();
    ls_pool *pool;
    assert_int_equal(ls_pool_create(1100, &pool), LS_OK);
    assert_true(ls_cpu_peak_gflops(pool, 0) > 0);
    ls_pool_destroy(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_use), cmocka_unit_test(test_detect),
                                       cmocka_unit_test(test_peak), cmocka_unit_test(test_peak_of_many_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lockstep/memory.h"

static void test_memory_is_zeroed_and_aligned(void **state) {
    (void)state;
    for (int64_t count = 0; count < 300; count += 7) {
        float *numbers;
        assert_int_equal(ls_alloc(&numbers, count, sizeof *numbers, "numbers"), LS_OK);
        assert_non_null(numbers);
        assert_int_equal((uintptr_t)numbers % LS_ALIGN_BYTES, 0);
        for (int64_t i = 0; i < count; i++) assert_true(numbers[i] == 0);
        memset(numbers, 0xff, (size_t)count * sizeof *numbers); /* so that the next one is not zero by chance */
        ls_free(numbers);
    }
    ls_free(NULL);
}

static void test_failure_says_what_for(void **state) {
    (void)state;
    char *bytes = (char *)&bytes;
    assert_int_equal(ls_alloc(&bytes, INT64_MAX / 2, 1, "the weights"), LS_ERROR);
    assert_null(bytes);
    assert_string_equal(ls_failure_get()->message, "cannot allocate 4611686018427387903 bytes for the weights");
    assert_int_equal(ls_alloc(&bytes, INT64_MAX, 1000, "a header's claim"), LS_ERROR);
    assert_null(bytes);
    assert_non_null(strstr(ls_failure_get()->message, "for a header's claim"));
}

static void test_rounding(void **state) {
    (void)state;
    assert_int_equal(ls_align_bytes(0), 0);
    assert_int_equal(ls_align_floats(0), 0);
    for (int64_t n = 1; n < 1000; n++) {
        int64_t bytes = ls_align_bytes(n), floats = ls_align_floats(n);
        assert_true(bytes >= n && bytes < n + LS_ALIGN_BYTES && bytes % LS_ALIGN_BYTES == 0);
        assert_int_equal(floats * (int64_t)sizeof(float), ls_align_bytes(n * (int64_t)sizeof(float)));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_zeroed_and_aligned),
        cmocka_unit_test(test_failure_says_what_for),
        cmocka_unit_test(test_rounding),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}

/* Shapes counted, printed, read and compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/shape.h"

static void test_count_and_text(void **state) {
    (void)state;
    ls_shape image = {.dims = 3, .dim = {28, 14, 3}}, vector = {.dims = 1, .dim = {51200}};
    char text[LS_SHAPE_TEXT_MAX];
    assert_int_equal(ls_shape_count(&image), 28 * 14 * 3);
    assert_int_equal(ls_shape_count(&vector), 51200);
    assert_string_equal(ls_shape_text(&image, text), "28 x 14 x 3");
    assert_string_equal(ls_shape_text(&vector, text), "51200");
    ls_shape widest = {.dims = 4, .dim = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}};
    assert_string_equal(ls_shape_text(&widest, text),
                        "9223372036854775807 x 9223372036854775807 x 9223372036854775807 x 9223372036854775807");
}

static void test_what_is_written_can_be_read(void **state) {
    (void)state;
    ls_shape image = {.dims = 3, .dim = {28, 14, 3}}, read;
    char text[LS_SHAPE_TEXT_MAX];
    assert_int_equal(ls_shape_parse(ls_shape_text(&image, text), &read), LS_OK);
    assert_true(ls_shape_equal(&read, &image));
    assert_int_equal(ls_shape_parse("28x14x3", &read), LS_OK);
    assert_true(ls_shape_equal(&read, &image));
    const char *bad[] = {"", "28x", "28xx3", "x28", "0x3", "28x14x3x", "1x2x3x4x5", "28y14"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(ls_shape_parse(bad[i], &read), LS_INVALID);
}

static void test_equal(void **state) {
    (void)state;
    ls_shape a = {.dims = 3, .dim = {4, 5, 6}}, b = a, flat = {.dims = 1, .dim = {120}};
    assert_true(ls_shape_equal(&a, &b));
    b.dim[2] = 7;
    assert_false(ls_shape_equal(&a, &b));
    assert_false(ls_shape_equal(&a, &flat));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_count_and_text),
                                       cmocka_unit_test(test_what_is_written_can_be_read),
                                       cmocka_unit_test(test_equal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

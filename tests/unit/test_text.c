/* Numbers and strings as other programs must be able to read them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lockstep/text.h"

static void numbers_are_short_and_exact(void **unused) {
    (void)unused;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},
                 {-3, "-3"},
                 {0.1, "0.1"},
                 {1e-7, "1.0e-07"},
                 {-2.5e-9, "-2.5e-09"},
                 {1e14, "100000000000000"},
                 {1e15, "1.0e+15"},
                 {1e300, "1.0e+300"},
                 {1.0 / 3, "0.3333333333333333"},
                 {HUGE_VAL, "null"},
                 {-HUGE_VAL, "null"}};
    char text[LS_NUMBER_TEXT_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(ls_number_text(cases[i].value, text), cases[i].text);
    assert_string_equal(ls_number_text(strtod("nan", NULL), text), "null");
    uint64_t bits = 1;
    for (int i = 0; i < 100000; i++) {
        double value;
        bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value)) assert_true(strtod(ls_number_text(value, text), NULL) == value);
        assert_true(strlen(text) < LS_NUMBER_TEXT_MAX);
    }
}

static void strings_are_escaped(void **unused) {
    (void)unused;
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    ls_quoted_print("C:\\a \"b\"/\n\x7f\x01 Mäuse", out);
    fclose(out);
    assert_string_equal(text, "\"C:\\\\a \\\"b\\\"/\\u000a\\u007f\\u0001 Mäuse\"");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_are_short_and_exact),
                                       cmocka_unit_test(strings_are_escaped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

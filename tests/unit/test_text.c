/* Numbers and strings as other programs must be able to read them. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"

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

static void quoted(const char *text, const char *expected) {
    char *printed;
    size_t length;
    FILE *out = open_memstream(&printed, &length);
    ls_quoted_print(text, out);
    fclose(out);
    assert_string_equal(printed, expected);
    free(printed);
}

/* JSON and YAML are UTF-8, and YAML refuses some characters of it, or takes them for the end of a line. */
static void what_is_not_text_is_escaped_in_strings(void **unused) {
    (void)unused;
    quoted("a\xff"
           "b",
           "\"a\\ufffd"
           "b\"");
    quoted("\xc2\x9b[2J", "\"\\u009b[2J\"");
    quoted("\xe2\x80\xa8\xef\xbb\xbf\xef\xbf\xbf", "\"\\u2028\\ufeff\\uffff\"");
    quoted("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

/* Against the plain definition: what each number of Unicode is written as, and nothing else. */
static void utf8_is_told_from_other_bytes(void **unused) {
    (void)unused;
    int64_t found = 0;
    for (uint32_t bytes = 0; bytes < 1u << 24; bytes++) { /* up to three bytes, all of them */
        char text[4] = {(char)(bytes >> 16), (char)(bytes >> 8), (char)bytes, 0};
        uint32_t code;
        found += ls_utf8_decode(text, 3, &code) == 3;
    }
    assert_int_equal(found, 0x10000 - 0x800 - 0x800);
    static const struct {
        const char *text;
        int length;
        uint32_t code;
    } cases[] = {{"A", 1, 'A'},
                 {"\xc3\xa4", 2, 0xE4},
                 {"\xf0\x90\x80\x80", 4, 0x10000},
                 {"\xf4\x8f\xbf\xbf", 4, 0x10FFFF},
                 {"\xf4\x90\x80\x80", 0, 0},
                 {"\xf0\x8f\xbf\xbf", 0, 0},
                 {"\xc1\xbf", 0, 0},
                 {"\xed\xa0\x80", 0, 0},
                 {"\xc3", 0, 0},
                 {"\x80", 0, 0},
                 {"\xff", 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t code = 0;
        assert_int_equal(ls_utf8_decode(cases[i].text, strlen(cases[i].text), &code), cases[i].length);
        if (cases[i].length > 0) assert_int_equal(code, cases[i].code);
    }
}

static void control_characters_are_shown(void **unused) {
    (void)unused;
    char shown[64];
    assert_string_equal(ls_text_show("a\x1b[31mb\r\x7f\n\tc", false, shown, sizeof shown),
                        "a\\x1b[31mb\\x0d\\x7f\\x0a\tc");
    assert_string_equal(ls_text_show("a\nb", true, shown, sizeof shown), "a\nb");
    assert_string_equal(ls_text_show("\xc2\x9bK \xc3\xa4 \xff \xe4", true, shown, sizeof shown),
                        "\\xc2\\x9bK \xc3\xa4 \\xff \\xe4");
    assert_string_equal(ls_text_show("\x1b\x1b", true, shown, 8), "\\x1b"); /* whole or not at all */
    assert_string_equal(ls_text_show("\xc3\xa4\xc3\xa4", true, shown, 4), "\xc3\xa4");
}

/* However the text is cut into writes, the result is the same. */
static void a_stream_shows_the_same(void **unused) {
    (void)unused;
    static const char text[] = "a\x1b[1m\n\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xe2\x82 \xc2\x9b\xf0\x9f";
    char expected[128], got[128];
    ls_text_show(text, true, expected, sizeof expected);
    for (int step = 1; step < 8; step++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        FILE *out = ls_text_stream(ends[1]);
        assert_non_null(out);
        for (size_t at = 0; at < sizeof text - 1; at += (size_t)step) {
            size_t left = sizeof text - 1 - at, bytes = left < (size_t)step ? left : (size_t)step;
            assert_int_equal(fwrite(text + at, 1, bytes, out), bytes);
            assert_int_equal(fflush(out), 0);
        }
        assert_int_equal(fclose(out), 0);
        close(ends[1]);
        ssize_t bytes = read(ends[0], got, sizeof got - 1);
        assert_true(bytes > 0);
        got[bytes] = '\0';
        assert_string_equal(got, expected);
        close(ends[0]);
    }
}

/* A result that cannot be written is noticed. */
static void a_stream_fails_as_its_file_does(void **unused) {
    (void)unused;
    int full = open("/dev/full", O_WRONLY);
    FILE *out = ls_text_stream(full);
    assert_true(full >= 0 && out != NULL);
    fputs("text\n", out);
    assert_int_equal(fflush(out), EOF);
    assert_true(ferror(out));
    fclose(out);
    close(full);
}

static void expect_utf8(const char *text, const char *expected) {
    char *copy = ls_utf8_copy(text);
    assert_string_equal(copy, expected);
    free(copy);
}

/* Examples of RFC 3629 and of Unicode's chapter 3.9. */
static void what_is_not_utf8_is_replaced(void **unused) {
    (void)unused;
#define BAD "\xEF\xBF\xBD"
    expect_utf8("M\xC3\xA4use \xE2\x82\xAC \xF0\x9F\x90\xB1 \xF4\x8F\xBF\xBF",
                "M\xC3\xA4use \xE2\x82\xAC \xF0\x9F\x90\xB1 \xF4\x8F\xBF\xBF");
    expect_utf8("caf\xE9", "caf" BAD);
    expect_utf8("\xE2\x82", BAD BAD);
    expect_utf8("\xC0\xAF|\xC1|\xFF", BAD BAD "|" BAD "|" BAD);
    expect_utf8("\xED\xA0\x80|\xE0\x9F\x80", BAD BAD BAD "|" BAD BAD BAD);
    expect_utf8("\xF4\x90\x80\x80", BAD BAD BAD BAD);
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    ls_utf8_print("a\tb\x1b[31m\xE9", out);
    fclose(out);
    assert_string_equal(text, "a b [31m" BAD);
    free(text);
}

static void words_are_quoted_for_a_shell(void **unused) {
    (void)unused;
    static const char *const cases[][2] = {
        {"runs/x-1.h5", "runs/x-1.h5"}, {"", "''"}, {"my run", "'my run'"}, {"it's $HOME", "'it'\\''s $HOME'"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text;
        size_t length;
        FILE *out = open_memstream(&text, &length);
        ls_word_print(cases[i][0], out);
        fclose(out);
        assert_string_equal(text, cases[i][1]);
        free(text);
    }
}

static void times_are_short(void **unused) {
    (void)unused;
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {{0, "0.000 s"}, {0.0123, "0.012 s"}, {0.0999, "0.1 s"}, {3.449, "3.4 s"}, {9.96, "10 s"},
                 {75.3, "75 s"}, {599.6, "10 min"},   {7199, "120 min"}, {12240, "3.4 h"}};
    char text[LS_SECONDS_TEXT_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(ls_seconds_text(cases[i].seconds, text), cases[i].text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_are_short_and_exact),
                                       cmocka_unit_test(strings_are_escaped),
                                       cmocka_unit_test(what_is_not_text_is_escaped_in_strings),
                                       cmocka_unit_test(utf8_is_told_from_other_bytes),
                                       cmocka_unit_test(control_characters_are_shown),
                                       cmocka_unit_test(a_stream_shows_the_same),
                                       cmocka_unit_test(a_stream_fails_as_its_file_does),
                                       cmocka_unit_test(what_is_not_utf8_is_replaced),
                                       cmocka_unit_test(words_are_quoted_for_a_shell),
                                       cmocka_unit_test(times_are_short)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

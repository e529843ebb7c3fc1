/* Options set, refused, printed and found by their tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"

static const char *const activation_names[] = {"linear", "relu", "sigmoid", NULL};

typedef struct layer {
    int64_t units;
    double rate;
    double slope;
    bool bias;
    char name[16];
    int activation;
    ls_int_list kernel_size;
    ls_double_list range;
} layer;

static const ls_option options[] = {
    {"units", LS_OPTION_INT, offsetof(layer, units), .required = true, .min = 1, .max = 1e9, .help = "outputs"},
    {"rate", LS_OPTION_DOUBLE, offsetof(layer, rate), .preset = "0.5", .min = 0, .max = 1, .below_max = true},
    {"slope", LS_OPTION_DOUBLE, offsetof(layer, slope), .min = 0, .max = INFINITY, .above_min = true},
    {"use_bias", LS_OPTION_BOOL, offsetof(layer, bias), .preset = "true"},
    {"name", LS_OPTION_STRING, offsetof(layer, name), .capacity = sizeof(((layer *)0)->name)},
    {"activation", LS_OPTION_CHOICE, offsetof(layer, activation), .preset = "relu", .choices = activation_names},
    {"kernel_size", LS_OPTION_INTS, offsetof(layer, kernel_size), .preset = "[3, 5]", .min = 1, .max = 99,
     .min_count = 1, .max_count = 2},
    {"range", LS_OPTION_DOUBLES, offsetof(layer, range), .preset = "[0, 1]", .min_count = 2, .max_count = 2},
    LS_OPTIONS_END};

static ls_status set(layer *record, const char *name, const char *text) {
    return ls_option_set(ls_options_find(options, name), record, &text, 1, false);
}

static ls_status set_list(layer *record, const char *name, int count, const char *const *texts) {
    return ls_option_set(ls_options_find(options, name), record, texts, count, true);
}

static layer defaults(void) {
    layer record;
    memset(&record, 0x5a, sizeof record);
    ls_options_init(options, &record);
    return record;
}

static void test_defaults(void **state) {
    (void)state;
    layer record = defaults();
    assert_int_equal(record.units, 0);
    assert_true(record.rate == 0.5 && record.slope == 0);
    assert_true(record.bias);
    assert_string_equal(record.name, "");
    assert_int_equal(record.activation, 1);
    assert_int_equal(record.kernel_size.count, 2);
    assert_true(record.kernel_size.value[0] == 3 && record.kernel_size.value[1] == 5);
    assert_true(record.range.count == 2 && record.range.value[0] == 0 && record.range.value[1] == 1);
}

static void test_setting(void **state) {
    (void)state;
    layer record = defaults();
    assert_int_equal(set(&record, "units", "1000000000"), LS_OK);
    assert_int_equal(set(&record, "rate", "2.5e-1"), LS_OK);
    assert_int_equal(set(&record, "use_bias", "false"), LS_OK);
    assert_int_equal(set(&record, "name", "fifteen letters"), LS_OK);
    assert_int_equal(set(&record, "activation", "sigmoid"), LS_OK);
    assert_int_equal(set(&record, "kernel_size", "7"), LS_OK);
    assert_int_equal(set_list(&record, "range", 2, (const char *[]){"-1", ".5"}), LS_OK);
    assert_true(record.units == 1000000000 && record.rate == 0.25 && !record.bias && record.activation == 2);
    assert_string_equal(record.name, "fifteen letters");
    assert_true(record.kernel_size.count == 1 && record.kernel_size.value[0] == 7);
    assert_true(record.range.value[0] == -1 && record.range.value[1] == 0.5);
}

static void test_refusals_name_option_and_what_is_allowed(void **state) {
    (void)state;
    static const struct {
        const char *name, *text, *message;
    } cases[] = {
        {"units", "abc", "units must be an integer >= 1 and <= 1000000000, not 'abc'"},
        {"units", "0", "units must be an integer >= 1 and <= 1000000000, not '0'"},
        {"units", "1.5", NULL},
        {"units", " 1", NULL},
        {"units", "", NULL},
        {"units", "99999999999999999999", NULL},
        {"rate", "1", "rate must be a number >= 0 and < 1, not '1'"},
        {"rate", "nan", NULL},
        {"rate", "0x0.1", NULL},
        {"rate", "0.1.1", NULL},
        {"slope", "0", "slope must be a number > 0, not '0'"},
        {"slope", "1e999", NULL},
        {"slope", "inf", NULL},
        {"use_bias", "yes", "use_bias must be true or false, not 'yes'"},
        {"name", "sixteen  letters", "name must be a text of at most 15 bytes, not 'sixteen  letters'"},
        {"activation", "Rleu", "activation must be one of linear, relu, sigmoid, not 'Rleu'; did you mean 'relu'?"},
        {"activation", "x", "activation must be one of linear, relu, sigmoid, not 'x'"},
        {"kernel_size", "0", "kernel_size must be an integer or a list of at most 2 integers >= 1 and <= 99, not '0'"},
        {"range", "1", "range must be a list of 2 numbers, not '1'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        layer record = defaults(), before = record;
        assert_int_equal(set(&record, cases[i].name, cases[i].text), LS_INVALID);
        assert_memory_equal(&record, &before, sizeof record);
        if (cases[i].message != NULL) assert_string_equal(ls_failure_get()->message, cases[i].message);
    }
}

static void test_refused_lists(void **state) {
    (void)state;
    layer record = defaults(), before = record;
    const char *const texts[] = {"1", "2", "3", "4", "5", "6", "7", "8", "9"};
    assert_int_equal(set_list(&record, "units", 1, texts), LS_INVALID);
    assert_string_equal(ls_failure_get()->message, "units must be an integer >= 1 and <= 1000000000, not [1]");
    assert_int_equal(set_list(&record, "kernel_size", 0, texts), LS_INVALID);
    assert_int_equal(set_list(&record, "kernel_size", 3, texts), LS_INVALID);
    assert_int_equal(set_list(&record, "range", 1, texts), LS_INVALID);
    assert_int_equal(set_list(&record, "kernel_size", 2, (const char *[]){"1", "100"}), LS_INVALID);
    assert_memory_equal(&record, &before, sizeof record);
}

static void check_print(const layer *record, const char *name, const char *expected) {
    char text[256] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    ls_option_print(ls_options_find(options, name), record, out);
    fclose(out);
    assert_string_equal(text, expected);
}

static void test_printing(void **state) {
    (void)state;
    layer record = defaults();
    check_print(&record, "units", "0");
    check_print(&record, "rate", "0.5");
    check_print(&record, "use_bias", "true");
    check_print(&record, "activation", "relu");
    check_print(&record, "kernel_size", "[3, 5]");
    check_print(&record, "range", "[0, 1]");
    check_print(&record, "name", "\"\"");
    static const char *const strings[][2] = {{"conv-1", "conv-1"},    {"a/b.h5", "a/b.h5"}, {"true", "\"true\""},
                                             {"12", "\"12\""},        {"a: b", "\"a: b\""}, {"\"q\\", "\"\\\"q\\\\\""},
                                             {"l\n", "\"l\\u000a\""}, {"~", "\"~\""}};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        assert_int_equal(set(&record, "name", strings[i][0]), LS_OK);
        check_print(&record, "name", strings[i][1]);
    }
}

static void test_numbers_read_back_exactly(void **state) {
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {{0.1, "0.1"}, {1e-7, "1.0e-07"},   {1.0 / 3, "0.3333333333333333"},
                 {100, "100"}, {2.5e30, "2.5e+30"}, {DBL_MAX, "1.7976931348623157e+308"},
                 {-0.0, "-0"}, {5e-324, "5.0e-324"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        layer record = {.range = {.count = 1, .value = {cases[i].number}}};
        char expected[64];
        snprintf(expected, sizeof expected, "[%s]", cases[i].text);
        check_print(&record, "range", expected);
        assert_true(strtod(cases[i].text, NULL) == cases[i].number);
    }
}

static void test_find_and_nearest(void **state) {
    (void)state;
    assert_ptr_equal(ls_options_find(options, "rate"), &options[1]);
    assert_null(ls_options_find(options, "rat"));
    static const char *const names[] = {"epochs",        "batch_size", "learning_rate", "conv2d",
                                        "max_pooling2d", "lanes",      "seed"};
    enum { NAMES = sizeof names / sizeof *names };
    static const char *const cases[][2] = {
        {"epoch", "epochs"},
        {"batchsize", "batch_size"},
        {"leraning_rate", "learning_rate"},
        {"Conv2D", "conv2d"},
        {"conv", "conv2d"},
        {"lr", "learning_rate"},
        {"LR", "learning_rate"},
        {"maxpool2d", "max_pooling2d"},
        {"batchnorm", NULL},
        {"MaxPooling2D", "max_pooling2d"},
        {"laens", "lanes"},
        {"shuffle", NULL},
        {"x", NULL},
        {"", NULL},
        {"se", NULL},
        {"max_poolnig2d", "max_pooling2d"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *nearest = ls_nearest(cases[i][0], names, NAMES);
        if (cases[i][1] == NULL)
            assert_null(nearest);
        else
            assert_string_equal(nearest, cases[i][1]);
    }
    char endless[1000];
    memset(endless, 'e', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_null(ls_nearest(endless, names, NAMES));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_setting),
        cmocka_unit_test(test_refusals_name_option_and_what_is_allowed),
        cmocka_unit_test(test_refused_lists),
        cmocka_unit_test(test_printing),
        cmocka_unit_test(test_numbers_read_back_exactly),
        cmocka_unit_test(test_find_and_nearest),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}

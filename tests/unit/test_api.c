/* The library's header on one process: what it refuses, and in which words; and that training goes on where it was. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lockstep/lockstep.h"

enum { SAMPLES = 40 };
static float x[SAMPLES][2], y[SAMPLES][1];
static const lockstep_arrays data = {.count = SAMPLES, .x = x[0], .y = y[0]};

static void expect_refused(int status, const char *words) {
    assert_int_equal(status, LOCKSTEP_INVALID);
    if (strstr(lockstep_message(), words) == NULL) fail_msg("no '%s' in: %s", words, lockstep_message());
}

/* y = x0 - x1 is what a dense layer without an activation can learn. */
static lockstep_model *make(void) {
    lockstep_model *model;
    for (int i = 0; i < SAMPLES; i++) {
        x[i][0] = (float)(i % 8) / 8;
        x[i][1] = (float)(i % 5) / 5;
        y[i][0] = x[i][0] - x[i][1];
    }
    assert_int_equal(lockstep_create(1, (int64_t[]){2}, &model), 0);
    assert_int_equal(lockstep_add(model, "dense", "units=1 name=only"), 0);
    return model;
}

static void names_and_options_are_checked(void **unused) {
    (void)unused;
    lockstep_model *model;
    expect_refused(lockstep_create(0, NULL, &model), "1 to 4 dimensions");
    assert_null(model);
    model = make();
    expect_refused(lockstep_add(model, "dens", ""), "did you mean 'dense'");
    expect_refused(lockstep_add(model, "dense", "unit=3"), "did you mean 'units'");
    expect_refused(lockstep_add(model, "dense", ""), "units is missing");
    expect_refused(lockstep_add(model, "dense", "units"), "key=value");
    expect_refused(lockstep_add(model, "dense", "units=1 inputs=onli"), "only");
    expect_refused(lockstep_compile(model, "adm", "", "mse"), "did you mean 'adam'");
    expect_refused(lockstep_compile(model, "adam", "", "mean_square"), "loss");
    assert_int_equal(lockstep_compile(model, "adam", "learning_rate=0.5", "mse"), 0);
    expect_refused(lockstep_compile(model, "adam", "", "mse"), "already");
    expect_refused(lockstep_add(model, "dense", "units=1"), "compiled");
    lockstep_destroy(model);
}

static void options_are_not_passed_over(void **unused) {
    (void)unused;
    lockstep_model *model = make();
    expect_refused(lockstep_add(model, "dense", "units=3, activation=relu"), "only spaces between options");
    expect_refused(lockstep_add(model, "conv2d", "filters=2 kernel_size=3,,3"), "only spaces between options");
    expect_refused(lockstep_add(model, "dense", "units=3 units=4"), "units is given twice");
    expect_refused(lockstep_add(model, "dense", "units=3 name=a name=b"), "name is given twice");
    expect_refused(lockstep_add(model, "dense", "units= activation=relu"), "units= has no value");
    lockstep_destroy(model);
}

static void null_is_refused(void **unused) {
    (void)unused;
    lockstep_model *model = make();
    lockstep_fit_options options = {.epochs = 1, .batch_size = 8};
    int64_t count;
    float out[SAMPLES];
    lockstep_model *not_made;
    expect_refused(lockstep_create(1, NULL, &not_made), "shape is NULL");
    expect_refused(lockstep_create(1, (int64_t[]){2}, NULL), "out is NULL");
    expect_refused(lockstep_add(NULL, "dense", "units=1"), "model is NULL");
    expect_refused(lockstep_add(model, NULL, "units=1"), "type is NULL");
    expect_refused(lockstep_add(model, "dense", NULL), "units is missing");
    expect_refused(lockstep_compile(NULL, "sgd", "", "mse"), "model is NULL");
    expect_refused(lockstep_compile(model, NULL, "", "mse"), "optimizer is NULL");
    expect_refused(lockstep_compile(model, "sgd", "", NULL), "loss is NULL");
    assert_int_equal(lockstep_compile(model, "sgd", NULL, "mse"), 0);
    expect_refused(lockstep_fit(NULL, &data, &options), "model is NULL");
    expect_refused(lockstep_fit(model, NULL, &options), "data is NULL");
    expect_refused(lockstep_fit(model, &data, NULL), "options is NULL");
    expect_refused(lockstep_fit(model, &(lockstep_arrays){.count = 1}, &options), "no samples");
    assert_int_equal(lockstep_fit(model, &data, &options), 0);
    assert_string_equal(lockstep_message(), "");
    expect_refused(lockstep_predict(NULL, SAMPLES, x[0], out), "model is NULL");
    expect_refused(lockstep_predict(model, SAMPLES, NULL, out), "x is NULL");
    expect_refused(lockstep_predict(model, SAMPLES, x[0], NULL), "out is NULL");
    assert_null(lockstep_weights(NULL, "only", "kernel", &count));
    assert_null(lockstep_weights(model, NULL, "kernel", &count));
    assert_null(lockstep_weights(model, "only", NULL, &count));
    assert_null(lockstep_weights(model, "only", "kernel", NULL));
    expect_refused(LOCKSTEP_INVALID, "count is NULL");
    assert_int_equal(lockstep_output_size(NULL), 0);
    assert_int_equal(lockstep_destroy(NULL), 0);
    lockstep_destroy(model);
}

static void numbers_are_checked(void **unused) {
    (void)unused;
    lockstep_model *model;
    lockstep_callback none = {0};
    float out[1];
    expect_refused(lockstep_create(3, (int64_t[]){1LL << 31, 1LL << 31, 4}, &model), "at most 2147483647 numbers");
    expect_refused(lockstep_create(2, (int64_t[]){2, 0}, &model), "dimension 1");
    model = make();
    assert_int_equal(lockstep_compile(model, "sgd", "", "mse"), 0);
    const struct {
        lockstep_fit_options options;
        const char *words;
    } wrong[] = {{{.lanes = -4}, "lanes is -4"},
                 {{.lanes = 2048}, "at most 1024"},
                 {{.patience = -1}, "patience is -1"},
                 {{.validation_split = NAN}, "validation_split"},
                 {{.callback_count = -1}, "callback_count is -1"},
                 {{.callback_count = 1}, "callbacks is NULL"},
                 {{.callback_count = 1, .callbacks = &none}, "callback 0 has no on_epoch_end"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        lockstep_fit_options options = wrong[i].options;
        options.epochs = 1;
        options.batch_size = 8;
        expect_refused(lockstep_fit(model, &data, &options), wrong[i].words);
    }
    lockstep_fit_options options = {.epochs = 1, .batch_size = 8};
    expect_refused(lockstep_fit(model, &(lockstep_arrays){INT64_MAX / 2, x[0], y[0]}, &options), "any memory");
    assert_int_equal(lockstep_fit(model, &data, &options), 0);
    expect_refused(lockstep_predict(model, -1, x[0], out), "count is -1");
    lockstep_destroy(model);
}

static void a_batch_of_more_than_all_is_warned_of(void **unused) {
    (void)unused;
    lockstep_model *model = make();
    char said[512] = "";
    FILE *file = tmpfile();
    int screen = dup(STDERR_FILENO);
    assert_non_null(file);
    assert_int_equal(lockstep_compile(model, "sgd", "", "mse"), 0);
    dup2(fileno(file), STDERR_FILENO);
    int status = lockstep_fit(model, &data, &(lockstep_fit_options){.epochs = 1, .batch_size = 64});
    dup2(screen, STDERR_FILENO);
    close(screen);
    rewind(file);
    said[fread(said, 1, sizeof said - 1, file)] = '\0';
    fclose(file);
    assert_int_equal(status, 0);
    assert_non_null(strstr(said, "batch_size is 64, but an epoch trains on 40 samples only"));
    lockstep_destroy(model);
}

/* What a callback calls is refused, and training goes on. */
static int call_from_within(void *context, const lockstep_logs *logs) {
    lockstep_model *model = context, *other;
    float out[SAMPLES];
    int64_t count;
    (void)logs;
    expect_refused(lockstep_create(1, (int64_t[]){2}, &other), "callback");
    expect_refused(lockstep_add(model, "dense", "units=1"), "callback");
    expect_refused(lockstep_compile(model, "sgd", "", "mse"), "callback");
    expect_refused(lockstep_fit(model, &data, &(lockstep_fit_options){.epochs = 1, .batch_size = 8}), "callback");
    expect_refused(lockstep_predict(model, SAMPLES, x[0], out), "callback");
    expect_refused(lockstep_destroy(model), "callback");
    expect_refused(lockstep_finalize(), "callback");
    assert_null(lockstep_weights(model, "only", "kernel", &count));
    assert_int_equal(lockstep_output_size(model), 1);
    return 0;
}

static void callbacks_cannot_call_the_library(void **unused) {
    (void)unused;
    lockstep_model *model = make();
    float out[SAMPLES];
    lockstep_callback callback = {call_from_within, model};
    assert_int_equal(lockstep_compile(model, "sgd", "", "mse"), 0);
    assert_int_equal(lockstep_fit(model, &data,
                                  &(lockstep_fit_options){
                                      .epochs = 2, .batch_size = 8, .callbacks = &callback, .callback_count = 1}),
                     0);
    assert_int_equal(lockstep_predict(model, SAMPLES, x[0], out), 0);
    lockstep_destroy(model);
}

/* The header is for programs that do not see the makefile. */
static void the_version_is_the_programs(void **unused) {
    (void)unused;
    assert_string_equal(LOCKSTEP_VERSION, LS_VERSION);
}

static void a_fit_is_checked(void **unused) {
    (void)unused;
    lockstep_model *model = make();
    float out[1];
    expect_refused(lockstep_predict(model, 1, x[0], out), "not been trained");
    expect_refused(lockstep_fit(model, &data, &(lockstep_fit_options){.epochs = 1, .batch_size = 8}), "not compiled");
    assert_int_equal(lockstep_compile(model, "sgd", "", "mse"), 0);
    expect_refused(lockstep_fit(model, &data, &(lockstep_fit_options){.batch_size = 8}), "must be positive");
    expect_refused(lockstep_fit(model, &data, &(lockstep_fit_options){.epochs = 1, .batch_size = 8, .lanes = 3}),
                   "power of two");
    expect_refused(lockstep_fit(model, &(lockstep_arrays){.count = SAMPLES, .x = x[0]},
                                &(lockstep_fit_options){.epochs = 1, .batch_size = 8}),
                   "without y");
    y[7][0] = (float)NAN;
    expect_refused(lockstep_fit(model, &data, &(lockstep_fit_options){.epochs = 1, .batch_size = 8}),
                   "sample 7, as input or target, has a number that is not finite");
    lockstep_destroy(model);
}

/* The losses of the first and the latest epoch. */
typedef struct losses {
    int epochs;
    double first, last;
} losses;

static int note(void *context, const lockstep_logs *logs) {
    losses *l = context;
    if (l->epochs++ == 0) l->first = logs->loss;
    l->last = logs->loss;
    return l->epochs == 30;
}

static losses fit(lockstep_model *model) {
    losses l = {0};
    lockstep_callback callback = {.on_epoch_end = note, .context = &l};
    lockstep_fit_options options = {.epochs = 1000, .batch_size = 8, .callbacks = &callback, .callback_count = 1};
    assert_int_equal(lockstep_fit(model, &data, &options), 0);
    assert_string_equal(lockstep_message(), ""); /* the callback's end is no failure */
    return l;
}

static void training_goes_on_and_is_predicted_with(void **unused) {
    (void)unused;
    lockstep_model *model = make();
    int64_t count = 0;
    float out[SAMPLES];
    assert_int_equal(lockstep_compile(model, "sgd", "learning_rate=0.1", "mse"), 0);
    losses first = fit(model), second = fit(model);
    assert_int_equal(first.epochs, 30); /* which the callback ended */
    assert_true(first.last < first.first / 2);
    assert_true(second.first < first.last);
    const float *kernel = lockstep_weights(model, "only", "kernel", &count);
    const float *bias = lockstep_weights(model, "only", "bias", &count);
    assert_int_equal(count, 1);
    assert_null(lockstep_weights(model, "other", "kernel", &count));
    assert_int_equal(lockstep_predict(model, SAMPLES, x[0], out), 0);
    for (int i = 0; i < SAMPLES; i++)
        assert_true(fabsf(out[i] - (x[i][0] * kernel[0] + x[i][1] * kernel[1] + bias[0])) < 1e-5f);
    lockstep_destroy(model);
}

/* By hand, as each is about the library before its start or after its end. */
static int check_outside(void) {
    lockstep_model *model = (lockstep_model *)1;
    int status = lockstep_create(1, (int64_t[]){2}, &model);
    return status == LOCKSTEP_INVALID && model == NULL && strstr(lockstep_message(), "lockstep_init") != NULL ? 0 : 1;
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_and_options_are_checked),
                                       cmocka_unit_test(options_are_not_passed_over),
                                       cmocka_unit_test(null_is_refused),
                                       cmocka_unit_test(numbers_are_checked),
                                       cmocka_unit_test(a_batch_of_more_than_all_is_warned_of),
                                       cmocka_unit_test(callbacks_cannot_call_the_library),
                                       cmocka_unit_test(the_version_is_the_programs),
                                       cmocka_unit_test(a_fit_is_checked),
                                       cmocka_unit_test(training_goes_on_and_is_predicted_with)};
    int failed = check_outside();
    if (lockstep_init(&argc, &argv) != 0) return 1;
    if (lockstep_init(&argc, &argv) != LOCKSTEP_INVALID) failed++;
    failed += cmocka_run_group_tests(tests, NULL, NULL);
    lockstep_finalize();
    return failed + check_outside();
}

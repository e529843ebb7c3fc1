/* The library's header on one process: what it refuses, and in which words; and that training goes on where it was. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lockstep/lockstep.h"

enum { SAMPLES = 40 };
static float x[SAMPLES][2], y[SAMPLES][1];
static const lockstep_arrays data = {.count = SAMPLES, .x = x[0], .y = y[0]};

static void expect_refused(int status, const char *words) {
    assert_int_not_equal(status, 0);
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

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_and_options_are_checked),
                                       cmocka_unit_test(a_fit_is_checked),
                                       cmocka_unit_test(training_goes_on_and_is_predicted_with)};
    if (lockstep_init(&argc, &argv) != 0) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    lockstep_finalize();
    return failed;
}

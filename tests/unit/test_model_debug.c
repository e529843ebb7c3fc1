/* Checked calls: a layer that breaks its contract is named, with its pass and what it did; the real ones keep it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/nets.h"
#include "support/types.h"

enum { ROWS = 3, WIDTH = 4 };

/* --- a layer with faults: adds a bias --- */

static enum fault {
    NO_FAULT,
    OUTPUT_LEFT_OUT,
    OUTPUT_NOT_FINITE,
    INPUT_CHANGED,
    WEIGHT_CHANGED,
    INPUT_GRADIENT_LEFT_OUT,
    WEIGHT_GRADIENT_LEFT_OUT,
} fault;

static const ls_option options[] = {LS_OPTIONS_END};

static ls_status prepare(ls_layer *layer, const ls_limits *limits) {
    (void)limits;
    layer->out = layer->in[0];
    layer->params = 1;
    layer->param[0] = (ls_param){.name = "bias", .shape = {1, {WIDTH}}, .initializer = LS_INIT_ZEROS};
    return LS_OK;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    (void)layer;
    for (int64_t i = 0; i < pass->rows->count * WIDTH; i++)
        if (i != 6 || fault != OUTPUT_LEFT_OUT) io->y[i] = io->x[0][i] + io->param[0][i % WIDTH];
    if (fault == OUTPUT_NOT_FINITE) io->y[5] = logf(-1);
    if (fault == INPUT_CHANGED) ((float *)io->x[0])[1] += 1;
    if (fault == WEIGHT_CHANGED) ((float *)io->param[0])[2] += 1;
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    (void)layer;
    int64_t left_out = fault == INPUT_GRADIENT_LEFT_OUT ? 11 : -1;
    for (int64_t i = 0; i < pass->rows->count * WIDTH; i++)
        if (i != left_out) io->dx[0][i] = io->dy[i];
    if (fault == WEIGHT_GRADIENT_LEFT_OUT) return;
    memset(io->dparam[0][0], 0, WIDTH * sizeof(float));
    for (int64_t i = 0; i < pass->rows->count * WIDTH; i++) io->dparam[0][0][i % WIDTH] += io->dy[i];
}

static const ls_layer_type faulty = {.name = "faulty",
                                     .help = "adds a bias",
                                     .options = options,
                                     .min_inputs = 1,
                                     .max_inputs = 1,
                                     .prepare = prepare,
                                     .forward = forward,
                                     .backward = backward};

/* --- passes --- */

static ls_pool *pool;
static int complaints;
static ls_failure first; /* complaint */

static int set_up(void **state) {
    (void)state;
    pool = start_pool(2);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    ls_pool_destroy(pool);
    return 0;
}

static void note(void *context) {
    assert_ptr_equal(context, &first);
    if (complaints++ == 0) first = *ls_failure_get();
}

/* Both directions through a model, with checks; the model is given away. */
static void run_checked(ls_model *model) {
    ls_limits limits = {.max_rows = ROWS, .threads = 2, .lanes = 1};
    ls_rows rows = ls_rows_single(ROWS);
    ls_shape in = ls_model_input_shape(model), out = ls_model_output_shape(model);
    int64_t samples[ROWS] = {0, 1, 2}, flat = ls_model_flat_count(model);
    float *input = calloc((size_t)(ROWS * ls_shape_count(&in)), sizeof(float)),
          *target = calloc((size_t)(ROWS * ls_shape_count(&out)), sizeof(float)),
          *weights = aligned_alloc(64, (size_t)flat * sizeof(float)),
          *gradients = aligned_alloc(64, (size_t)flat * sizeof(float));
    double row_loss[ROWS];
    complaints = 0;
    expect_ok(ls_model_set_loss(model, type_named(ls_loss_types, "mean_squared_error"), &out));
    expect_ok(ls_model_prepare(model, &limits, true));
    ls_model_init_weights(model, 1, weights);
    fill_formula(1, -1, 1, ROWS * ls_shape_count(&in), input);
    ls_model_debug(model, note, &first);
    ls_pass pass = {.pool = pool, .rows = &rows, .samples = samples, .training = true};
    ls_model_forward(model, &pass, weights, input, -1);
    ls_model_evaluate(model, &pass, weights, target, row_loss, NULL);
    ls_model_backward(model, &pass, weights, input, &gradients);
    ls_model_destroy(model);
    free(input);
    free(target);
    free(weights);
    free(gradients);
}

static void run_faulty(enum fault which) {
    fault = which;
    ls_model *model = new_model((ls_shape){1, {WIDTH}});
    add_layer(model, "dense", "units=4", NULL);
    expect_ok(try_layer(model, &faulty, "", "suspect", NULL, 0));
    run_checked(model);
}

static void test_faults_are_named(void **state) {
    (void)state;
    static const char *const messages[] = {
        [OUTPUT_LEFT_OUT] = "layer suspect (faulty), forward: its output was not written, at number 2 of row 1",
        [OUTPUT_NOT_FINITE] = "layer suspect (faulty), forward: its output is not finite, at number 1 of row 1",
        [INPUT_CHANGED] = "layer suspect (faulty), forward: what it may only read was written to",
        [WEIGHT_CHANGED] = "layer suspect (faulty), forward: what it may only read was written to",
        [INPUT_GRADIENT_LEFT_OUT] =
            "layer suspect (faulty), backward: the gradient of its input was not written, at number 3 of row 2",
        [WEIGHT_GRADIENT_LEFT_OUT] =
            "layer suspect (faulty), backward: the gradient of bias was not written, at number 0",
    };
    run_faulty(NO_FAULT);
    assert_int_equal(complaints, 0);
    for (int f = NO_FAULT + 1; f <= WEIGHT_GRADIENT_LEFT_OUT; f++) {
        run_faulty((enum fault)f);
        assert_true(complaints > 0);
        if (!strstr(first.message, messages[f])) fail_msg("'%s' is not in: %s", messages[f], first.message);
    }
}

/* A layer with weights goes before each, so that backward comes to it. */
static void add_weights_before(ls_model *model, const ls_shape *shape) {
    char text[64];
    (void)snprintf(text, sizeof text, shape->dims == 3 ? "filters=%d kernel_size=1" : "units=%d",
                   (int)shape->dim[shape->dims - 1]);
    if (shape->dims != 2) add_layer(model, shape->dims == 3 ? "conv2d" : "dense", text, "before");
}

static void test_all_layers_keep_their_contract(void **state) {
    (void)state;
    for (const ls_layer_type *const *type = ls_layer_types; *type; type++) {
        if ((*type)->min_inputs > 1) continue;
        for (const ls_layer_example *example = (*type)->examples; example->options; example++) {
            ls_model *model = new_model(example->in[0]);
            add_weights_before(model, &example->in[0]);
            expect_ok(try_layer(model, *type, example->options, NULL, NULL, 0));
            run_checked(model);
            if (complaints) fail_msg("%s %s: %s", (*type)->name, example->options, first.message);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_faults_are_named),
                                       cmocka_unit_test(test_all_layers_keep_their_contract)};
    return cmocka_run_group_tests_name("model_debug", tests, set_up, tear_down);
}

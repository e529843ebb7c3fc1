/* The graph of a model, its flat vectors and its memory. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"
#include "nn/slab_internal.h"
#include "support/nets.h"
#include "support/types.h"

enum { ROWS = 6, LANES = 4 };

static ls_pool *pool;

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

static const ls_limits limits = {.max_rows = ROWS, .threads = 2, .lanes = LANES};

static ls_model *autoencoder(void) {
    ls_model *model = new_model((ls_shape){3, {8, 8, 1}});
    add_layer(model, "conv2d", "filters=4 kernel_size=3 padding=same activation=relu", NULL);
    add_layer(model, "max_pooling2d", "", "code");
    add_layer(model, "conv2d", "filters=3 kernel_size=3 padding=same activation=relu", NULL);
    add_layer(model, "up_sampling2d", "", NULL);
    add_layer(model, "conv2d", "filters=1 kernel_size=3 padding=same activation=sigmoid", NULL);
    add_layer(model, "reshape", "target_shape=64", NULL);
    return model;
}

static void set_loss(ls_model *model) {
    ls_shape target = ls_model_output_shape(model);
    expect_ok(ls_model_set_loss(model, type_named(ls_loss_types, "binary_crossentropy"), &target));
}

static void expect_invalid(ls_status status, const char *message) {
    assert_int_equal(status, LS_INVALID);
    if (!strstr(ls_failure_get()->message, message)) {
        fail_msg("'%s' is not in: %s", message, ls_failure_get()->message);
    }
}

static void test_names(void **state) {
    (void)state;
    ls_model *model = autoencoder();
    const ls_layer_type *dense = type_named(ls_layer_types, "dense");
    assert_string_equal(ls_model_layer(model, 0)->name, "conv2d");
    assert_string_equal(ls_model_layer(model, 2)->name, "conv2d_1");
    assert_int_equal(ls_model_find(model, "code"), 1);
    assert_int_equal(ls_model_find(model, "cod"), -1);
    assert_string_equal(ls_model_nearest(model, "cod"), "code");
    expect_invalid(try_layer(model, dense, "units=3", "code", NULL, 0), "taken");
    expect_invalid(try_layer(model, dense, "units=3", "input", NULL, 0), "taken");
    expect_invalid(try_layer(model, dense, "units=3", "a/b", NULL, 0), "letters");
    expect_invalid(try_layer(model, dense, "units=3", "b", (const char *[]){"coda"}, 1), "did you mean 'code'?");
    expect_invalid(try_layer(model, dense, "units=3", "b", (const char *[]){"code", "code"}, 2), "takes 1");
    assert_int_equal(ls_model_layers(model), 6);
    ls_model_destroy(model);
}

static void test_many_layers(void **state) {
    (void)state;
    ls_model *model = new_model((ls_shape){1, {3}});
    for (int i = 0; i < 100; i++) add_layer(model, "dense", "units=3", NULL);
    assert_string_equal(ls_model_layer(model, 99)->name, "dense_99");
    assert_int_equal(ls_model_param_count(model), 1200);
    ls_model_destroy(model);
}

static void test_loss_must_fit(void **state) {
    (void)state;
    const ls_loss_type *cross_entropy = type_named(ls_loss_types, "binary_crossentropy");
    ls_model *model = new_model((ls_shape){1, {6}});
    expect_invalid(ls_model_set_loss(model, cross_entropy, &(ls_shape){1, {6}}), "no layers");
    add_layer(model, "dense", "units=4 activation=relu", "a");
    expect_invalid(ls_model_set_loss(model, cross_entropy, &(ls_shape){1, {6}}), "4 numbers against 6");
    expect_invalid(ls_model_set_loss(model, cross_entropy, &(ls_shape){1, {4}}), "activation: sigmoid");
    expect_ok(try_layer(model, type_named(ls_layer_types, "dense"), "units=6 activation=sigmoid", "b",
                        (const char *[]){"input"}, 1));
    expect_invalid(ls_model_set_loss(model, cross_entropy, &(ls_shape){2, {2, 3}}), "'a' (dense): no later layer");
    ls_model_destroy(model);
}

/* The last layer comes first; arrays start at cache lines and do not overlap. */
static void test_flat_order(void **state) {
    (void)state;
    ls_model *model = autoencoder();
    int64_t end = 0;
    for (int i = ls_model_layers(model) - 1; i >= 0; i--) {
        const ls_layer *layer = ls_model_layer(model, i);
        for (int p = 0; p < layer->params; p++) {
            assert_int_equal(layer->param[p].offset, end);
            end = ls_align_floats(end + ls_shape_count(&layer->param[p].shape));
        }
    }
    assert_int_equal(ls_model_flat_count(model), end);
    assert_int_equal(ls_model_param_count(model), (9 * 4 + 4) + (9 * 4 * 3 + 3) + (9 * 3 + 1));
    ls_model_destroy(model);
}

/* What is not trained stands at the end. */
static void test_flat_order_of_averages(void **state) {
    (void)state;
    ls_model *model = new_model((ls_shape){1, {20}});
    add_layer(model, "batch_normalization", "", NULL);
    add_layer(model, "dense", "units=3", NULL);
    add_layer(model, "batch_normalization", "", NULL);
    const ls_param *first = ls_model_layer(model, 0)->param, *last = ls_model_layer(model, 2)->param;
    assert_int_equal(last[0].offset, 0);
    assert_int_equal(last[1].offset, 16);
    assert_int_equal(ls_model_trained_count(model), first[1].offset + 32);
    assert_int_equal(last[2].offset, ls_model_trained_count(model));
    assert_int_equal(first[3].offset + 32, ls_model_flat_count(model));
    assert_int_equal(ls_model_param_count(model), 40 + 63 + 6);
    assert_int_equal(ls_model_batch_sums(model), 40);
    ls_model_destroy(model);
}

static void test_initial_weights(void **state) {
    (void)state;
    ls_model *model = new_model((ls_shape){1, {300}});
    add_layer(model, "dense", "units=100", NULL);
    add_layer(model, "dense", "units=300", NULL);
    float *weights = calloc((size_t)ls_model_flat_count(model), sizeof(float));
    ls_model_init_weights(model, 3, weights);
    double limit = sqrt(6.0 / 400), sum[2] = {0}, squares = 0;
    const float *kernel[] = {weights + ls_model_layer(model, 0)->param[0].offset,
                             weights + ls_model_layer(model, 1)->param[0].offset};
    for (int i = 0; i < 30000; i++) {
        for (int k = 0; k < 2; k++) sum[k] += (double)kernel[k][i];
        squares += (double)kernel[0][i] * (double)kernel[0][i];
        assert_true(fabs((double)kernel[0][i]) <= limit);
    }
    expect_near(sum[0] / 30000, 0, 0.002); /* five standard deviations */
    expect_near(squares / 30000, limit * limit / 3, 0.0002);
    assert_true(sum[0] != sum[1]);
    for (int i = 0; i < 100; i++) assert_true(weights[ls_model_layer(model, 0)->param[1].offset + i] == 0);
    free(weights);
    ls_model_destroy(model);
}

/* An LSTM: its recurrent kernel has rows of length 1 at right angles, its biases ones for the forget gate. */
static void test_initial_weights_of_lstm(void **state) {
    (void)state;
    enum { UNITS = 20, WIDTH = 4 * UNITS };
    ls_model *model = new_model((ls_shape){2, {3, 2}});
    add_layer(model, "lstm", "units=20", NULL);
    float *weights = calloc((size_t)ls_model_flat_count(model), sizeof(float));
    ls_model_init_weights(model, 3, weights);
    const float *recurrent = weights + ls_model_layer(model, 0)->param[1].offset;
    for (int a = 0; a < UNITS; a++) {
        for (int b = 0; b <= a; b++) {
            double product = 0;
            for (int i = 0; i < WIDTH; i++)
                product += (double)recurrent[a * WIDTH + i] * (double)recurrent[b * WIDTH + i];
            expect_near(product, a == b, 1e-6);
        }
    }
    const float *bias = weights + ls_model_layer(model, 0)->param[2].offset;
    for (int i = 0; i < WIDTH; i++) assert_true(bias[i] == (i / UNITS == 1 ? 1 : 0));
    free(weights);
    ls_model_destroy(model);
}

typedef struct training {
    ls_model *model;
    ls_rows rows;
    ls_pass pass;
    int64_t samples[ROWS];
    float input[ROWS * 64], *weights, *gradients[LANES];
    double row_loss[ROWS];
} training;

static void begin(training *t, int subtrees, const int *subtree_begin) {
    t->model = autoencoder();
    t->rows = make_rows(LANES, (const int64_t[]){2, 0, 3, 1}, subtrees, subtree_begin);
    for (int i = 0; i < ROWS; i++) t->samples[i] = i;
    t->pass = (ls_pass){.pool = pool, .rows = &t->rows, .samples = t->samples, .training = true};
    fill_formula(1, 0, 1, ROWS * 64, t->input);
    set_loss(t->model);
    expect_ok(ls_model_prepare(t->model, &limits, true));
    int64_t flat = ls_model_flat_count(t->model);
    expect_ok(ls_alloc(&t->weights, flat, sizeof(float), "weights"));
    for (int n = 0; n < subtrees; n++) {
        expect_ok(ls_alloc(&t->gradients[n], flat, sizeof(float), "gradients"));
        fill_formula(9, 1, 2, flat, t->gradients[n]);
    }
    ls_model_init_weights(t->model, 1, t->weights);
}

static void run(training *t) {
    ls_model_forward(t->model, &t->pass, t->weights, t->input, -1);
    ls_model_evaluate(t->model, &t->pass, t->weights, t->input, t->row_loss, NULL);
    ls_model_backward(t->model, &t->pass, t->weights, t->input, t->gradients);
}

static void end(training *t) {
    ls_model_destroy(t->model);
    ls_free(t->weights);
    for (int n = 0; n < t->rows.subtrees; n++) ls_free(t->gradients[n]);
}

/* However the lanes are put into subtrees, the sum in the tree is the same; gaps are zero. */
static void test_nodes_add_up_to_the_same_bits(void **state) {
    (void)state;
    static training one, four;
    begin(&one, 1, (const int[]){0, 4});
    begin(&four, 4, (const int[]){0, 1, 2, 3, 4});
    run(&one);
    run(&four);
    float *const *g = four.gradients;
    for (int64_t i = 0; i < ls_model_flat_count(one.model); i++) {
        assert_true(one.gradients[0][i] == (g[0][i] + g[1][i]) + (g[2][i] + g[3][i]));
    }
    for (int64_t i = 27; i < 32; i++) assert_true(one.gradients[0][i] == 0); /* behind the last kernel's 27 numbers */
    end(&one);
    end(&four);
}

/* Passes leave nothing behind: the same pass again gives the same bits, also after a prediction of memory and with more
 * room. */
static void test_passes_repeat(void **state) {
    (void)state;
    static training t;
    begin(&t, 1, (const int[]){0, 4});
    run(&t);
    size_t bytes = (size_t)ls_model_flat_count(t.model) * sizeof(float);
    float *first = malloc(bytes);
    memcpy(first, t.gradients[0], bytes);
    ls_model_memory_bytes(t.model, &(ls_limits){.max_rows = 1000, .threads = 7, .lanes = 9}, false);
    run(&t);
    assert_memory_equal(first, t.gradients[0], bytes);
    expect_ok(ls_model_prepare(t.model, &(ls_limits){.max_rows = 50, .threads = 4, .lanes = LANES}, true));
    run(&t);
    assert_memory_equal(first, t.gradients[0], bytes);
    free(first);
    end(&t);
}

/* The loss gets logits, the user the activation, once; layers up to the code can run alone. */
/* sum |x| and sum x^2 of weights once, of outputs as a mean over samples; to every row's loss the weights' is added. */
static void test_penalties(void **state) {
    (void)state;
    enum { ROWS_HERE = 3, IN = 2 };
    static const char *const options[] = {"units=2 use_bias=false",
                                          "units=2 use_bias=false kernel_regularizer.l1=0.5 "
                                          "kernel_regularizer.l2=0.25 "
                                          "activity_regularizer.l1=2 activity_regularizer.l2=3"};
    float input[ROWS_HERE * IN], weights[64];
    double loss[2][ROWS_HERE], data_loss[ROWS_HERE], of_weights = 0;
    ls_rows rows = ls_rows_single(ROWS_HERE);
    ls_pass pass = {.pool = pool, .rows = &rows};
    fill_formula(1, -1, 1, ROWS_HERE * IN, input);
    ls_model *model[2];
    for (int i = 0; i < 2; i++) {
        model[i] = new_model((ls_shape){1, {IN}});
        add_layer(model[i], "dense", options[i], NULL);
        expect_ok(ls_model_set_loss(model[i], type_named(ls_loss_types, "mean_squared_error"), &(ls_shape){1, {2}}));
        expect_ok(ls_model_prepare(model[i], &(ls_limits){.max_rows = ROWS_HERE, .threads = 2, .lanes = 1}, false));
        ls_model_init_weights(model[i], 5, weights);
        ls_model_forward(model[i], &pass, weights, input, -1);
        ls_model_evaluate(model[i], &pass, weights, input, loss[i], data_loss);
    }
    for (int i = 0; i < 4; i++) of_weights += 0.5 * fabs((double)weights[i]) + 0.25 * pow((double)weights[i], 2);
    const float *y = ls_model_output(model[1], 0);
    for (int row = 0; row < ROWS_HERE; row++) {
        double expected = loss[0][row] + of_weights;
        for (int i = 2 * row; i < 2 * row + 2; i++) expected += 2 * fabs((double)y[i]) + 3 * pow((double)y[i], 2);
        expect_near(loss[1][row], expected, 1e-6);
        assert_true(data_loss[row] == loss[0][row]);
    }
    for (int i = 0; i < 2; i++) ls_model_destroy(model[i]);
}

static void test_penalty_on_logits_is_refused(void **state) {
    (void)state;
    ls_model *model = new_model((ls_shape){1, {3}});
    add_layer(model, "dense", "units=3 activation=sigmoid activity_regularizer.l1=1", "out");
    assert_int_equal(ls_model_set_loss(model, type_named(ls_loss_types, "binary_crossentropy"), &(ls_shape){1, {3}}),
                     LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "activity_regularizer"));
    ls_model_destroy(model);
}

static void test_predict(void **state) {
    (void)state;
    static training t;
    begin(&t, 1, (const int[]){0, 4});
    int last = ls_model_layers(t.model) - 1, code = ls_model_find(t.model, "code");
    float logits[ROWS * 64], codes[ROWS * 64];
    ls_model_forward(t.model, &t.pass, t.weights, t.input, -1);
    memcpy(logits, ls_model_output(t.model, last), sizeof logits);
    memcpy(codes, ls_model_predict(t.model, &t.pass, code), sizeof codes);
    for (int times = 0; times < 2; times++) {
        const float *y = ls_model_predict(t.model, &t.pass, last);
        for (int i = 0; i < ROWS * 64; i++) expect_near((double)y[i], 1 / (1 + exp(-(double)logits[i])), 1e-6);
    }
    expect_ok(ls_model_prepare(t.model, &limits, false));
    t.pass.training = false;
    ls_model_forward(t.model, &t.pass, t.weights, t.input, code);
    assert_memory_equal(codes, ls_model_predict(t.model, &t.pass, code), sizeof codes);
    end(&t);
}

/* Up-sampling, and what takes it, twice; with a layer between them that does nothing, none is absorbed. */
static ls_model *up_sampler(bool apart) {
    ls_model *model = new_model((ls_shape){3, {4, 3, 2}});
    add_layer(model, "conv2d", "filters=3 kernel_size=3 padding=same activation=tanh", NULL);
    add_layer(model, "up_sampling2d", "", "up");
    if (apart) add_layer(model, "activation", "activation=linear", NULL);
    add_layer(model, "conv2d", "filters=4 kernel_size=3 padding=valid activation=tanh", NULL);
    add_layer(model, "up_sampling2d", "size=1,2", NULL);
    add_layer(model, "up_sampling2d", "size=2,3", NULL);
    if (apart) add_layer(model, "activation", "activation=linear", NULL);
    add_layer(model, "conv2d", "filters=1 kernel_size=5 padding=same activation=sigmoid", NULL);
    set_loss(model);
    return model;
}

enum { UP_INPUT = 4 * 3 * 2, UP_OUTPUT = 12 * 24, UP_FLAT = 512 };

static void run_up_sampler(ls_model *model, const float *input, float *y, float *gradient) {
    float target[2 * UP_OUTPUT], weights[UP_FLAT];
    double row_loss[2];
    ls_rows rows = ls_rows_single(2);
    ls_pass pass = {.pool = pool, .rows = &rows, .samples = (const int64_t[]){0, 1}, .training = true};
    assert_true(ls_model_flat_count(model) <= UP_FLAT);
    fill_formula(3, 0, 1, 2 * UP_OUTPUT, target);
    fill_formula(2, -1, 1, ls_model_flat_count(model), weights);
    expect_ok(ls_model_prepare(model, &limits, true));
    ls_model_forward(model, &pass, weights, input, -1);
    memcpy(y, ls_model_output(model, ls_model_layers(model) - 1), 2 * UP_OUTPUT * sizeof *y);
    ls_model_evaluate(model, &pass, weights, target, row_loss, NULL);
    ls_model_backward(model, &pass, weights, input, &gradient);
}

static void test_up_sampling_is_absorbed(void **state) {
    (void)state;
    float input[2 * UP_INPUT], y[2][2 * UP_OUTPUT], gradient[2][UP_FLAT] = {{0}};
    fill_formula(1, 0, 1, 2 * UP_INPUT, input);
    ls_model *model[] = {up_sampler(false), up_sampler(true)};
    for (int i = 0; i < 2; i++) run_up_sampler(model[i], input, y[i], gradient[i]);
    for (int i = 0; i < 2 * UP_OUTPUT; i++) expect_near((double)y[0][i], (double)y[1][i], 1e-5);
    for (int i = 0; i < UP_FLAT; i++) expect_near((double)gradient[0][i], (double)gradient[1][i], 1e-4);
    assert_true(ls_model_memory_bytes(model[0], &limits, true) < ls_model_memory_bytes(model[1], &limits, true) / 2);
    for (int i = 0; i < 2; i++) ls_model_destroy(model[i]);
}

/* small: [h][w][channels]; large: that, by nearest up-sampling. */
static void expect_repeated(const float *small, int h, int w, int channels, int up_h, int up_w, const float *large) {
    for (int row = 0; row < h * up_h; row++)
        for (int column = 0; column < w * up_w; column++)
            assert_memory_equal(large + (row * w * up_w + column) * channels,
                                small + (row / up_h * w + column / up_w) * channels, (size_t)channels * sizeof(float));
}

/* Absorbed layers still have an output for those who ask for it, but nothing can begin there. */
static void test_output_of_an_absorbed_layer(void **state) {
    (void)state;
    float input[UP_INPUT], weights[UP_FLAT];
    ls_rows rows = ls_rows_single(1);
    ls_pass pass = {.pool = pool, .rows = &rows, .samples = (const int64_t[]){0}};
    ls_model *model = up_sampler(false);
    int up = ls_model_find(model, "up"), two = ls_model_find(model, "up_sampling2d_1");
    fill_formula(1, 0, 1, UP_INPUT, input);
    fill_formula(2, -1, 1, ls_model_flat_count(model), weights);
    expect_ok(ls_model_prepare(model, &limits, false));
    ls_model_forward(model, &pass, weights, input, up);
    expect_repeated(ls_model_output(model, up - 1), 4, 3, 3, 2, 2, ls_model_predict(model, &pass, up));
    ls_model_forward(model, &pass, weights, input, two);
    expect_repeated(ls_model_output(model, up + 1), 6, 4, 4, 2, 6, ls_model_output(model, two));
    expect_invalid(ls_model_check_cut(model, up), "'up', which is part of what comes after it");
    expect_ok(ls_model_check_cut(model, up - 1));
    ls_model_destroy(model);
}

/* And in training the one that is shown, at no cost to the rest. */
static void test_output_of_a_shown_layer(void **state) {
    (void)state;
    float input[2 * UP_INPUT], weights[UP_FLAT], y[2][2 * UP_OUTPUT], gradient[2][UP_FLAT] = {{0}};
    ls_rows rows = ls_rows_single(1);
    ls_pass pass = {.pool = pool, .rows = &rows, .samples = (const int64_t[]){0}};
    fill_formula(1, 0, 1, 2 * UP_INPUT, input);
    fill_formula(2, -1, 1, UP_FLAT, weights);
    ls_model *model[] = {up_sampler(false), up_sampler(false)};
    int two = ls_model_find(model[1], "up_sampling2d_1");
    ls_model_show(model[1], two);
    for (int i = 0; i < 2; i++) run_up_sampler(model[i], input, y[i], gradient[i]);
    assert_memory_equal(y[0], y[1], sizeof y[0]);
    assert_memory_equal(gradient[0], gradient[1], sizeof gradient[0]);
    ls_model_forward(model[1], &pass, weights, input, two);
    expect_repeated(ls_model_output(model[1], two - 2), 6, 4, 4, 2, 6, ls_model_predict(model[1], &pass, two));
    for (int i = 0; i < 2; i++) ls_model_destroy(model[i]);
}

static void test_views_of_the_input(void **state) {
    (void)state;
    ls_model *model = new_model((ls_shape){3, {2, 2, 1}});
    add_layer(model, "flatten", "", NULL);
    add_layer(model, "reshape", "target_shape=2,2", NULL);
    expect_ok(ls_model_prepare(model, &limits, false));
    ls_rows rows = ls_rows_single(1);
    float input[4] = {1, 2, 3, 4};
    ls_model_forward(model, &(ls_pass){.pool = pool, .rows = &rows}, NULL, input, -1);
    assert_ptr_equal(ls_model_output(model, 1), input);
    ls_model_destroy(model);
}

/* Gradients lie where outputs are done with: training takes less than twice the outputs, yet all of them. */
static void test_memory(void **state) {
    (void)state;
    ls_model *model = new_model((ls_shape){1, {1024}});
    for (int i = 0; i < 10; i++) add_layer(model, "activation", "activation=tanh", NULL);
    add_layer(model, "dense", "units=1024 activation=sigmoid", NULL);
    for (int i = 0; i < 10; i++) add_layer(model, "activation", "activation=tanh", NULL);
    ls_shape target = ls_model_output_shape(model);
    expect_ok(ls_model_set_loss(model, type_named(ls_loss_types, "mean_squared_error"), &target));
    ls_limits one = {.max_rows = 1, .threads = 1, .lanes = 1}, hundred = {.max_rows = 101, .threads = 1, .lanes = 1};
    int64_t outputs = ls_model_memory_bytes(model, &hundred, false) - ls_model_memory_bytes(model, &one, false);
    int64_t all = ls_model_memory_bytes(model, &hundred, true) - ls_model_memory_bytes(model, &one, true);
    assert_true(outputs >= 21 * 1024 * 100 * 4);
    assert_true(all >= outputs &&
                all <= outputs + 3 * 1024 * 100 * 4); /* the first gradients have no output to replace */
    ls_model_destroy(model);
}

/* Pieces of random sizes and times: none that are needed at the same moment overlap, and little is wasted. */
/* 2^35 x 2^29 weights are 0 of them in 64 bits. */
static void test_layers_too_large_to_count(void **state) {
    (void)state;
    ls_model *model = new_model((ls_shape){1, {INT64_C(1) << 35}});
    expect_invalid(try_layer(model, type_named(ls_layer_types, "dense"), "units=536870912", NULL, NULL, 0), "numbers");
    ls_model_destroy(model);
    model = new_model((ls_shape){3, {1 << 15, 1 << 15, 1 << 10}});
    expect_invalid(try_layer(model, type_named(ls_layer_types, "conv2d"),
                             "filters=1000000 kernel_size=10000 padding=same", NULL, NULL, 0),
                   "numbers");
    ls_model_destroy(model);
}

static void test_batches_too_large_to_count(void **state) {
    (void)state;
    ls_model *model = new_model((ls_shape){3, {1000, 1000, 1}});
    add_layer(model, "up_sampling2d", "size=1000", NULL);
    const ls_limits large = {.max_rows = 1000000000, .threads = 2, .lanes = 8};
    assert_true(ls_model_memory_bytes(model, &large, false) >= INT64_C(1) << 50);
    assert_int_equal(ls_model_prepare(model, &large, false), LS_ERROR);
    assert_non_null(strstr(ls_failure_get()->message, "cannot allocate"));
    ls_model_destroy(model);
}

static void test_slab(void **state) {
    (void)state;
    enum { BUFFERS = 60, MOMENTS = 40 };
    ls_rng rng = ls_rng_stream(1, LS_RNG_TEST, 0, 0);
    ls_buffer buffers[BUFFERS];
    ls_slab slab = {0};
    int64_t needed[MOMENTS] = {0}, most = 0;
    for (int i = 0; i < BUFFERS; i++) {
        int first = (int)ls_rng_below(&rng, (uint64_t)(3 * i), MOMENTS);
        int last = first + (int)ls_rng_below(&rng, (uint64_t)(3 * i + 1), (uint64_t)(MOMENTS - first));
        ls_slab_add(&slab, &buffers[i], 1 + (int64_t)ls_rng_below(&rng, (uint64_t)(3 * i + 2), 1000), first, last);
        for (int m = first; m <= last; m++) needed[m] += buffers[i].floats;
    }
    for (int m = 0; m < MOMENTS; m++) most = needed[m] > most ? needed[m] : most;
    int64_t floats = ls_slab_layout(&slab);
    assert_true(floats >= most && floats <= most + most / 4);
    for (int i = 0; i < BUFFERS; i++) {
        const ls_buffer *a = &buffers[i];
        assert_true(a->offset >= 0 && a->offset + a->floats <= floats && a->offset % 16 == 0);
        for (int j = 0; j < i; j++) {
            const ls_buffer *b = &buffers[j];
            if (a->first > b->last || b->first > a->last) continue;
            assert_true(a->offset >= b->offset + b->floats || b->offset >= a->offset + a->floats);
        }
    }
}

/* From any layer's output the rest of the model gives the same bits as from the input; with the activation that a loss
 * on logits leaves out. */
static void test_layers_after_a_cut(void **state) {
    (void)state;
    ls_model *model = autoencoder();
    set_loss(model);
    float *weights = calloc((size_t)ls_model_flat_count(model), sizeof *weights);
    float input[ROWS * 64], whole[ROWS * 64], part[ROWS * 8 * 8 * 4];
    ls_rows rows = ls_rows_single(ROWS);
    ls_pass pass = {.pool = pool, .rows = &rows};
    int last = ls_model_layers(model) - 1;
    ls_model_init_weights(model, 1, weights);
    fill_formula(1, 0, 1, ROWS * 64, input);
    expect_ok(ls_model_prepare(model, &limits, false));
    ls_model_forward(model, &pass, weights, input, -1);
    memcpy(whole, ls_model_predict(model, &pass, last), sizeof whole);
    for (int cut = 0; cut < last; cut++) {
        if (cut == ls_model_find(model, "up_sampling2d")) continue; /* absorbed */
        int64_t count = ROWS * ls_shape_count(&ls_model_layer(model, cut)->out);
        expect_ok(ls_model_check_cut(model, cut));
        ls_model_forward(model, &pass, weights, input, cut);
        memcpy(part, ls_model_predict(model, &pass, cut), (size_t)count * sizeof *part);
        ls_model_forward_after(model, &pass, weights, cut, part);
        assert_memory_equal(ls_model_predict(model, &pass, last), whole, sizeof whole);
    }
    expect_invalid(ls_model_check_cut(model, last), "'reshape' is the last one");
    ls_model_destroy(model);
    free(weights);
}

static void test_cuts_that_a_connection_crosses(void **state) {
    (void)state;
    const ls_layer_type *add = type_named(ls_layer_types, "add");
    ls_model *model = new_model((ls_shape){1, {4}});
    add_layer(model, "dense", "units=4", "wide");
    add_layer(model, "reshape", "target_shape=2,2", "view");
    add_layer(model, "flatten", "", NULL);
    expect_ok(try_layer(model, add, "", "sum", (const char *[]){"wide", "flatten"}, 2));
    expect_ok(try_layer(model, add, "", NULL, (const char *[]){"sum", "input"}, 2));
    expect_invalid(ls_model_check_cut(model, 1), "layer 'add' (add) takes the output of 'input'");
    ls_model_destroy(model);
    model = new_model((ls_shape){1, {4}});
    add_layer(model, "dense", "units=4", "wide");
    add_layer(model, "reshape", "target_shape=4", "view");
    expect_ok(try_layer(model, add, "", "sum", (const char *[]){"wide", "view"}, 2));
    expect_ok(ls_model_check_cut(model, 0));
    expect_ok(ls_model_check_cut(model, 1)); /* another view of the same numbers */
    add_layer(model, "dense", "units=4", "dense");
    expect_ok(try_layer(model, add, "", "end", (const char *[]){"wide", "dense"}, 2));
    expect_invalid(ls_model_check_cut(model, 2), "layer 'end' (add) takes the output of 'wide'");
    ls_model_destroy(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_many_layers),
        cmocka_unit_test(test_loss_must_fit),
        cmocka_unit_test(test_flat_order),
        cmocka_unit_test(test_flat_order_of_averages),
        cmocka_unit_test(test_initial_weights),
        cmocka_unit_test(test_initial_weights_of_lstm),
        cmocka_unit_test(test_nodes_add_up_to_the_same_bits),
        cmocka_unit_test(test_passes_repeat),
        cmocka_unit_test(test_penalties),
        cmocka_unit_test(test_penalty_on_logits_is_refused),
        cmocka_unit_test(test_predict),
        cmocka_unit_test(test_up_sampling_is_absorbed),
        cmocka_unit_test(test_output_of_an_absorbed_layer),
        cmocka_unit_test(test_output_of_a_shown_layer),
        cmocka_unit_test(test_views_of_the_input),
        cmocka_unit_test(test_layers_after_a_cut),
        cmocka_unit_test(test_cuts_that_a_connection_crosses),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_layers_too_large_to_count),
        cmocka_unit_test(test_batches_too_large_to_count),
        cmocka_unit_test(test_slab),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* What every layer promises, over the table; and each one's own arithmetic of shapes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/layer_bench.h"
#include "support/nets.h"
#include "support/types.h"

static ls_pool *pools[2]; /* of one and two threads */

static int set_up(void **state) {
    (void)state;
    pools[0] = start_pool(1);
    pools[1] = start_pool(2);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    ls_pool_destroy(pools[0]);
    ls_pool_destroy(pools[1]);
    return 0;
}

typedef void (*example_fn)(const ls_layer_type *type, const ls_layer_example *example);

static void for_each_example(example_fn check) {
    for (const ls_layer_type *const *type = ls_layer_types; *type; type++) {
        if (!(*type)->forward) continue; /* a view */
        for (const ls_layer_example *example = (*type)->examples; example->options; example++) check(*type, example);
    }
}

static void open_example(layer_bench *bench, int threads, const ls_layer_type *type, const ls_layer_example *example,
                         const ls_rows *rows) {
    layer_bench_open(bench, pools[threads - 1], type->name, example->options, example->in, rows);
}

static void run(layer_bench *bench) {
    layer_bench_forward(bench);
    layer_bench_backward(bench);
}

static void expect_finite(const char *layer, const char *what, int64_t count, const float *x) {
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(x[i])) fail_msg("%s: %s[%lld] was not written", layer, what, (long long)i);
    }
}

static void check_writes_all(const ls_layer_type *type, const ls_layer_example *example) {
    ls_rows rows = make_rows(4, (const int64_t[]){2, 0, 1, 2}, 2, (const int[]){0, 2, 4});
    layer_bench bench;
    open_example(&bench, 2, type, example, &rows);
    run(&bench);
    expect_finite(type->name, "y", rows.count * bench.out_count, bench.y);
    for (int k = 0; k < bench.layer.inputs; k++)
        expect_finite(type->name, "dx", rows.count * bench.in_count[k], bench.dx[k]);
    for (int p = 0; p < bench.layer.params; p++) {
        for (int n = 0; n < rows.subtrees; n++) {
            expect_finite(type->name, bench.layer.param[p].name, bench.param_count[p], bench.dparam[p][n]);
        }
    }
    layer_bench_close(&bench);
}

static void test_everything_is_written(void **state) {
    (void)state;
    for_each_example(check_writes_all);
}

/* A row alone gives the same bits as among others; but for what depends on the whole batch, in training. */
static void check_rows_alone(const ls_layer_type *type, const ls_layer_example *example) {
    ls_rows together = ls_rows_single(5), alone = ls_rows_single(1);
    layer_bench all, one;
    alone.global_count = together.count;
    open_example(&all, 2, type, example, &together);
    run(&all);
    for (int64_t row = 0; row < together.count && all.layer.batch_sums == 0; row++) {
        open_example(&one, 1, type, example, &alone);
        for (int k = 0; k < all.layer.inputs; k++)
            memcpy(one.x[k], all.x[k] + row * all.in_count[k], (size_t)all.in_count[k] * sizeof(float));
        fill_formula(2, -1, 1, together.count * all.out_count, all.dy);
        memcpy(one.dy, all.dy + row * all.out_count, (size_t)all.out_count * sizeof(float));
        one.samples[0] = row;
        run(&one);
        assert_memory_equal(one.y, all.y + row * all.out_count, (size_t)all.out_count * sizeof(float));
        for (int k = 0; k < all.layer.inputs; k++)
            assert_memory_equal(one.dx[k], all.dx[k] + row * all.in_count[k], (size_t)all.in_count[k] * sizeof(float));
        layer_bench_close(&one);
    }
    layer_bench_close(&all);
}

static void test_rows_do_not_know_each_other(void **state) {
    (void)state;
    for_each_example(check_rows_alone);
}

/* One subtree of four lanes, two of two and four of one: the same sums once they are added in the tree. */
static void check_subtrees(const ls_layer_type *type, const ls_layer_example *example) {
    static const int64_t lane_rows[] = {2, 1, 0, 3};
    ls_rows one = make_rows(4, lane_rows, 1, (const int[]){0, 4});
    ls_rows two = make_rows(4, lane_rows, 2, (const int[]){0, 2, 4});
    ls_rows four = make_rows(4, lane_rows, 4, (const int[]){0, 1, 2, 3, 4});
    layer_bench a, b, c;
    open_example(&a, 1, type, example, &one);
    open_example(&b, 2, type, example, &two);
    open_example(&c, 2, type, example, &four);
    run(&a);
    run(&b);
    run(&c);
    for (int p = 0; p < a.layer.params; p++) {
        for (int64_t i = 0; i < a.param_count[p]; i++) {
            float pairs = b.dparam[p][0][i] + b.dparam[p][1][i];
            float lanes = (c.dparam[p][0][i] + c.dparam[p][1][i]) + (c.dparam[p][2][i] + c.dparam[p][3][i]);
            if (a.dparam[p][0][i] != pairs || pairs != lanes) {
                fail_msg("%s '%s' %s[%lld]: %.9g, %.9g, %.9g", type->name, example->options, a.layer.param[p].name,
                         (long long)i, (double)a.dparam[p][0][i], (double)pairs, (double)lanes);
            }
        }
    }
    layer_bench_close(&a);
    layer_bench_close(&b);
    layer_bench_close(&c);
}

static void test_subtrees_add_up_to_the_same_bits(void **state) {
    (void)state;
    for_each_example(check_subtrees);
}

static void check_no_rows(const ls_layer_type *type, const ls_layer_example *example) {
    ls_rows rows = make_rows(2, (const int64_t[]){0, 0}, 1, (const int[]){0, 2});
    layer_bench bench;
    rows.global_count = 3; /* another rank has them */
    open_example(&bench, 2, type, example, &rows);
    run(&bench);
    for (int p = 0; p < bench.layer.params && !bench.layer.param[p].moving; p++) {
        for (int64_t i = 0; i < bench.param_count[p]; i++) assert_true(bench.dparam[p][0][i] == 0);
    }
    layer_bench_close(&bench);
}

static void test_no_rows_give_zero_gradients(void **state) {
    (void)state;
    for_each_example(check_no_rows);
}

static void test_shapes(void **state) {
    (void)state;
    static const struct {
        const char *type, *options;
        ls_shape in, out;
        int64_t params;
    } cases[] = {
        {"dense", "units=32", {1, {784}}, {1, {32}}, 784 * 32 + 32},
        {"dense", "units=5", {2, {28, 3}}, {2, {28, 5}}, 3 * 5 + 5},
        {"conv2d", "filters=16 kernel_size=3 strides=3 padding=same", {3, {28, 28, 1}}, {3, {10, 10, 16}}, 160},
        {"conv2d", "filters=4 kernel_size=2,3 strides=2,1", {3, {7, 7, 2}}, {3, {3, 5, 4}}, 2 * 3 * 2 * 4 + 4},
        {"conv2d", "filters=4 kernel_size=1 use_bias=false", {3, {7, 7, 2}}, {3, {7, 7, 4}}, 8},
        {"conv2d_transpose", "filters=3 kernel_size=3 strides=2 padding=same", {3, {7, 8, 2}}, {3, {14, 16, 3}}, 57},
        {"conv2d_transpose", "filters=3 kernel_size=3,1 strides=2", {3, {7, 8, 2}}, {3, {15, 16, 3}}, 21},
        {"resizing", "height=28 width=5", {3, {30, 30, 2}}, {3, {28, 5, 2}}, 0},
        {"repeat_vector", "n=28", {1, {64}}, {2, {28, 64}}, 0},
        {"lstm", "units=64", {2, {28, 28}}, {1, {64}}, 4 * 64 * (28 + 64 + 1)},
        {"lstm", "units=64 return_sequences=true", {2, {28, 28}}, {2, {28, 64}}, 4 * 64 * (28 + 64 + 1)},
        {"batch_normalization", "", {3, {7, 8, 2}}, {3, {7, 8, 2}}, 4}, /* the averages are not trained */
        {"contractive_dense", "units=3 weight=1", {1, {7}}, {1, {3}}, 24},
        {"kl_sparsity", "rho=0.1", {1, {7}}, {1, {7}}, 0},
        {"max_pooling2d", "", {3, {7, 8, 2}}, {3, {3, 4, 2}}, 0},
        {"max_pooling2d", "padding=same", {3, {7, 8, 2}}, {3, {4, 4, 2}}, 0},
        {"max_pooling2d", "pool_size=3 strides=1", {3, {7, 8, 2}}, {3, {5, 6, 2}}, 0},
        {"up_sampling2d", "size=2,3", {3, {4, 5, 2}}, {3, {8, 15, 2}}, 0},
        {"flatten", "", {3, {4, 5, 2}}, {1, {40}}, 0},
        {"reshape", "target_shape=-1,5", {3, {4, 5, 2}}, {2, {8, 5}}, 0},
        {"activation", "activation=tanh", {3, {4, 5, 2}}, {3, {4, 5, 2}}, 0},
        {"dropout", "rate=0.5", {2, {4, 5}}, {2, {4, 5}}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_model *model = new_model(cases[i].in);
        add_layer(model, cases[i].type, cases[i].options, NULL);
        ls_shape out = ls_model_output_shape(model);
        assert_true(ls_shape_equal(&out, &cases[i].out));
        assert_int_equal(ls_model_param_count(model), cases[i].params);
        ls_model_destroy(model);
    }
}

static void test_impossible_shapes(void **state) {
    (void)state;
    static const struct {
        const char *type, *options;
        ls_shape in;
        const char *message;
    } cases[] = {
        {"conv2d", "filters=2 kernel_size=3", {1, {784}}, "height x width x channels"},
        {"conv2d", "filters=2 kernel_size=3", {3, {2, 9, 1}}, "padding: same"},
        {"max_pooling2d", "pool_size=3", {3, {9, 2, 1}}, "padding: same"},
        {"up_sampling2d", "", {2, {9, 2}}, "height x width x channels"},
        {"conv2d_transpose", "filters=2 kernel_size=3", {1, {784}}, "height x width x channels"},
        {"resizing", "height=2 width=3", {1, {784}}, "height x width x channels"},
        {"repeat_vector", "n=2", {2, {3, 4}}, "vectors"},
        {"lstm", "units=2", {1, {12}}, "sequences"},
        {"contractive_dense", "units=2 weight=1", {2, {3, 4}}, "vectors"},
        {"reshape", "target_shape=5,-1", {1, {12}}, "12 numbers"},
        {"reshape", "target_shape=5,3", {1, {12}}, "12 numbers"},
        {"reshape", "target_shape=0,12", {1, {12}}, "dimension of 0"},
        {"reshape", "target_shape=-1,-1", {1, {12}}, "more than one -1"},
        {"dense", "units=1000000000", {1, {1000000}}, "more than"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_model *model = new_model(cases[i].in);
        const ls_layer_type *type = type_named(ls_layer_types, cases[i].type);
        assert_int_equal(try_layer(model, type, cases[i].options, "middle", NULL, 0), LS_INVALID);
        assert_non_null(strstr(ls_failure_get()->message, cases[i].message));
        assert_non_null(strstr(ls_failure_get()->message, "middle"));
        assert_int_equal(ls_model_layers(model), 0);
        ls_model_destroy(model);
    }
}

static void test_inputs_that_do_not_fit(void **state) {
    (void)state;
    ls_model *model = new_model((ls_shape){2, {4, 3}});
    add_layer(model, "dense", "units=5", "five");
    assert_int_equal(
        try_layer(model, type_named(ls_layer_types, "add"), "", NULL, (const char *[]){"input", "five"}, 2),
        LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "input 2 is 4 x 5"));
    add_layer(model, "flatten", "", "flat");
    assert_int_equal(
        try_layer(model, type_named(ls_layer_types, "concatenate"), "", NULL, (const char *[]){"five", "flat"}, 2),
        LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "input 2 is 20"));
    assert_int_equal(try_layer(model, type_named(ls_layer_types, "add"), "", NULL, NULL, 0), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "takes 2 to 4 inputs"));
    ls_model_destroy(model);
}

static int64_t zeros(int64_t count, const float *x) {
    int64_t found = 0;
    for (int64_t i = 0; i < count; i++) found += x[i] == 0;
    return found;
}

static void test_dropout(void **state) {
    (void)state;
    enum { WIDTH = 20000 };
    ls_rows rows = ls_rows_single(2);
    layer_bench bench, other;
    layer_bench_open(&bench, pools[1], "dropout", "rate=0.25", (const ls_shape[LS_INPUTS_MAX]){{1, {WIDTH}}}, &rows);
    run(&bench);
    int64_t dropped = zeros(WIDTH, bench.y);
    assert_in_range(dropped, WIDTH / 4 - 300, WIDTH / 4 + 300); /* five standard deviations */
    for (int64_t i = 0; i < 2 * WIDTH; i++) {
        float scale = bench.y[i] == 0 ? 0 : 1 / 0.75F;
        expect_near((double)bench.y[i], (double)(bench.x[0][i] * scale), 1e-6);
        expect_near((double)bench.dx[0][i], (double)(bench.dy[i] * scale), 1e-6);
    }
    /* The mask belongs to the sample, not to the row; to the layer and to the epoch. */
    layer_bench_open(&other, pools[0], "dropout", "rate=0.25", (const ls_shape[LS_INPUTS_MAX]){{1, {WIDTH}}}, &rows);
    memcpy(other.x[0], bench.x[0], 2 * WIDTH * sizeof(float));
    memcpy(other.x[0], bench.x[0] + WIDTH, WIDTH * sizeof(float));
    other.samples[0] = 1;
    layer_bench_forward(&other);
    assert_memory_equal(other.y, bench.y + WIDTH, WIDTH * sizeof(float));
    other.pass.epoch = 1;
    layer_bench_forward(&other);
    assert_memory_not_equal(other.y, bench.y + WIDTH, WIDTH * sizeof(float));
    other.pass.epoch = 0;
    other.io.index = 1;
    layer_bench_forward(&other);
    assert_memory_not_equal(other.y, bench.y + WIDTH, WIDTH * sizeof(float));
    other.pass.training = false;
    layer_bench_forward(&other);
    assert_memory_equal(other.y, other.x[0], 2 * WIDTH * sizeof(float));
    layer_bench_close(&bench);
    layer_bench_close(&other);
}

/* In training by the moments of the batch, and the averages move towards them in the subtree of the run's first lane;
 * else by the averages. */
static void test_batch_normalization(void **state) {
    (void)state;
    ls_rows rows = make_rows(2, (const int64_t[]){3, 1}, 2, (const int[]){0, 1, 2});
    layer_bench bench;
    layer_bench_open(&bench, pools[1], "batch_normalization", "momentum=0.75 epsilon=0.001",
                     (const ls_shape[LS_INPUTS_MAX]){{1, {1}}}, &rows);
    enum { GAMMA, BETA, MEAN, VARIANCE };
    memcpy(bench.x[0], (const float[]){1, 2, 3, 6}, 4 * sizeof(float)); /* mean 3, variance 3.5 */
    bench.param[GAMMA][0] = 2, bench.param[BETA][0] = 5, bench.param[MEAN][0] = 1, bench.param[VARIANCE][0] = 1.5F;
    run(&bench);
    for (int row = 0; row < 4; row++)
        expect_near((double)bench.y[row], 5 + 2 * ((double)bench.x[0][row] - 3) / sqrt(3.501), 1e-5);
    expect_near((double)bench.dparam[MEAN][0][0], 0.25 * (3 - 1), 1e-6);
    expect_near((double)bench.dparam[VARIANCE][0][0], 0.25 * (3.5 - 1.5), 1e-6);
    assert_true(bench.dparam[MEAN][1][0] == 0 && bench.dparam[VARIANCE][1][0] == 0);
    bench.rows.first_lane = 2; /* of another rank */
    run(&bench);
    assert_true(bench.dparam[MEAN][0][0] == 0 && bench.dparam[VARIANCE][0][0] == 0);
    bench.pass.training = false;
    layer_bench_forward(&bench);
    for (int row = 0; row < 4; row++)
        expect_near((double)bench.y[row], 5 + 2 * ((double)bench.x[0][row] - 1) / sqrt(1.501), 1e-5);
    layer_bench_close(&bench);
}

/* Mean and deviation of many codes; the mean alone outside of training; the penalty is that from N(0, 1). */
static void test_gaussian_sampling(void **state) {
    (void)state;
    enum { WIDTH = 20000 };
    ls_rows rows = ls_rows_single(1);
    layer_bench bench;
    layer_bench_open(&bench, pools[1], "gaussian_sampling", "kl_weight=0.5",
                     (const ls_shape[LS_INPUTS_MAX]){{1, {WIDTH}}, {1, {WIDTH}}}, &rows);
    for (int i = 0; i < WIDTH; i++) bench.x[0][i] = 3, bench.x[1][i] = (float)log(4);
    layer_bench_forward(&bench);
    double sum = 0, square = 0;
    for (int i = 0; i < WIDTH; i++) sum += (double)bench.y[i], square += pow((double)bench.y[i] - 3, 2);
    expect_near(sum / WIDTH, 3, 0.07);
    expect_near(square / WIDTH, 4, 0.2);
    expect_near(bench.penalty[0], 0.5 * WIDTH * 0.5 * (9 + 4 - 1 - log(4)), 0.1);
    bench.pass.training = false;
    layer_bench_forward(&bench);
    assert_memory_equal(bench.y, bench.x[0], WIDTH * sizeof(float));
    layer_bench_close(&bench);
}

static void test_table(void **state) {
    (void)state;
    for (const ls_layer_type *const *type = ls_layer_types; *type; type++) {
        assert_ptr_equal(type_named(ls_layer_types, (*type)->name), *type); /* names are unique */
        assert_non_null((*type)->help);
        assert_non_null((*type)->examples[0].options);
        assert_true(!(*type)->forward == !(*type)->backward);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_impossible_shapes),
        cmocka_unit_test(test_inputs_that_do_not_fit),
        cmocka_unit_test(test_everything_is_written),
        cmocka_unit_test(test_rows_do_not_know_each_other),
        cmocka_unit_test(test_subtrees_add_up_to_the_same_bits),
        cmocka_unit_test(test_no_rows_give_zero_gradients),
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_batch_normalization),
        cmocka_unit_test(test_gaussian_sampling),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

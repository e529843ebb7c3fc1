/* Every layer of the table, by its examples, against central differences; with both losses, rows uneven over lanes, and
 * lanes without rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/gradcheck.h"
#include "support/nets.h"
#include "support/types.h"

static const double tolerance = 3e-3;

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

/* 7 rows in 6 lanes, of which two have none, and in three subtrees. */
static ls_rows uneven_rows(void) {
    return make_rows(6, (const int64_t[]){1, 0, 3, 1, 2, 0}, 3, (const int[]){0, 1, 2, 6});
}

static double worst_error(ls_model *model, const char *loss, const ls_rows *rows) {
    ls_shape target = ls_model_output_shape(model);
    expect_ok(ls_model_set_loss(model, type_named(ls_loss_types, loss), &target));
    expect_ok(ls_model_prepare(model, &(ls_limits){.max_rows = rows->count, .threads = 2, .lanes = rows->lanes}, true));
    double worst;
    expect_ok(ls_gradient_check(model, pool, rows, 8, &worst));
    ls_model_destroy(model);
    return worst;
}

static void add_values(char *options, size_t capacity, const ls_shape *shape) {
    int length = snprintf(options, capacity, "target_shape=");
    for (int i = 0; i < shape->dims; i++) {
        length +=
            snprintf(options + length, capacity - (size_t)length, "%s%lld", i ? "," : "", (long long)shape->dim[i]);
    }
}

/* Something with weights before each input of the layer, so that its gradient counts too: a dense layer that mixes all
 * numbers of a sample. */
static ls_model *example_model(const ls_layer_type *type, const ls_layer_example *example) {
    static const char *const names[LS_INPUTS_MAX] = {"a", "b", "c", "d"};
    char options[128];
    int inputs = 0;
    ls_model *model = new_model(example->in[0]);
    add_layer(model, "flatten", "", "numbers");
    for (; inputs < LS_INPUTS_MAX && example->in[inputs].dims; inputs++) {
        snprintf(options, sizeof options, "units=%lld", (long long)ls_shape_count(&example->in[inputs]));
        expect_ok(try_layer(model, type_named(ls_layer_types, "dense"), options, NULL, (const char *[]){"numbers"}, 1));
        add_values(options, sizeof options, &example->in[inputs]);
        add_layer(model, "reshape", options, names[inputs]);
    }
    expect_ok(try_layer(model, type, example->options, "example", names, inputs));
    return model;
}

static void check_examples(const char *loss, const char *last) {
    ls_rows rows = uneven_rows();
    for (const ls_layer_type *const *type = ls_layer_types; *type; type++) {
        for (const ls_layer_example *example = (*type)->examples; example->options; example++) {
            ls_model *model = example_model(*type, example);
            add_layer(model, "activation", last, NULL);
            double worst = worst_error(model, loss, &rows);
            if (!(worst < tolerance)) fail_msg("%s '%s': error %g", (*type)->name, example->options, worst);
        }
    }
}

static void test_examples_mean_squared_error(void **state) {
    (void)state;
    check_examples("mean_squared_error", "activation=linear");
}

static void test_examples_binary_crossentropy(void **state) {
    (void)state;
    check_examples("binary_crossentropy", "activation=sigmoid");
}

static void test_classifier(void **state) {
    (void)state;
    ls_rows rows = uneven_rows();
    ls_model *model = new_model((ls_shape){1, {6}});
    add_layer(model, "dense", "units=5 activation=tanh", NULL);
    add_layer(model, "dense", "units=4 activation=softmax", NULL);
    double worst = worst_error(model, "categorical_crossentropy", &rows);
    if (!(worst < tolerance)) fail_msg("error %g", worst);
}

static void test_autoencoder(void **state) {
    (void)state;
    ls_rows rows = uneven_rows();
    ls_model *model = new_model((ls_shape){3, {6, 6, 1}});
    add_layer(model, "conv2d", "filters=3 kernel_size=3 padding=same activation=tanh", NULL);
    add_layer(model, "max_pooling2d", "", NULL);
    add_layer(model, "conv2d", "filters=2 kernel_size=3 padding=same activation=relu", NULL);
    add_layer(model, "dropout", "rate=0.2", NULL);
    add_layer(model, "up_sampling2d", "", NULL);
    add_layer(model, "conv2d", "filters=1 kernel_size=3 padding=same activation=sigmoid", NULL);
    add_layer(model, "flatten", "", NULL);
    double worst = worst_error(model, "binary_crossentropy", &rows);
    if (!(worst < tolerance)) fail_msg("error %g", worst);
}

/* A layer type of the test's own: y = a + 2 b, in two takes, with a mistake if asked for. */
typedef struct mix_options {
    bool wrong;
} mix_options;

static const ls_option mix_table[] = {
    {"wrong", LS_OPTION_BOOL, offsetof(mix_options, wrong), .preset = "false", .help = "a wrong gradient"},
    LS_OPTIONS_END};

static ls_status mix_prepare(ls_layer *layer, const ls_limits *limits) {
    (void)limits;
    layer->out = layer->in[0];
    return LS_OK;
}

static int64_t mix_count(const ls_layer *layer, const ls_pass *pass) {
    return pass->rows->count * ls_shape_count(&layer->out);
}

static void mix_forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    for (int64_t i = 0; i < mix_count(layer, pass); i++) io->y[i] = io->x[0][i] + 2 * io->x[1][i];
}

static void mix_backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    float factor = ((const mix_options *)layer->options)->wrong ? 1.98f : 2;
    for (int64_t i = 0; i < mix_count(layer, pass); i++) {
        if (io->dx[0]) io->dx[0][i] = io->dy[i];
        if (io->dx[1]) io->dx[1][i] = factor * io->dy[i];
    }
}

static const ls_layer_type mix = {.name = "mix",
                                  .options = mix_table,
                                  .options_bytes = sizeof(mix_options),
                                  .min_inputs = 2,
                                  .max_inputs = 2,
                                  .prepare = mix_prepare,
                                  .forward = mix_forward,
                                  .backward = mix_backward};

/* Outputs that several layers take, the same one twice, the model's input among them, and a view between. */
static ls_model *branching_model(const char *options) {
    ls_model *model = new_model((ls_shape){1, {4}});
    add_layer(model, "dense", "units=4 activation=tanh", "a");
    add_layer(model, "reshape", "target_shape=2,2", "view");
    add_layer(model, "flatten", "", "flat");
    add_layer(model, "dense", "units=4 activation=tanh", "b");
    expect_ok(try_layer(model, &mix, options, "ab", (const char *[]){"a", "b"}, 2));
    expect_ok(try_layer(model, &mix, options, "aa", (const char *[]){"flat", "a"}, 2));
    expect_ok(try_layer(model, &mix, options, "with_input", (const char *[]){"input", "aa"}, 2));
    expect_ok(try_layer(model, &mix, options, "all", (const char *[]){"with_input", "ab"}, 2));
    return model;
}

static void test_branches(void **state) {
    (void)state;
    ls_rows rows = uneven_rows();
    double worst = worst_error(branching_model(""), "mean_squared_error", &rows);
    if (!(worst < tolerance)) fail_msg("error %g", worst);
}

static void test_mistake_is_found(void **state) {
    (void)state;
    ls_rows rows = uneven_rows();
    assert_true(worst_error(branching_model("wrong=true"), "mean_squared_error", &rows) > 2 * tolerance);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples_mean_squared_error),
        cmocka_unit_test(test_examples_binary_crossentropy),
        cmocka_unit_test(test_classifier),
        cmocka_unit_test(test_autoencoder),
        cmocka_unit_test(test_branches),
        cmocka_unit_test(test_mistake_is_found),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

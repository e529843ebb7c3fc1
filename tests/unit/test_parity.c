/* The same numbers as Keras: layers, losses and optimizers by themselves, and the first losses of the reference models
 * from the same weights and batches. The references are made by scripts/make-references. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lockstep/memory.h"
#include "lockstep/optimizer.h"
#include "lockstep/vector.h"
#include "support/layer_bench.h"
#include "support/nets.h"

typedef struct layer_reference {
    const char *type, *options;
    ls_shape in[LS_INPUTS_MAX];
    int64_t rows;
    const double *y, *dx[LS_INPUTS_MAX], *dparam[LS_PARAMS_MAX];
} layer_reference;

typedef struct loss_reference {
    const char *type;
    int64_t rows, width;
    const double *row_loss, *dz;
} loss_reference;

typedef struct optimizer_reference {
    const char *type, *options;
    int64_t count;
    int steps;
    const double *weight;
} optimizer_reference;

enum { LAYERS_MAX = 16, MODEL_STEPS = 20, LANES = 8, BATCH_MAX = 256 };

/* What a model is to give: its input, other numbers, or classes. */
typedef enum target_kind { TARGET_INPUT, TARGET_NUMBERS, TARGET_CLASSES } target_kind;

typedef struct model_reference {
    const char *name;
    int64_t batch;
    ls_shape in;
    struct {
        const char *type, *options, *name, *inputs[LS_INPUTS_MAX];
    } layers[LAYERS_MAX];
    const char *loss, *optimizer, *optimizer_options;
    target_kind target;
    const double *losses; /* [MODEL_STEPS] */
} model_reference;

#include "data/references.inc"

#define COUNT(array) (sizeof(array) / sizeof *(array))

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

static void expect_all(const char *what, const char *options, const char *array, int64_t count, const float *actual,
                       const double *expected) {
    for (int64_t i = 0; i < count; i++) {
        double error = fabs((double)actual[i] - expected[i]);
        if (!(error <= 1e-6 + 2e-6 * fabs(expected[i]))) {
            fail_msg("%s '%s': %s[%lld] is %.9g, Keras has %.9g", what, options, array, (long long)i, (double)actual[i],
                     expected[i]);
        }
    }
}

static void test_layers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(layer_references); i++) {
        const layer_reference *r = &layer_references[i];
        ls_rows rows = ls_rows_single(r->rows);
        layer_bench bench;
        layer_bench_open(&bench, pool, r->type, r->options, r->in, &rows);
        layer_bench_forward(&bench);
        layer_bench_backward(&bench);
        expect_all(r->type, r->options, "y", r->rows * bench.out_count, bench.y, r->y);
        for (int k = 0; k < bench.layer.inputs; k++)
            expect_all(r->type, r->options, "dx", r->rows * bench.in_count[k], bench.dx[k], r->dx[k]);
        for (int p = 0; p < bench.layer.params; p++) {
            expect_all(r->type, r->options, bench.layer.param[p].name, bench.param_count[p], bench.dparam[p][0],
                       r->dparam[p]);
        }
        layer_bench_close(&bench);
    }
}

static void test_losses(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(loss_references); i++) {
        const loss_reference *r = &loss_references[i];
        ls_rows rows = ls_rows_single(r->rows);
        float z[64], target[64], dz[64];
        double row_loss[16];
        assert_true(r->rows * r->width <= 64 && r->rows <= 16);
        fill_formula(1, -6, 6, r->rows * r->width, z);
        fill_formula(2, 0, 1, r->rows * r->width, target);
        ls_loss_evaluate(ls_loss_type_find(r->type), pool, &rows, r->width, z, target, dz, row_loss);
        expect_all(r->type, "", "dz", r->rows * r->width, dz, r->dz);
        for (int64_t row = 0; row < r->rows; row++) {
            expect_near(row_loss[row], r->row_loss[row], 2e-6 * r->row_loss[row]);
        }
    }
}

static void test_optimizers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(optimizer_references); i++) {
        const optimizer_reference *r = &optimizer_references[i];
        const ls_optimizer_type *type = ls_optimizer_type_find(r->type);
        _Alignas(16) char options[128];
        float gradient[16], weight[16], slots[LS_SLOTS_MAX][16] = {{0}};
        assert_true(r->count <= 16);
        set_options(type->options, options, r->options);
        fill_formula(1, -1, 1, r->count, weight);
        ls_update update = {r->count, gradient, weight, {slots[0], slots[1], slots[2]}};
        for (int step = 0; step < r->steps; step++) {
            fill_formula((uint32_t)(100 + step), -1, 1, r->count, gradient);
            ls_optimizer_apply(type, pool, options, step + 1, ls_optimizer_learning_rate(type, options), &update);
        }
        expect_all(r->type, r->options, "weight", r->count, weight, r->weight);
    }
}

/* A training run without a run: one rank, eight lanes in one node. */
typedef struct trial {
    ls_model *model;
    ls_rows rows;
    ls_pass pass;
    int64_t in_width, out_width, flat;
    float *weights, *gradient, *slots, *input, *target;
    int64_t samples[BATCH_MAX];
    double *row_loss;
} trial;

static ls_model *build(const model_reference *r) {
    ls_model *model = new_model(r->in);
    for (int i = 0; i < LAYERS_MAX && r->layers[i].type; i++) {
        int inputs = 0;
        while (inputs < LS_INPUTS_MAX && r->layers[i].inputs[inputs]) inputs++;
        expect_ok(try_layer(model, ls_layer_type_find(r->layers[i].type), r->layers[i].options, r->layers[i].name,
                            r->layers[i].inputs, inputs));
    }
    ls_shape out = ls_model_output_shape(model);
    expect_ok(ls_model_set_loss(model, ls_loss_type_find(r->loss), &out));
    return model;
}

/* Biases as they start; matrices and kernels by the formula, within the limit of Glorot and Bengio. */
static void set_weights(const ls_model *model, float *weights) {
    uint32_t stream = 1000; /* one an array, in Keras' order */
    ls_model_init_weights(model, 0, weights);
    for (int i = 0; i < ls_model_layers(model); i++) {
        const ls_layer *layer = ls_model_layer(model, i);
        for (int p = 0; p < layer->params; p++, stream++) {
            const ls_shape *shape = &layer->param[p].shape;
            if (shape->dims == 1) continue;
            int64_t count = ls_shape_count(shape), ins = shape->dim[shape->dims - 2],
                    outs = shape->dim[shape->dims - 1];
            float limit = (float)sqrt(6.0 / (double)(count / (ins * outs) * (ins + outs)));
            fill_formula(stream, -limit, limit, count, weights + layer->param[p].offset);
        }
    }
}

static void open_trial(trial *t, const model_reference *r) {
    int64_t lane_rows[LANES];
    for (int lane = 0; lane < LANES; lane++) lane_rows[lane] = (lane + 1) * r->batch / LANES - lane * r->batch / LANES;
    *t = (trial){.model = build(r), .rows = make_rows(LANES, lane_rows, 1, (const int[]){0, LANES})};
    t->pass = (ls_pass){.pool = pool, .rows = &t->rows, .samples = t->samples, .training = true};
    for (int64_t row = 0; row < r->batch; row++) t->samples[row] = row;
    ls_shape out = ls_model_output_shape(t->model);
    t->in_width = ls_shape_count(&r->in);
    t->out_width = ls_shape_count(&out);
    t->flat = ls_model_flat_count(t->model);
    expect_ok(ls_model_prepare(t->model, &(ls_limits){.max_rows = r->batch, .threads = 2, .lanes = LANES}, true));
    expect_ok(ls_alloc(&t->weights, t->flat, sizeof(float), "weights"));
    expect_ok(ls_alloc(&t->gradient, t->flat, sizeof(float), "gradient"));
    expect_ok(ls_alloc(&t->slots, 2 * t->flat, sizeof(float), "slots"));
    expect_ok(ls_alloc(&t->input, r->batch * t->in_width, sizeof(float), "batch"));
    expect_ok(ls_alloc(&t->target, r->batch * t->out_width, sizeof(float), "targets"));
    expect_ok(ls_alloc(&t->row_loss, r->batch, sizeof(double), "losses"));
    set_weights(t->model, t->weights);
}

static void close_trial(trial *t) {
    ls_model_destroy(t->model);
    ls_free(t->weights);
    ls_free(t->gradient);
    ls_free(t->slots);
    ls_free(t->input);
    ls_free(t->target);
    ls_free(t->row_loss);
}

static void choose_classes(trial *t, uint32_t stream) {
    memset(t->target, 0, (size_t)(t->rows.count * t->out_width) * sizeof(float));
    for (int64_t row = 0; row < t->rows.count; row++) {
        int64_t class = (int64_t)(formula_number(stream, (uint64_t)row) * (float)t->out_width);
        t->target[row * t->out_width + class] = 1;
    }
}

/* Half of the numbers of a batch are zero, as in a picture of a digit. */
static void next_batch(trial *t, target_kind kind, int step) {
    uint32_t stream = (uint32_t)(3000 + step);
    int64_t count = t->rows.count * t->in_width;
    fill_formula((uint32_t)(2000 + step), -1, 1, count, t->input);
    for (int64_t i = 0; i < count; i++) t->input[i] = fmaxf(t->input[i], 0);
    if (kind == TARGET_INPUT) memcpy(t->target, t->input, (size_t)count * sizeof(float));
    if (kind == TARGET_NUMBERS) fill_formula(stream, 0, 1, t->rows.count * t->out_width, t->target);
    if (kind == TARGET_CLASSES) choose_classes(t, stream);
}

static double train_step(trial *t, int step, const ls_optimizer_type *optimizer, const void *options) {
    ls_model_forward(t->model, &t->pass, t->weights, t->input, -1);
    ls_model_evaluate(t->model, &t->pass, t->weights, t->target, t->row_loss, NULL);
    ls_model_backward(t->model, &t->pass, t->weights, t->input, &t->gradient);
    ls_model_add_weight_penalty(t->model, pool, 0, t->flat, t->weights, t->gradient);
    int64_t trained = ls_model_trained_count(t->model);
    ls_update update = {trained, t->gradient, t->weights, {t->slots, t->slots + t->flat}};
    ls_optimizer_apply(optimizer, pool, options, step + 1, ls_optimizer_learning_rate(optimizer, options), &update);
    ls_vector_add(pool, t->flat - trained, t->gradient + trained, t->weights + trained);
    double sum = 0;
    for (int64_t row = 0; row < t->rows.count; row++) sum += t->row_loss[row];
    return sum / (double)t->rows.count;
}

static void test_models(void **state) {
    (void)state;
    _Alignas(16) char options[128];
    for (size_t i = 0; i < COUNT(model_references); i++) {
        const model_reference *r = &model_references[i];
        const ls_optimizer_type *optimizer = ls_optimizer_type_find(r->optimizer);
        trial t;
        set_options(optimizer->options, options, r->optimizer_options);
        open_trial(&t, r);
        for (int step = 0; step < MODEL_STEPS; step++) {
            next_batch(&t, r->target, step);
            double loss = train_step(&t, step, optimizer, options), error = fabs(loss / r->losses[step] - 1);
            if (!(error < 1e-4)) fail_msg("%s: loss %d is %.9g, Keras has %.9g", r->name, step, loss, r->losses[step]);
        }
        close_trial(&t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_optimizers),
        cmocka_unit_test(test_models),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

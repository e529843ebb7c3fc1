/* The same numbers as Keras: layers, losses, metrics and optimizers by themselves, and the first losses of every model
 * in configs/ from the same weights and batches. The references are made by scripts/make-references. */
#include <glob.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/integers.h"
#include "base/memory.h"
#include "config/config.h"
#include "support/layer_bench.h"
#include "support/nets.h"
#include "support/snapshots.h"
#include "support/types.h"
#include "tensor/vector.h"

enum { LANES = 8, SETTINGS_MAX = 16 };

typedef struct layer_reference {
    const char *type, *options;
    ls_shape in[LS_INPUTS_MAX];
    int64_t rows;
    float grain;    /* inputs are multiples of it, so that some are equal; 0: as they come */
    bool inference; /* forward alone */
    double penalty;
    const double *y, *dx[LS_INPUTS_MAX], *dparam[LS_PARAMS_MAX];
} layer_reference;

typedef struct loss_reference {
    const char *type;
    int64_t rows, width;
    const double *row_loss, *dz;
} loss_reference;

typedef struct metric_reference {
    const char *type;
    int64_t rows, width;
    const double *row_value;
} metric_reference;

typedef struct optimizer_reference {
    const char *type, *options;
    int64_t count;
    int steps;
    const double *weight;
} optimizer_reference;

typedef struct model_reference {
    const char *config;                 /* a file */
    ls_shape stored;                    /* of a sample in its data: bytes of a picture, or numbers of a code */
    const char *settings[SETTINGS_MAX]; /* ended by NULL */
    const double *losses;               /* [MODEL_STEPS] */
} model_reference;

#include "data/references.inc"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static ls_pool *pool;

static int set_up(void **unused) {
    (void)unused;
    pool = start_pool(2);
    return 0;
}

static int tear_down(void **unused) {
    (void)unused;
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

/* The first input's numbers, to multiples of grain. */
static void coarsen(layer_bench *bench, float grain) {
    for (int64_t i = 0; i < bench->rows.count * bench->in_count[0]; i++)
        bench->x[0][i] = rintf(bench->x[0][i] / grain) * grain;
}

static void check_training(const layer_reference *r, layer_bench *bench) {
    double penalty = 0;
    for (int64_t row = 0; row < r->rows; row++) penalty += bench->penalty[row] / (double)r->rows;
    expect_near(penalty, r->penalty, 1e-6 + 2e-6 * fabs(r->penalty));
    layer_bench_backward(bench);
    for (int k = 0; k < bench->layer.inputs; k++)
        expect_all(r->type, r->options, "dx", r->rows * bench->in_count[k], bench->dx[k], r->dx[k]);
    for (int p = 0; p < bench->layer.params; p++) {
        expect_all(r->type, r->options, bench->layer.param[p].name, bench->param_count[p], bench->dparam[p][0],
                   r->dparam[p]);
    }
}

static void test_layers(void **unused) {
    (void)unused;
    for (size_t i = 0; i < COUNT(layer_references); i++) {
        const layer_reference *r = &layer_references[i];
        ls_rows rows = ls_rows_single(r->rows);
        layer_bench bench;
        layer_bench_open(&bench, pool, r->type, r->options, r->in, &rows);
        bench.pass.training = !r->inference;
        if (r->grain > 0) coarsen(&bench, r->grain);
        layer_bench_forward(&bench);
        expect_all(r->type, r->options, "y", r->rows * bench.out_count, bench.y, r->y);
        if (!r->inference) check_training(r, &bench);
        layer_bench_close(&bench);
    }
}

/* Row by row, as probabilities do. */
static void add_up_to_one(int64_t rows, int64_t width, float *target) {
    for (int64_t row = 0; row < rows; row++) {
        float sum = 0;
        for (int64_t i = 0; i < width; i++) sum += target[row * width + i];
        for (int64_t i = 0; i < width; i++) target[row * width + i] /= sum;
    }
}

static void test_losses(void **unused) {
    (void)unused;
    for (size_t i = 0; i < COUNT(loss_references); i++) {
        const loss_reference *r = &loss_references[i];
        ls_rows rows = ls_rows_single(r->rows);
        float z[64], target[64], dz[64];
        double row_loss[16];
        assert_true(r->rows * r->width <= 64 && r->rows <= 16);
        fill_formula(1, -6, 6, r->rows * r->width, z);
        fill_formula(2, 0, 1, r->rows * r->width, target);
        if (strcmp(r->type, "categorical_crossentropy") == 0) add_up_to_one(r->rows, r->width, target);
        ls_loss_evaluate(type_named(ls_loss_types, r->type), pool, &rows, r->width, z, target, dz, row_loss);
        expect_all(r->type, "", "dz", r->rows * r->width, dz, r->dz);
        for (int64_t row = 0; row < r->rows; row++) {
            expect_near(row_loss[row], r->row_loss[row], 2e-6 * r->row_loss[row]);
        }
    }
}

/* Of the accuracy's numbers many are equal, and of its targets too. */
static void coarsen_scores(int64_t width, int64_t count, float *y, float *target) {
    for (int64_t i = 0; i < count; i++) {
        y[i] = rintf(4 * y[i]) / 4;
        target[i] = width == 1 ? rintf(target[i]) : rintf(4 * target[i]) / 4;
    }
}

static const ls_metric_type *find_metric(const char *name) {
    const ls_metric_type *const *type = ls_metric_types;
    while (strcmp((*type)->name, name) != 0) type++;
    return *type;
}

static void test_metrics(void **unused) {
    (void)unused;
    for (size_t i = 0; i < COUNT(metric_references); i++) {
        const metric_reference *r = &metric_references[i];
        float y[64], target[64];
        double row_value[16];
        assert_true(r->rows * r->width <= 64 && r->rows <= 16);
        fill_formula(1, 0, 1, r->rows * r->width, y);
        fill_formula(2, 0, 1, r->rows * r->width, target);
        if (strcmp(r->type, "accuracy") == 0) coarsen_scores(r->width, r->rows * r->width, y, target);
        ls_metric_evaluate(find_metric(r->type), pool, r->rows, r->width, y, target, row_value);
        for (int64_t row = 0; row < r->rows; row++) expect_near(row_value[row], r->row_value[row], 1e-6);
    }
}

static void test_optimizers(void **unused) {
    (void)unused;
    for (size_t i = 0; i < COUNT(optimizer_references); i++) {
        const optimizer_reference *r = &optimizer_references[i];
        const ls_optimizer_type *type = type_named(ls_optimizer_types, r->type);
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

/* A training run without a run: one rank, eight lanes in one subtree. */
typedef struct trial {
    const model_reference *reference;
    ls_config *config;
    ls_pipeline *input_pipeline, *target_pipeline;
    ls_model *model;
    ls_rows rows;
    ls_pass pass;
    int64_t in_width, out_width, flat;
    float *weights, *gradient, *slots, *input, *target, *scratch;
    void *stored; /* a sample */
    int64_t samples[BATCH];
    double row_loss[BATCH];
} trial;

static bool is_picture(const model_reference *r) { return r->stored.dims == 3; }

static void open_config(trial *t) {
    const model_reference *r = t->reference;
    int settings = 0;
    int64_t bytes;
    while (settings < SETTINGS_MAX && r->settings[settings]) settings++;
    char *text = read_whole(r->config, &bytes);
    text[bytes] = '\0';
    expect_ok(ls_config_parse(r->config, text, r->settings, settings, &t->config));
    free(text);
}

static void open_model(trial *t) {
    const model_reference *r = t->reference;
    ls_dataset_info info = {.shape = r->stored,
                            .element = is_picture(r) ? LS_ELEMENT_UINT8 : LS_ELEMENT_FLOAT32,
                            .labelled = true,
                            .classes = CLASSES};
    expect_ok(ls_config_pipelines(t->config, &info, &t->input_pipeline, &t->target_pipeline));
    ls_shape in = ls_pipeline_shape(t->input_pipeline), out = ls_pipeline_shape(t->target_pipeline);
    expect_ok(ls_config_model(t->config, &in, &out, &t->model));
    expect_ok(ls_model_prepare(t->model, &(ls_limits){.max_rows = BATCH, .threads = 2, .lanes = LANES}, true));
    t->in_width = ls_shape_count(&in);
    t->out_width = ls_shape_count(&out);
    t->flat = ls_model_flat_count(t->model);
}

static void open_memory(trial *t) {
    int64_t scratch = ls_max(ls_pipeline_scratch(t->input_pipeline), ls_pipeline_scratch(t->target_pipeline));
    expect_ok(ls_alloc(&t->weights, t->flat, sizeof(float), "weights"));
    expect_ok(ls_alloc(&t->gradient, t->flat, sizeof(float), "gradient"));
    expect_ok(ls_alloc(&t->slots, LS_SLOTS_MAX * t->flat, sizeof(float), "slots"));
    expect_ok(ls_alloc(&t->input, BATCH * t->in_width, sizeof(float), "batch"));
    expect_ok(ls_alloc(&t->target, BATCH * t->out_width, sizeof(float), "targets"));
    expect_ok(ls_alloc(&t->scratch, scratch, sizeof(float), "scratch"));
    expect_ok(ls_alloc(&t->stored, ls_shape_count(&t->reference->stored), sizeof(float), "a sample"));
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
    for (int lane = 0; lane < LANES; lane++) lane_rows[lane] = (lane + 1) * BATCH / LANES - lane * BATCH / LANES;
    *t = (trial){.reference = r, .rows = make_rows(LANES, lane_rows, 1, (const int[]){0, LANES})};
    open_config(t);
    open_model(t);
    open_memory(t);
    set_weights(t->model, t->weights);
    t->pass = (ls_pass){
        .pool = pool, .rows = &t->rows, .samples = t->samples, .training = true, .seed = (uint64_t)t->config->seed};
}

static void close_trial(trial *t) {
    ls_model_destroy(t->model);
    ls_pipeline_destroy(t->input_pipeline);
    ls_pipeline_destroy(t->target_pipeline);
    ls_config_destroy(t->config);
    ls_free(t->weights);
    ls_free(t->gradient);
    ls_free(t->slots);
    ls_free(t->input);
    ls_free(t->target);
    ls_free(t->scratch);
    ls_free(t->stored);
}

/* Half of what is stored is zero, as in a picture of a digit. */
static void fill_sample(trial *t, int step, int64_t row) {
    int64_t count = ls_shape_count(&t->reference->stored);
    for (int64_t i = 0; i < count; i++) {
        float number = fmaxf(2 * formula_number((uint32_t)(2000 + step), (uint64_t)(row * count + i)) - 1, 0);
        if (is_picture(t->reference))
            ((uint8_t *)t->stored)[i] = (uint8_t)(256 * number);
        else
            ((float *)t->stored)[i] = number;
    }
}

static void next_batch(trial *t, int step) {
    ls_pipeline_call call = {.seed = t->pass.seed, .use = LS_USE_TRAINING};
    for (int64_t row = 0; row < BATCH; row++) {
        int64_t sample = t->samples[row] = step * BATCH + row;
        int32_t label = (int32_t)((double)formula_number((uint32_t)(3000 + step), (uint64_t)row) * CLASSES);
        fill_sample(t, step, row);
        ls_pipeline_apply(t->input_pipeline, &call, sample, t->stored, label, t->input + row * t->in_width, t->scratch);
        ls_pipeline_apply(t->target_pipeline, &call, sample, t->stored, label, t->target + row * t->out_width,
                          t->scratch);
    }
}

static double train_step(trial *t, int step) {
    const ls_optimizer_type *optimizer = t->config->optimizer;
    const void *options = t->config->optimizer_options;
    int64_t trained = ls_model_trained_count(t->model);
    ls_update update = {.count = trained, .gradient = t->gradient, .weight = t->weights};
    for (int s = 0; s < LS_SLOTS_MAX; s++) update.slot[s] = t->slots + s * t->flat;
    ls_model_forward(t->model, &t->pass, t->weights, t->input, -1);
    ls_model_evaluate(t->model, &t->pass, t->weights, t->target, t->row_loss, NULL);
    ls_model_backward(t->model, &t->pass, t->weights, t->input, &t->gradient);
    ls_model_add_weight_penalty(t->model, pool, 0, t->flat, t->weights, t->gradient);
    ls_optimizer_apply(optimizer, pool, options, step + 1, ls_optimizer_learning_rate(optimizer, options), &update);
    ls_vector_add(pool, t->flat - trained, t->gradient + trained, t->weights + trained);
    double sum = 0;
    for (int64_t row = 0; row < BATCH; row++) sum += t->row_loss[row];
    return sum / BATCH;
}

static void check_model(const model_reference *r) {
    trial t;
    double worst = 0;
    open_trial(&t, r);
    for (int step = 0; step < MODEL_STEPS; step++) {
        next_batch(&t, step);
        double loss = train_step(&t, step), error = fabs(loss / r->losses[step] - 1);
        if (!(error < 1e-4)) fail_msg("%s: loss %d is %.9g, Keras has %.9g", r->config, step, loss, r->losses[step]);
        worst = fmax(worst, error);
    }
    print_message("%s: within %.1e of Keras\n", r->config, worst);
    close_trial(&t);
}

static void test_models(void **unused) {
    (void)unused;
    for (size_t i = 0; i < COUNT(model_references); i++) check_model(&model_references[i]);
}

static bool has_layer_reference(const char *type) {
    for (size_t i = 0; i < COUNT(layer_references); i++)
        if (strcmp(layer_references[i].type, type) == 0) return true;
    return false;
}

static void test_every_layer_has_a_reference(void **unused) {
    (void)unused;
    for (const ls_layer_type *const *type = ls_layer_types; *type; type++) {
        bool view = !(*type)->forward;
        if (!view && !has_layer_reference((*type)->name))
            fail_msg("%s: add it to scripts/make-references", (*type)->name);
    }
}

static bool has_model_reference(const char *config) {
    for (size_t i = 0; i < COUNT(model_references); i++)
        if (strcmp(model_references[i].config, config) == 0) return true;
    return false;
}

static void test_every_config_has_a_reference(void **unused) {
    (void)unused;
    glob_t found;
    assert_int_equal(glob("configs/*.yaml", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        if (!has_model_reference(found.gl_pathv[i]))
            fail_msg("%s: add it to scripts/make-references", found.gl_pathv[i]);
    globfree(&found);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_optimizers),
        cmocka_unit_test(test_models),
        cmocka_unit_test(test_every_layer_has_a_reference),
        cmocka_unit_test(test_every_config_has_a_reference),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* layer_bench.c - the memory and the calls of one layer without a model; see layer_bench.h. */
#include "support/layer_bench.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/nets.h"
#include "support/types.h"

static float *numbers(int64_t count) {
    float *out = malloc((size_t)(count ? count : 1) * sizeof *out);
    assert_non_null(out);
    for (int64_t i = 0; i < count; i++) out[i] = NAN;
    return out;
}

static void open_layer(layer_bench *bench, const char *type, const char *options, const ls_shape *in) {
    ls_layer *layer = &bench->layer;
    layer->type = type_named(ls_layer_types, type);
    assert_non_null(layer->type);
    for (; layer->inputs < LS_INPUTS_MAX && in[layer->inputs].dims; layer->inputs++) {
        layer->in[layer->inputs] = in[layer->inputs];
        bench->in_count[layer->inputs] = ls_shape_count(&in[layer->inputs]);
    }
    layer->options = calloc(1, layer->type->options_bytes + 1);
    layer->prepared = calloc(1, layer->type->prepared_bytes + 1);
    set_options(layer->type->options, layer->options, options);
    expect_ok(layer->type->prepare(
        layer, &(ls_limits){.max_rows = bench->rows.count, .threads = BENCH_THREADS, .lanes = bench->rows.lanes}));
    bench->out_count = ls_shape_count(&layer->out);
}

static void open_params(layer_bench *bench) {
    for (int p = 0; p < bench->layer.params; p++) {
        bench->param_count[p] = ls_shape_count(&bench->layer.param[p].shape);
        bench->param[p] = numbers(bench->param_count[p]);
        fill_formula((uint32_t)(3 + p), -1, 1, bench->param_count[p], bench->param[p]);
        for (int n = 0; n < bench->rows.subtrees; n++) bench->dparam[p][n] = numbers(bench->param_count[p]);
        bench->io.param[p] = bench->param[p];
        bench->io.dparam[p] = bench->dparam[p];
    }
}

static void open_inputs(layer_bench *bench) {
    for (int k = 0; k < bench->layer.inputs; k++) {
        int64_t count = bench->rows.count * bench->in_count[k];
        bench->io.x[k] = bench->x[k] = numbers(count);
        bench->io.dx[k] = bench->dx[k] = numbers(count);
        fill_formula(k ? (uint32_t)(10 + k) : 1, -1, 1, count, bench->x[k]);
    }
}

void layer_bench_open(layer_bench *bench, ls_pool *pool, const char *type, const char *options,
                      const ls_shape in[LS_INPUTS_MAX], const ls_rows *rows) {
    memset(bench, 0, sizeof *bench);
    bench->rows = *rows;
    assert_true(rows->count <= (int64_t)(sizeof bench->penalty / sizeof *bench->penalty));
    open_layer(bench, type, options, in);
    open_params(bench);
    open_inputs(bench);
    bench->y = numbers(rows->count * bench->out_count);
    bench->dy = numbers(rows->count * bench->out_count);
    fill_formula(2, -1, 1, rows->count * bench->out_count, bench->dy);
    for (int i = 0; i < (int)(sizeof bench->samples / sizeof *bench->samples); i++) bench->samples[i] = i;
    bench->pass = (ls_pass){.pool = pool,
                            .rows = &bench->rows,
                            .samples = bench->samples,
                            .training = true,
                            .seed = 1,
                            .scratch = numbers(bench->layer.scratch_floats)};
    bench->io.row_penalty = bench->penalty;
    bench->io.y = bench->y;
    bench->io.kept = numbers(bench->layer.kept_floats);
    bench->io.dy = bench->dy;
}

void layer_bench_forward(layer_bench *bench) { bench->layer.type->forward(&bench->layer, &bench->pass, &bench->io); }

void layer_bench_backward(layer_bench *bench) { bench->layer.type->backward(&bench->layer, &bench->pass, &bench->io); }

void layer_bench_close(layer_bench *bench) {
    for (int p = 0; p < bench->layer.params; p++) {
        free(bench->param[p]);
        for (int n = 0; n < bench->rows.subtrees; n++) free(bench->dparam[p][n]);
    }
    for (int k = 0; k < bench->layer.inputs; k++) {
        free(bench->x[k]);
        free(bench->dx[k]);
    }
    free(bench->io.kept);
    free(bench->y);
    free(bench->dy);
    free(bench->pass.scratch);
    free(bench->layer.options);
    free(bench->layer.prepared);
}

/* layer_bench.h - one layer by itself, with memory for a pass of it. */
#ifndef SUPPORT_LAYER_BENCH_H
#define SUPPORT_LAYER_BENCH_H

#include "nn/layer.h"

enum { BENCH_THREADS = 2 };

typedef struct layer_bench {
    ls_layer layer;
    ls_rows rows;
    ls_pass pass;
    ls_layer_io io;
    int64_t in_count[LS_INPUTS_MAX], out_count;           /* of one sample */
    float *x[LS_INPUTS_MAX], *dx[LS_INPUTS_MAX], *y, *dy; /* [rows] */
    float *param[LS_PARAMS_MAX];                          /* weights */
    float *dparam[LS_PARAMS_MAX][LS_SUBTREES_MAX];        /* gradients */
    int64_t param_count[LS_PARAMS_MAX];
    int64_t samples[64];
    double penalty[64]; /* of rows */
} layer_bench;

/* in: the shapes of the layer's inputs, as in ls_layer_example. x, dy and weights come from streams 1, 2, 3, ... of the
 * formula, uniform in [-1, 1), further inputs from 11, 12, ...; what the layer is to write is NaN. Training, in epoch
 * 0, of the samples 0, 1, 2, ... Not for views, which have no passes. */
void layer_bench_open(layer_bench *bench, ls_pool *pool, const char *type, const char *options,
                      const ls_shape in[LS_INPUTS_MAX], const ls_rows *rows);
void layer_bench_forward(layer_bench *bench);
void layer_bench_backward(layer_bench *bench);
void layer_bench_close(layer_bench *bench);

#endif

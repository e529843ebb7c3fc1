/* layer.h - what a layer is. A layer type is one file src/nn/layer_<name>.c exporting one descriptor, and one line in
 * layers.c.
 *
 * A layer knows its options, the shapes it is given and the kernels it calls; it knows no MPI, file or YAML. Everything
 * is prepared once; forward and backward allocate nothing. Activations are [rows][shape] float32, NHWC.
 *
 * A sample's output depends on that sample alone (on its index, for random layers), whatever rows are beside it, and on
 * what the layer adds up over the whole batch (ls_pass_reduce): ranks and threads never change a bit.
 *
 * A type without forward and backward is a view: its output is its input's memory under another shape. */
#ifndef LS_NN_LAYER_H
#define LS_NN_LAYER_H

#include "base/lanes.h"
#include "base/options.h"
#include "base/shape.h"
#include "base/status.h"
#include "base/threads.h"
#include "tensor/activation.h"

enum { LS_INPUTS_MAX = 4, LS_PARAMS_MAX = 4, LS_MODEL_INPUT = -1 };

typedef enum ls_initializer {
    LS_INIT_ZEROS,
    LS_INIT_ONES,
    LS_INIT_GLOROT_UNIFORM, /* U(-a, a), a = sqrt(6 / (fan_in + fan_out)); Glorot and Bengio 2010 */
    LS_INIT_ORTHOGONAL,     /* rows of unit length at right angles, at most as many as columns; Saxe et al. 2014 */
    LS_INIT_UNIT_FORGET,    /* of an LSTM's biases: ones in the second quarter, else zeros; Jozefowicz et al. 2015 */
} ls_initializer;

/* A penalty that is added to the loss: l1 sum |x| + l2 sum x^2. */
typedef struct ls_regularizer {
    double l1, l2;
} ls_regularizer;

/* A named weight array of a layer, with Keras' name and shape. */
typedef struct ls_param {
    const char *name; /* "kernel", "bias" */
    ls_shape shape;
    ls_initializer initializer;
    int64_t fan_in, fan_out;
    ls_regularizer regularizer;
    bool moving; /* not trained: its gradient, in the subtree of the run's first lane alone, is what is added to it */
    int64_t offset; /* of its first number in the model's flat vector; the model fills it in */
} ls_param;

typedef struct ls_layer_type ls_layer_type;

/* A layer of a model. prepare() fills in what follows from options and input shapes. */
typedef struct ls_layer {
    const ls_layer_type *type;
    char name[LS_NAME_MAX]; /* unique in the model; Keras' default: dense, dense_1, ... */
    void *options;          /* the record that type->options describes; owned by the model */
    void *prepared;         /* type->prepared_bytes, for the layer's own use; owned by the model */
    int inputs;
    int input[LS_INPUTS_MAX]; /* the layers whose outputs it takes; LS_MODEL_INPUT: the model's input */
    ls_shape in[LS_INPUTS_MAX];

    ls_shape out;
    ls_activation activation; /* applied to its output; the model may take it over where the loss works on logits */
    bool derives;            /* its backward multiplies dx by relu's derivative at x, for the layer that x comes from */
    bool derived;            /* the layer after it derives: its dy needs no derivative any more */
    ls_regularizer activity; /* on its output, a mean over samples */
    int params;
    ls_param param[LS_PARAMS_MAX];
    int64_t batch_sums;     /* how many numbers it adds up over the whole batch at a time, at most */
    int64_t scratch_floats; /* that a forward or backward call needs; not kept between calls */
    int64_t kept_floats;    /* that forward leaves for backward, besides its output */
    double flops;           /* of a forward pass, a sample */
} ls_layer;

/* What a layer is prepared for, at most. */
typedef struct ls_limits {
    int64_t max_rows;
    int threads, lanes;
} ls_limits;

/* What a pass does in a layer. */
typedef enum ls_work { LS_WORK_FORWARD, LS_WORK_INPUT_GRADIENT, LS_WORK_WEIGHT_GRADIENT, LS_WORKS } ls_work;

/* What all layers of one pass share. */
typedef struct ls_pass {
    ls_pool *pool;
    const ls_rows *rows;
    const int64_t *samples; /* [rows] index of each row's sample in the data set: keys its random numbers */
    bool training;
    uint64_t seed;
    uint32_t epoch;
    float *scratch; /* the model fills it in */
    /* Collective, for ls_pass_reduce; NULL: this pass has all lanes of the run. */
    void (*reduce)(void *context, int64_t count, const double *lane_sums, double *sum);
    void *reduce_context;
    /* Called by backward as it gets on, unless NULL: the gradients [0, floats) are there, and the weights [0, floats)
     * are not read any more in this pass. */
    void (*finished)(void *context, int64_t floats);
    void *finished_context;
    /* Called as the pass turns to another work, of layer number `layer`; unless NULL. */
    void (*turned)(void *context, int layer, ls_work work);
    void *turned_context;
} ls_pass;

/* One layer's data in one pass. */
typedef struct ls_layer_io {
    int index; /* of the layer in the model: tells apart the random numbers of like layers */
    const float *x[LS_INPUTS_MAX];
    float *y;                            /* written by forward, read by backward */
    float *kept;                         /* likewise; backward may destroy it */
    double *row_penalty;                 /* forward adds to it what the layer adds to a row's loss */
    const float *param[LS_PARAMS_MAX];   /* weights */
    float *dy;                           /* backward: gradient of y; the layer may destroy it */
    float *dx[LS_INPUTS_MAX];            /* backward writes (never adds); NULL: not wanted */
    float *const *dparam[LS_PARAMS_MAX]; /* backward writes dparam[p][subtree], one sum a subtree of rows */
} ls_layer_io;

/* An example for the gradient check and the tests: options as "units=3 activation=tanh" (lists as "strides=2,2"), and
 * input shapes. */
typedef struct ls_layer_example {
    const char *options;
    ls_shape in[LS_INPUTS_MAX];
} ls_layer_example;

#define LS_EXAMPLES_END                                                                                                \
    { .options = NULL }

struct ls_layer_type {
    const char *name;         /* Keras' name in snake case */
    const char *help;         /* one line */
    const ls_option *options; /* the first is the one that may be given alone: "dense: 32" */
    size_t options_bytes, prepared_bytes;
    int min_inputs, max_inputs; /* 0: one, and as many as min_inputs */
    bool normal;                /* training binds its outputs to N(0, 1) */
    const ls_layer_example *examples;
    /* Sets out, activation, params (without offsets), batch_sums, scratch_floats, kept_floats, flops, *prepared.
     * Errors: LS_INVALID, an impossible shape or option; the message names the option or the shape, the caller names
     * the layer. Called again with other limits, which change scratch_floats and kept_floats alone. */
    ls_status (*prepare)(ls_layer *layer, const ls_limits *limits);
    void (*forward)(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io);
    void (*backward)(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io);
    /* Returns whether the layer does the work of `before`, the layer of its only input, from now on as well: the model
     * then gives it before's input instead and prepares it again. NULL: it never does. */
    bool (*absorb)(ls_layer *layer, const ls_layer *before);
    bool can_derive; /* backward knows ls_layer.derives, which saves the layer before it a pass over its gradient */
};

/* sum[count] = lane_sums[lanes of the pass][count] of all lanes of the run, added in their tree. Collective where the
 * run has several ranks: a layer that says batch_sums calls it in training, in each pass as often. */
void ls_pass_reduce(const ls_pass *pass, int64_t count, const double *lane_sums, double *sum);

/* The pass turns to this work of the layer whose io it is. The model says so as a layer's forward or backward begins,
 * the latter with the weight gradient where there are weights; the layer, where it turns to the other gradient. */
void ls_pass_turn(const ls_pass *pass, const ls_layer_io *io, ls_work work);

extern const ls_layer_type *const ls_layer_types[]; /* ended by NULL */

#endif

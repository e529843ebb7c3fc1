/* Long short-term memory (S. Hochreiter, J. Schmidhuber 1997, with the forget gate of F. Gers et al. 2000): Keras'
 * LSTM.
 *
 *   [i f c~ o] = x[t] W + h[t-1] U + b;  i, f, o through a sigmoid, c~ through tanh
 *   c[t] = f c[t-1] + i c~;  h[t] = o tanh(c[t]);  c and h start at zero
 *
 * A sample is a sequence [steps][features]. The products with W are one call for all steps; those with U go step by
 * step over all rows at once, forwards, and backwards through time. */
#include "base/integers.h"
#include "base/memory.h"
#include "nn/layers_internal.h"
#include "tensor/gemm.h"

#include <string.h>

typedef struct lstm_options {
    int64_t units;
    bool return_sequences;
} lstm_options;

static const ls_option options[] = {
    {"units", LS_OPTION_INT, offsetof(lstm_options, units), .required = true, .min = 1, .max = 1e6, .help = "outputs"},
    {"return_sequences", LS_OPTION_BOOL, offsetof(lstm_options, return_sequences), .preset = "false",
     .help = "output every step of the sequence, not only the last one"},
    LS_OPTIONS_END};

static const ls_layer_example examples[] = {{"units=3", {{2, {4, 2}}}},
                                            {"units=2 return_sequences=true", {{2, {3, 4}}}},
                                            {"units=5 return_sequences=true", {{2, {1, 3}}}},
                                            LS_EXAMPLES_END};

/* Gates as they are kept, those with a sigmoid together; and where each stands in Keras' weights. */
enum { INPUT, FORGET, OUTPUT, CANDIDATE, GATES };
static const int keras_place[GATES] = {[INPUT] = 0, [FORGET] = 1, [CANDIDATE] = 2, [OUTPUT] = 3};

/* What forward keeps: of every step, over all rows, gates, cells and tanh(cells); and h before every step, row by row.
 */
enum { STEP_BLOCKS = GATES + 2, KEPT_BLOCKS = STEP_BLOCKS + 1 };

static int64_t gemm_scratch(const ls_limits *limits, int64_t steps, int64_t features, int64_t units) {
    int64_t rows = limits->max_rows, width = GATES * units;
    int64_t with_w = ls_gemm_scratch(rows * steps, width, features, limits->threads, limits->lanes);
    int64_t with_u = ls_gemm_scratch(rows * steps, width, units, limits->threads, limits->lanes);
    return ls_max(with_w, with_u);
}

static ls_status prepare(ls_layer *layer, const ls_limits *limits) {
    const lstm_options *given = layer->options;
    if (layer->in[0].dims != 2) return LS_RAISE(LS_INVALID, "takes sequences of vectors (steps x features)");
    int64_t steps = layer->in[0].dim[0], features = layer->in[0].dim[1], units = given->units, rows = limits->max_rows;
    layer->out = given->return_sequences ? (ls_shape){2, {steps, units}} : (ls_shape){1, {units}};
    LS_TRY(ls_layer_set_weights(layer, &(ls_shape){2, {features, GATES * units}}, true));
    layer->param[2] = layer->param[1];
    layer->param[2].initializer = LS_INIT_UNIT_FORGET;
    layer->param[1] =
        (ls_param){.name = "recurrent_kernel", .shape = {2, {units, GATES * units}}, .initializer = LS_INIT_ORTHOGONAL};
    layer->params = 3;
    layer->flops = 2.0 * (double)steps * (double)(GATES * units) * (double)(features + units);
    layer->kept_floats = KEPT_BLOCKS * steps * rows * units;
    layer->scratch_floats = ls_align_floats(rows * steps * GATES * units) + ls_align_floats(rows * GATES * units) +
                            2 * ls_align_floats(rows * units) + gemm_scratch(limits, steps, features, units);
    return LS_OK;
}

/* One pass. The kept arrays of a step lie [rows][units]. */
typedef struct sequence {
    const ls_pass *pass;
    const ls_layer_io *io;
    int64_t rows, steps, features, units;
    bool return_sequences;
    int64_t step;     /* the one that is computed */
    float *gates;     /* [steps][GATES][rows][units] */
    float *cell;      /* [steps][rows][units] */
    float *squashed;  /* [steps][rows][units], tanh(cell) */
    float *before;    /* [rows][steps][units], h[t-1] */
    float *keras;     /* [rows][steps][GATES units]: products with W, or the gradient of what went into the gates */
    float *recurrent; /* [rows][GATES units]: the same of one step: products with U, or the gradient */
    float *hidden;    /* [rows][units]: h, or its gradient from the step after */
    float *dcell;     /* [rows][units] */
    float *scratch;
} sequence;

static float *take(float **from, int64_t floats) {
    float *taken = *from;
    *from += floats;
    return taken;
}

static sequence begin(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    const lstm_options *given = layer->options;
    sequence s = {.pass = pass,
                  .io = io,
                  .rows = pass->rows->count,
                  .steps = layer->in[0].dim[0],
                  .features = layer->in[0].dim[1],
                  .units = given->units,
                  .return_sequences = given->return_sequences};
    int64_t block = s.rows * s.units;
    float *kept = io->kept, *scratch = pass->scratch;
    s.gates = take(&kept, s.steps * GATES * block);
    s.cell = take(&kept, s.steps * block);
    s.squashed = take(&kept, s.steps * block);
    s.before = take(&kept, s.steps * block);
    s.keras = take(&scratch, ls_align_floats(s.steps * GATES * block));
    s.recurrent = take(&scratch, ls_align_floats(GATES * block));
    s.hidden = take(&scratch, ls_align_floats(block));
    s.dcell = take(&scratch, ls_align_floats(block));
    s.scratch = scratch;
    return s;
}

/* A row of a gate, of an array [steps][rows][units], and of one [rows][steps][width]. */
static float *gate_row(const sequence *s, int gate, int64_t row) {
    return s->gates + ((s->step * GATES + gate) * s->rows + row) * s->units;
}
static float *step_row(const sequence *s, float *array, int64_t step, int64_t row) {
    return array + (step * s->rows + row) * s->units;
}
static float *row_step(const sequence *s, float *array, int64_t width, int64_t step, int64_t row) {
    return array + (row * s->steps + step) * width;
}

/* ---- forward ---- */

static void add_products(void *context, int64_t row, int thread) {
    (void)thread;
    const sequence *s = context;
    int64_t width = GATES * s->units;
    const float *from_x = row_step(s, s->keras, width, s->step, row), *from_h = s->recurrent + row * width;
    for (int gate = 0; gate < GATES; gate++) {
        float *out = gate_row(s, gate, row);
        int64_t at = keras_place[gate] * s->units;
        for (int64_t j = 0; j < s->units; j++) out[j] = from_x[at + j] + from_h[at + j];
    }
}

static void update_cell(void *context, int64_t row, int thread) {
    (void)thread;
    const sequence *s = context;
    const float *i = gate_row(s, INPUT, row), *f = gate_row(s, FORGET, row), *candidate = gate_row(s, CANDIDATE, row);
    const float *old = s->step > 0 ? step_row(s, s->cell, s->step - 1, row) : NULL;
    float *cell = step_row(s, s->cell, s->step, row);
    for (int64_t j = 0; j < s->units; j++) cell[j] = (old != NULL ? f[j] * old[j] : 0) + i[j] * candidate[j];
}

static void give_hidden(void *context, int64_t row, int thread) {
    (void)thread;
    const sequence *s = context;
    const float *o = gate_row(s, OUTPUT, row), *squashed = step_row(s, s->squashed, s->step, row);
    float *hidden = s->hidden + row * s->units;
    size_t bytes = (size_t)s->units * sizeof *hidden;
    bool last = s->step == s->steps - 1;
    for (int64_t j = 0; j < s->units; j++) hidden[j] = o[j] * squashed[j];
    if (!last) memcpy(row_step(s, s->before, s->units, s->step + 1, row), hidden, bytes);
    if (s->return_sequences)
        memcpy(row_step(s, s->io->y, s->units, s->step, row), hidden, bytes);
    else if (last)
        memcpy(s->io->y + row * s->units, hidden, bytes);
}

static void forward_step(sequence *s) {
    ls_pool *pool = s->pass->pool;
    ls_gemm_forward(pool, s->rows, GATES * s->units, s->units, s->hidden, s->io->param[1], NULL, LS_ACTIVATION_LINEAR,
                    s->recurrent, s->scratch);
    ls_pool_run(pool, s->rows, add_products, s);
    float *sigmoids = gate_row(s, INPUT, 0), *candidate = gate_row(s, CANDIDATE, 0);
    ls_activation_forward(pool, LS_ACTIVATION_SIGMOID, CANDIDATE * s->rows, s->units, sigmoids, sigmoids);
    ls_activation_forward(pool, LS_ACTIVATION_TANH, s->rows, s->units, candidate, candidate);
    ls_pool_run(pool, s->rows, update_cell, s);
    ls_activation_forward(pool, LS_ACTIVATION_TANH, s->rows, s->units, step_row(s, s->cell, s->step, 0),
                          step_row(s, s->squashed, s->step, 0));
    ls_pool_run(pool, s->rows, give_hidden, s);
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    sequence s = begin(layer, pass, io);
    ls_gemm_forward(pass->pool, s.rows * s.steps, GATES * s.units, s.features, io->x[0], io->param[0], io->param[2],
                    LS_ACTIVATION_LINEAR, s.keras, s.scratch);
    memset(s.hidden, 0, (size_t)(s.rows * s.units) * sizeof *s.hidden);
    for (int64_t row = 0; row < s.rows; row++)
        memset(row_step(&s, s.before, s.units, 0, row), 0, (size_t)s.units * sizeof *s.before);
    for (s.step = 0; s.step < s.steps; s.step++) forward_step(&s);
}

/* ---- backward ---- */

/* From the gradients of h and c to those of what went into the gates, and of the cell before. */
static void gates_gradient(void *context, int64_t row, int thread) {
    (void)thread;
    const sequence *s = context;
    const float *i = gate_row(s, INPUT, row), *f = gate_row(s, FORGET, row), *o = gate_row(s, OUTPUT, row);
    const float *candidate = gate_row(s, CANDIDATE, row), *squashed = step_row(s, s->squashed, s->step, row);
    const float *old = s->step > 0 ? step_row(s, s->cell, s->step - 1, row) : NULL;
    const float *dhidden = s->hidden + row * s->units;
    float *dcell = s->dcell + row * s->units, *out = s->recurrent + row * GATES * s->units;
    for (int64_t j = 0; j < s->units; j++) {
        float dc = dcell[j] + dhidden[j] * o[j] * (1 - squashed[j] * squashed[j]);
        out[keras_place[INPUT] * s->units + j] = dc * candidate[j] * i[j] * (1 - i[j]);
        out[keras_place[FORGET] * s->units + j] = old != NULL ? dc * old[j] * f[j] * (1 - f[j]) : 0;
        out[keras_place[CANDIDATE] * s->units + j] = dc * i[j] * (1 - candidate[j] * candidate[j]);
        out[keras_place[OUTPUT] * s->units + j] = dhidden[j] * squashed[j] * o[j] * (1 - o[j]);
        dcell[j] = dc * f[j];
    }
    memcpy(row_step(s, s->keras, GATES * s->units, s->step, row), out, (size_t)(GATES * s->units) * sizeof *out);
}

/* The gradient of h that comes from the output of this step. */
static void add_output_gradient(void *context, int64_t row, int thread) {
    (void)thread;
    const sequence *s = context;
    float *hidden = s->hidden + row * s->units;
    const float *dy = s->return_sequences ? row_step(s, s->io->dy, s->units, s->step, row) : s->io->dy + row * s->units;
    for (int64_t j = 0; j < s->units; j++) hidden[j] += dy[j];
}

static void backward_step(sequence *s) {
    ls_pool *pool = s->pass->pool;
    if (s->return_sequences || s->step == s->steps - 1) ls_pool_run(pool, s->rows, add_output_gradient, s);
    ls_pool_run(pool, s->rows, gates_gradient, s);
    if (s->step == 0) return;
    ls_gemm_input_gradient(pool, s->rows, GATES * s->units, s->units, s->recurrent, s->io->param[1], s->hidden,
                           s->scratch);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    sequence s = begin(layer, pass, io);
    int64_t width = GATES * s.units, block = s.rows * s.units;
    memset(s.hidden, 0, (size_t)block * sizeof *s.hidden);
    memset(s.dcell, 0, (size_t)block * sizeof *s.dcell);
    for (s.step = s.steps - 1; s.step >= 0; s.step--) backward_step(&s);
    ls_rows rows = ls_rows_of_positions(pass->rows, s.steps);
    ls_gemm_weight_gradient(pass->pool, &rows, width, s.features, io->x[0], s.keras, io->dparam[0], io->dparam[2],
                            s.scratch);
    ls_gemm_weight_gradient(pass->pool, &rows, width, s.units, s.before, s.keras, io->dparam[1], NULL, s.scratch);
    if (io->dx[0] == NULL) return;
    ls_pass_turn(pass, io, LS_WORK_INPUT_GRADIENT);
    ls_gemm_input_gradient(pass->pool, rows.count, width, s.features, s.keras, io->param[0], io->dx[0], s.scratch);
}

const ls_layer_type ls_layer_lstm = {
    .name = "lstm",
    .help = "long short-term memory over a sequence of vectors",
    .options = options,
    .options_bytes = sizeof(lstm_options),
    .examples = examples,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};

/* A dense sigmoid code h = sigmoid(x W + b) with the contractive penalty (S. Rifai et al. 2011): weight times the
 * squared Frobenius norm of its Jacobian with respect to x,
 *
 *   sum over j of (h_j (1 - h_j))^2 s_j,  s_j = sum over i of W_ij^2
 *
 * With g = h (1 - h) the penalty's derivatives are 2 g (1 - 2 h) s by h, and 2 W_ij g_j^2 by W_ij. */
#include "base/memory.h"
#include "nn/layers_internal.h"
#include "tensor/gemm.h"
#include "tensor/vector.h"

#include <string.h>

typedef struct contractive_dense_options {
    int64_t units;
    double weight;
} contractive_dense_options;

static const ls_option options[] = {{"units", LS_OPTION_INT, offsetof(contractive_dense_options, units),
                                     .required = true, .min = 1, .max = 1e9, .help = "outputs"},
                                    {"weight", LS_OPTION_DOUBLE, offsetof(contractive_dense_options, weight),
                                     .required = true, .min = 0, .max = 1e9, .help = "weight of the penalty"},
                                    LS_OPTIONS_END};

static const ls_layer_example examples[] = {
    {"units=3 weight=0.7", {{1, {5}}}}, {"units=4 weight=0", {{1, {2}}}}, LS_EXAMPLES_END};

static ls_status prepare(ls_layer *layer, const ls_limits *limits) {
    const contractive_dense_options *given = layer->options;
    if (layer->in[0].dims != 1) return LS_RAISE(LS_INVALID, "takes vectors; put a flatten before it");
    int64_t k = layer->in[0].dim[0], n = given->units;
    layer->out = (ls_shape){1, {n}};
    LS_TRY(ls_layer_set_weights(layer, &(ls_shape){2, {k, n}}, true));
    layer->flops = 2.0 * (double)k * (double)n;
    /* First s, then what products need, then the tree's parts, which begin at *prepared. */
    int64_t before = ls_align_floats(2 * n) +
                     ls_align_floats(ls_gemm_scratch(limits->max_rows, n, k, limits->threads, limits->lanes));
    *(int64_t *)layer->prepared = before;
    layer->scratch_floats = before + ls_tree_depth(limits->lanes) * ls_align_floats((k + 1) * n);
    return LS_OK;
}

/* One pass. */
typedef struct contraction {
    const ls_pass *pass;
    const ls_layer_io *io;
    int64_t k, n;
    double weight, scale; /* scale: of the penalty's gradient */
    double *square;       /* [n]: s */
    float *scratch;
    float *waiting; /* parts that wait in the tree over lanes */
} contraction;

static contraction begin(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    const contractive_dense_options *given = layer->options;
    contraction c = {.pass = pass,
                     .io = io,
                     .k = layer->in[0].dim[0],
                     .n = given->units,
                     .weight = given->weight,
                     .scale = given->weight / (double)pass->rows->global_count,
                     .square = (double *)(void *)pass->scratch,
                     .scratch = pass->scratch + ls_align_floats(2 * given->units),
                     .waiting = pass->scratch + *(const int64_t *)layer->prepared};
    memset(c.square, 0, (size_t)c.n * sizeof *c.square);
    for (int64_t i = 0; i < c.k; i++) {
        const float *w = io->param[0] + i * c.n;
        for (int64_t j = 0; j < c.n; j++) c.square[j] += (double)w[j] * (double)w[j];
    }
    return c;
}

static double slope(float h) { return (double)h * (1 - (double)h); }

static void penalize_row(void *context, int64_t row, int thread) {
    (void)thread;
    const contraction *c = context;
    const float *h = c->io->y + row * c->n;
    double sum = 0;
    for (int64_t j = 0; j < c->n; j++) sum += slope(h[j]) * slope(h[j]) * c->square[j];
    c->io->row_penalty[row] += c->weight * sum;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    contraction c = begin(layer, pass, io);
    ls_gemm_forward(pass->pool, pass->rows->count, c.n, c.k, io->x[0], io->param[0], io->param[1],
                    LS_ACTIVATION_SIGMOID, io->y, c.scratch);
    ls_pool_run(pass->pool, pass->rows->count, penalize_row, &c);
}

/* From the gradient of h to that of what went into the sigmoid. */
static void backward_row(void *context, int64_t row, int thread) {
    (void)thread;
    const contraction *c = context;
    const float *h = c->io->y + row * c->n;
    float *dy = c->io->dy + row * c->n;
    for (int64_t j = 0; j < c->n; j++) {
        double of_penalty = 2 * c->scale * slope(h[j]) * (1 - 2 * (double)h[j]) * c->square[j];
        dy[j] = (float)(((double)dy[j] + of_penalty) * slope(h[j]));
    }
}

/* What a lane, or some, give to the weights. */
typedef struct part {
    float *kernel, *bias;
} part;

static void lane_part(const contraction *c, int lane, part out) {
    const ls_rows *rows = c->pass->rows;
    int64_t first = rows->lane_begin[lane], end = rows->lane_begin[lane + 1];
    ls_rows own = ls_rows_single(end - first);
    ls_gemm_weight_gradient(c->pass->pool, &own, c->n, c->k, c->io->x[0] + first * c->k, c->io->dy + first * c->n,
                            &out.kernel, &out.bias, c->scratch);
    for (int64_t j = 0; j < c->n; j++) {
        double sum = 0;
        for (int64_t row = first; row < end; row++) {
            double g = slope(c->io->y[row * c->n + j]);
            sum += g * g;
        }
        float factor = (float)(2 * c->scale * sum);
        for (int64_t i = 0; i < c->k; i++) out.kernel[i * c->n + j] += factor * c->io->param[0][i * c->n + j];
    }
}

/* Place `at` of the parts that wait in the tree; the last place, `depth`, is out. */
static part place_of(const contraction *c, int at, int depth, part out) {
    float *waiting = c->waiting + at * ls_align_floats((c->k + 1) * c->n);
    return at == depth ? out : (part){waiting, waiting + c->k * c->n};
}

/* The tree over whole parts: a lane's part has two terms, which cannot be added after those of other lanes. */
static void add_lanes(const contraction *c, int first, int lanes, part out) {
    int depth = ls_tree_depth(lanes);
    for (int lane = 0; lane < lanes; lane++) {
        int carries = ls_tree_carries(lane);
        part sum = place_of(c, carries, depth, out);
        lane_part(c, first + lane, sum);
        for (int i = 0; i < carries; i++) {
            part other = place_of(c, i, depth, out);
            ls_vector_add(c->pass->pool, c->k * c->n, other.kernel, sum.kernel);
            ls_vector_add(c->pass->pool, c->n, other.bias, sum.bias);
        }
    }
}

static void backward(const ls_layer *layer, const ls_pass *pass, const ls_layer_io *io) {
    contraction c = begin(layer, pass, io);
    const ls_rows *rows = pass->rows;
    ls_pool_run(pass->pool, rows->count, backward_row, &c);
    for (int subtree = 0; subtree < rows->subtrees; subtree++)
        add_lanes(&c, rows->subtree_begin[subtree], rows->subtree_begin[subtree + 1] - rows->subtree_begin[subtree],
                  (part){io->dparam[0][subtree], io->dparam[1][subtree]});
    if (io->dx[0] == NULL) return;
    ls_pass_turn(pass, io, LS_WORK_INPUT_GRADIENT);
    ls_gemm_input_gradient(pass->pool, rows->count, c.n, c.k, io->dy, io->param[0], io->dx[0], c.scratch);
}

const ls_layer_type ls_layer_contractive_dense = {
    .name = "contractive_dense",
    .help = "a dense sigmoid layer with a penalty that keeps its output from changing with its input",
    .options = options,
    .options_bytes = sizeof(contractive_dense_options),
    .prepared_bytes = sizeof(int64_t),
    .examples = examples,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};

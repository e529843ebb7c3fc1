/* conv_winograd.c - convolutions with less arithmetic than their sums have: Winograd's minimal filtering
 * (winograd_internal.h).
 *
 * A task takes some patches of one picture or several, and works on them while they stay in the second-level cache: the
 * inputs are transformed, each point is a product, and for each panel of filters the products become outputs. Patches
 * at the edges are computed whole: what they lack is read from zeros, what they have too much goes to a place that
 * nobody reads.
 *
 * With strides the inputs fall into phases: pixels s i + a meet the taps a, a + s, ... of the kernel, with stride 1.
 * The phases' products are one sum, so a point has the channels of all of them. Phases that have a tap less than others
 * lack the point at infinity, where that tap would stand alone. So 3x3 with stride 2 has 81 products a channel and a
 * filter for 4x4 outputs, in place of 144. And as a phase's only tap on an axis is the same for all points, they take
 * 36 transformed kernels. */
#include <string.h>

#include "tensor/activation_internal.h"
#include "tensor/cache_internal.h"
#include "tensor/conv_pass_internal.h"
#include "tensor/panels_internal.h"
#include "tensor/tiles_internal.h"

enum {
    ALIGN = LS_COLUMNS_ALIGN, /* channels and filters are multiples of it: no vector has a rest */
    POINTS_MAX = LS_WINOGRAD_POINTS_MAX,
    PHASES_MAX = 4,
    CACHE_FLOATS = 150000, /* of transformed inputs and products a task */
    PATCHES_MIN = 12,      /* fewest of a task */
    PATCHES_MAX = 48,      /* most of a task */
    HEIGHT = 6,            /* of the products' widest tiles: a task has a multiple of so many patches */
    TASKS = 3,             /* a thread: with fewer blocks of patches, panels are divided among tasks, too */
    LINE = LS_LINE_FLOATS, /* points are that much further apart, as powers of two would share a cache set */
    TRANSFORM_WORK = 16,   /* what it costs to transform a number, in multiplications; measured */
    PIXEL_WORK = 200       /* what it costs to find a pixel of a patch, in multiplications; measured */
};

/* A phase that has taps. */
typedef struct phase {
    ls_winograd_part part;
    ls_winograd_source source;     /* h.n x w.n pixels, and points */
    bool one_h, one_w;             /* one tap, where others have two */
    int64_t step[POINTS_MAX];      /* where a point's channels begin in the sums; NONE: it is not there */
    int64_t packed_at[POINTS_MAX]; /* where the panels of its transformed kernel begin */
} phase;

enum { NONE = -1 };

typedef struct blocking {
    const ls_conv_pass *pass;
    ls_winograd_shape shape; /* of the phase with the most taps */
    int64_t phases;
    phase phase[PHASES_MAX];
    int64_t steps[POINTS_MAX]; /* length of a point's sums */
    int64_t all_steps;         /* the same of all points together */
    int64_t patches;           /* of all pictures */
    int64_t block, blocks;     /* patches of a block, and the number of blocks */
    int64_t panel_groups;      /* groups that the panels are divided into: a task is a block and a group */
    float *packed;             /* transformed kernels */
    int64_t packed_floats;
    float *private; /* a thread's */
    int64_t private_floats, product_floats;
    int64_t input_at[POINTS_MAX], inputs_floats; /* where a point's transformed inputs begin */
} blocking;

static ls_winograd_shape shape_of(const ls_conv_pass *pass, int64_t index) {
    return ls_winograd_shape_of(&pass->picture, index, pass->out_h, pass->out_w);
}

/* Whether each phase has as many taps on both axes, or a single one on one of them. */
static bool has_form(const ls_conv_pass *pass) {
    const ls_picture *v = &pass->picture;
    ls_winograd_shape s = shape_of(pass, 0);
    return ls_winograd_has_form(&s) && s.axes > 0 && s.axes == (v->kernel_h > 1) + (v->kernel_w > 1) &&
           v->stride_h * v->stride_w <= PHASES_MAX;
}

static phase phase_of(const blocking *n, int64_t index) {
    const ls_picture *v = &n->pass->picture;
    ls_winograd_shape s = shape_of(n->pass, index);
    bool less_h = s.h.r < n->shape.h.r, less_w = s.w.r < n->shape.w.r;
    const ls_winograd_part parts[2][2] = {{LS_WINOGRAD_INPUT, LS_WINOGRAD_INPUT_LESS_ACROSS},
                                          {LS_WINOGRAD_INPUT_LESS_DOWN, LS_WINOGRAD_INPUT_LESS}};
    s.h.n = n->shape.h.n - less_h;
    s.w.n = n->shape.w.n - less_w;
    return (phase){.part = parts[less_h][less_w],
                   .source = {v->h, v->w, v->c, s.h, s.w},
                   .one_h = less_h && s.h.r == 1,
                   .one_w = less_w && s.w.r == 1};
}

/* Points that have a phase's only tap on an axis in common share the packed kernel of the first of them. */
static void place_point(blocking *n, phase *f, int64_t p) {
    int64_t i = p / n->shape.w.n, j = p % n->shape.w.n, first = (f->one_h ? 0 : i) * n->shape.w.n + (f->one_w ? 0 : j);
    f->step[p] = NONE;
    if (i >= f->source.h.n || j >= f->source.w.n) return;
    f->step[p] = n->steps[p];
    n->steps[p] += n->pass->picture.c;
    f->packed_at[p] = first < p ? f->packed_at[first] : n->packed_floats;
    if (first == p) n->packed_floats += n->pass->picture.c * n->pass->o + LINE;
}

static void place_phases(blocking *n) {
    const ls_picture *v = &n->pass->picture;
    for (int64_t k = 0; k < v->stride_h * v->stride_w; k++) {
        phase f = phase_of(n, k);
        if (f.source.h.n * f.source.w.n > 0) n->phase[n->phases++] = f;
    }
    for (int64_t p = 0; p < n->shape.points; p++) {
        for (int64_t k = 0; k < n->phases; k++) place_point(n, &n->phase[k], p);
        n->all_steps += n->steps[p];
    }
}

static blocking blocking_of(const ls_conv_pass *pass, int64_t rows, float *scratch) {
    const ls_picture *picture = &pass->picture;
    blocking n = {.pass = pass, .shape = shape_of(pass, 0)};
    place_phases(&n);
    n.patches = rows * n.shape.patches;
    int64_t fit = CACHE_FLOATS / (n.all_steps + n.shape.points * LS_TILE_COLUMNS_MAX) / HEIGHT * HEIGHT;
    n.block = ls_max(PATCHES_MIN, ls_min(PATCHES_MAX, fit));
    n.blocks = ls_ceil_div(n.patches, n.block);
    for (int64_t p = 0; p < n.shape.points; p++) {
        n.input_at[p] = n.inputs_floats;
        n.inputs_floats += n.block * n.steps[p] + LINE;
    }
    n.product_floats = n.block * LS_TILE_COLUMNS_MAX + LINE;
    int64_t taps_floats = (1 + n.shape.taps) * ALIGN * LS_TILE_COLUMNS_MAX;
    int64_t block_floats = picture->c + LS_TILE_COLUMNS_MAX + n.inputs_floats;
    n.private_floats = ls_max(taps_floats, block_floats + n.shape.points * n.product_floats);
    if (scratch == NULL) return n;
    n.packed = scratch;
    n.private = scratch + n.packed_floats;
    return n;
}

/* Where it is a tenth faster or more: a rule of the shape alone, as neither rows nor threads nor instruction set may
 * decide what bits there are. In batches of two dozen, a number of the transformed kernel is worth half a
 * multiplication a picture. */
bool ls_conv_winograd_suits(const ls_conv_pass *pass) {
    const ls_picture *picture = &pass->picture;
    int64_t c = picture->c, o = pass->o;
    if (c % ALIGN != 0 || o % ALIGN != 0 || !has_form(pass)) return false;
    blocking n = blocking_of(pass, 1, NULL);
    int64_t direct = picture->kernel_h * picture->kernel_w * pass->out_h * pass->out_w * c * o;
    int64_t transformed = n.all_steps + n.shape.points * o, pixels = n.phases * n.shape.points;
    int64_t patch = n.all_steps * o + TRANSFORM_WORK * transformed + PIXEL_WORK * pixels;
    return 11 * (n.patches * patch + n.packed_floats / 2) <= 10 * direct;
}

/* ALIGN channels of a phase and panel: the taps side by side, and from these the points. */
static void pack_task(void *context, int64_t task, int thread) {
    const blocking *n = context;
    const ls_conv_pass *pass = n->pass;
    const ls_picture *picture = &pass->picture;
    int64_t channel_blocks = picture->c / ALIGN, channel = task % channel_blocks * ALIGN;
    const phase *f = &n->phase[task / channel_blocks % n->phases];
    ls_panel panel = ls_panel_at(pass->o, task / channel_blocks / n->phases);
    int64_t floats = ALIGN * panel.row_floats;
    const float *in[POINTS_MAX];
    float *out[POINTS_MAX], *unread = n->private + thread * n->private_floats, *taps = unread + floats;
    int64_t taps_h = f->one_h ? 1 : n->shape.h.r, taps_w = f->one_w ? 1 : n->shape.w.r;
    for (int64_t k = 0; k < taps_h * taps_w; k++) {
        int64_t a = f->source.h.first + k / taps_w * picture->stride_h,
                b = f->source.w.first + k % taps_w * picture->stride_w;
        ls_matrix w = {pass->w + pass->w_begin + a * pass->tap_row + b * pass->tap_column, pass->w_stride,
                       pass->transposed};
        in[k] = taps + k * floats;
        if (a < picture->kernel_h && b < picture->kernel_w)
            ls_panel_pack(&panel, ALIGN, ls_matrix_part(w, channel, panel.begin), taps + k * floats);
        else
            memset(taps + k * floats, 0, (size_t)floats * sizeof *taps);
    }
    int64_t n_h = f->one_h ? 1 : n->shape.h.n, n_w = f->one_w ? 1 : n->shape.w.n;
    for (int64_t k = 0; k < n_h * n_w; k++) {
        int64_t p = k / n_w * n->shape.w.n + k % n_w;
        float *at = n->packed + f->packed_at[p] + panel.begin * picture->c + channel * panel.row_floats;
        out[k] = f->step[p] == NONE ? unread : at;
    }
    int axes = n->shape.axes - f->one_h - f->one_w;
    ls_winograd_patch patch = {.channels = floats, .in = in, .out = out};
    ls_winograd_transform(n->shape.form, LS_WINOGRAD_KERNEL, axes, &patch);
}

/* A task's patches, and its part of its thread's memory. */
typedef struct block {
    const blocking *n;
    int64_t begin, count;
    float *zeros;    /* channels of a pixel outside of the picture */
    float *unread;   /* filters of a pixel that is not there: nobody reads them */
    float *inputs;   /* transformed: [points][count][steps] */
    float *products; /* [points][count][columns of a panel] */
} block;

static block block_of(const blocking *n, int64_t begin, int thread) {
    block k = {.n = n, .begin = begin, .count = ls_min(n->block, n->patches - begin)};
    k.zeros = n->private + thread * n->private_floats;
    k.unread = k.zeros + n->pass->picture.c;
    k.inputs = k.unread + LS_TILE_COLUMNS_MAX;
    k.products = k.inputs + n->inputs_floats;
    return k;
}

/* Where the points of a phase of patch t go. */
static void find_points(const block *k, int64_t t, const phase *f, float **out) {
    const blocking *n = k->n;
    for (int64_t i = 0; i < f->source.h.n; i++)
        for (int64_t j = 0, p = i * n->shape.w.n; j < f->source.w.n; j++, p++)
            *out++ = k->inputs + n->input_at[p] + t * n->steps[p] + f->step[p];
}

static void transform_inputs(const block *k, const phase *f) {
    const blocking *n = k->n;
    const float *in[POINTS_MAX];
    float *out[POINTS_MAX];
    for (int64_t t = 0; t < k->count; t++) {
        ls_winograd_find(&n->shape, &f->source, n->pass->x, k->begin + t, k->zeros, in);
        find_points(k, t, f, out);
        ls_winograd_patch patch = {.channels = n->pass->picture.c, .in = in, .out = out};
        ls_winograd_transform(n->shape.form, f->part, n->shape.axes, &patch);
    }
}

static void multiply(const block *k, const ls_panel *panel) {
    const blocking *n = k->n;
    int64_t c = n->pass->picture.c, a_row[PATCHES_MAX], c_row[PATCHES_MAX], b_place[PHASES_MAX];
    for (int64_t p = 0; p < n->shape.points; p++) {
        int64_t segments = 0;
        for (int64_t f = 0; f < n->phases; f++)
            if (n->phase[f].step[p] != NONE) b_place[segments++] = n->phase[f].packed_at[p];
        for (int64_t t = 0; t < k->count; t++) a_row[t] = t * n->steps[p], c_row[t] = t * panel->row_floats;
        ls_tile tile = {.segments = segments,
                        .steps = c,
                        .a = k->inputs + n->input_at[p],
                        .a_row = a_row,
                        .a_segment = c,
                        .a_step = 1,
                        .b = n->packed + panel->begin * c,
                        .b_place = b_place,
                        .b_step = panel->row_floats,
                        .c = k->products + p * n->product_floats,
                        .c_row = c_row,
                        .columns = panel->columns};
        ls_tiles_run(&tile, k->count, false, NULL);
    }
}

/* Where the outputs of patch t go. */
static void find_outputs(const block *k, const ls_panel *panel, int64_t t, float **out) {
    const blocking *n = k->n;
    const ls_conv_pass *pass = n->pass;
    ls_winograd_place at = ls_winograd_place_of(&n->shape, k->begin + t);
    float *y = pass->y + pass->out_begin + at.row * pass->out_picture + panel->begin;
    for (int64_t i = at.i; i < at.i + n->shape.h.m; i++)
        for (int64_t j = at.j; j < at.j + n->shape.w.m; j++) {
            bool inside = i < pass->out_h && j < pass->out_w;
            *out++ = inside ? y + i * pass->out_row + j * pass->out_column : k->unread;
        }
}

static void transform_outputs(const block *k, const ls_panel *panel) {
    const blocking *n = k->n;
    const ls_conv_pass *pass = n->pass;
    static const float no_bias[LS_TILE_COLUMNS_MAX];
    const float *in[POINTS_MAX];
    float *out[POINTS_MAX];
    ls_winograd_patch patch = {.channels = panel->columns,
                               .in = in,
                               .out = out,
                               .bias = pass->bias != NULL ? pass->bias + panel->begin : no_bias,
                               .relu = pass->activation == LS_ACTIVATION_RELU};
    for (int64_t t = 0; t < k->count; t++) {
        for (int64_t p = 0; p < n->shape.points; p++)
            in[p] = k->products + p * n->product_floats + t * panel->row_floats;
        find_outputs(k, panel, t, out);
        ls_winograd_transform(n->shape.form, LS_WINOGRAD_OUTPUT, n->shape.axes, &patch);
        for (int64_t q = 0; ls_activation_is_late(pass->activation) && q < n->shape.h.m * n->shape.w.m; q++)
            ls_activation_apply(pass->activation, panel->columns, out[q], out[q]);
    }
}

/* Reads the block's part of the pictures, more or less, in the order of memory. Hardware foresees such a stream, and
 * does not foresee the pixels of patches. */
static void read_ahead(const block *k) {
    const blocking *n = k->n;
    const ls_picture *v = &n->pass->picture;
    int64_t patch_floats = v->h * v->w * v->c / n->shape.patches;
    const volatile float *x = n->pass->x + k->begin * patch_floats;
    for (int64_t q = 0; q < k->count * patch_floats; q += LINE) (void)x[q];
}

static void block_task(void *context, int64_t task, int thread) {
    const blocking *n = context;
    block k = block_of(n, task % n->blocks * n->block, thread);
    int64_t group = task / n->blocks, panels = ls_panel_count(n->pass->o);
    memset(k.zeros, 0, (size_t)n->pass->picture.c * sizeof *k.zeros);
    read_ahead(&k);
    for (int64_t f = 0; f < n->phases; f++) transform_inputs(&k, &n->phase[f]);
    for (int64_t p = group * panels / n->panel_groups; p < (group + 1) * panels / n->panel_groups; p++) {
        ls_panel panel = ls_panel_at(n->pass->o, p);
        multiply(&k, &panel);
        transform_outputs(&k, &panel);
    }
}

/* Tasks of about equal size, for each thread as many. */
static void divide(blocking *n, int threads) {
    n->panel_groups = 1;
    while (n->blocks * n->panel_groups < TASKS * threads && 2 * n->panel_groups <= ls_panel_count(n->pass->o))
        n->panel_groups *= 2;
    if (n->panel_groups == 1) n->blocks = ls_round_up(n->blocks, threads);
    n->block = ls_ceil_div(n->patches, n->blocks);
    n->blocks = ls_ceil_div(n->patches, n->block);
}

void ls_conv_winograd_run(ls_pool *pool, const ls_conv_pass *pass, int64_t rows, float *scratch) {
    if (rows == 0) return;
    blocking n = blocking_of(pass, rows, scratch);
    divide(&n, ls_pool_threads(pool));
    ls_pool_run(pool, ls_panel_count(pass->o) * n.phases * (pass->picture.c / ALIGN), pack_task, &n);
    ls_pool_run(pool, n.blocks * n.panel_groups, block_task, &n);
}

int64_t ls_conv_winograd_scratch(const ls_conv_pass *pass, int threads) {
    blocking n = blocking_of(pass, 1, NULL);
    return n.packed_floats + threads * n.private_floats;
}

/* conv_winograd.c - convolutions with less arithmetic than their sums have: Winograd's minimal filtering (winograd.h).
 *
 * A picture's outputs fall into tiles of m_h x m_w, each made of a piece of n_h x n_w of its inputs; pieces overlap. A
 * task takes some tiles, of one picture or several, all the way while they stay in the second-level cache: pieces
 * transformed, a product a point, and for each panel of filters the outputs of its products. Tiles at the edges are
 * computed whole: what they lack is read from zeros, what they have too much goes to a place that nobody reads.
 *
 * With strides the inputs fall into phases: pixels s i + a meet the taps a, a + s, ... of the kernel, with stride 1.
 * The phases' products are one sum, so a point has the channels of all of them; but phases that have a tap less than
 * others lack the point at infinity, where that tap would stand alone. So 3x3 with stride 2 has 81 products a channel
 * and a filter for 4x4 outputs, in place of 144; and as a phase's only tap on an axis is the same for all points
 * (winograd.h), they take 36 transformed kernels. */
#include <string.h>

#include "tensor/activation_internal.h"
#include "tensor/conv_pass_internal.h"
#include "tensor/panels_internal.h"
#include "tensor/tiles_internal.h"

enum {
    ALIGN = LS_COLUMNS_ALIGN, /* channels and filters are multiples of it: no vector has a rest */
    POINTS_MAX = LS_WINOGRAD_POINTS_MAX,
    PHASES_MAX = 4,
    CACHE_FLOATS = 150000, /* of transformed pieces and products a task */
    TILES_MIN = 12,        /* a task, and at most TILES_MAX: */
    TILES_MAX = 48,
    HEIGHT = 6, /* in multiples of the height of the products' widest tiles */
    TASKS = 3,  /* a thread: with fewer blocks of tiles, panels are divided among tasks, too */
    LINE = 16,  /* points are that much further apart, as powers of two would share a cache set */
    /* What an average costs, as multiplications: measured. */
    TRANSFORM_WORK = 16, /* to transform a number, of a piece or a product */
    PIXEL_WORK = 200     /* to find a pixel of a piece */
};

/* A phase that has taps. */
typedef struct phase {
    ls_winograd_part part;
    ls_winograd_window window;                       /* h.n x w.n pixels, and points */
    bool one_h, one_w;                               /* one tap, where others have two */
    int64_t step[POINTS_MAX], packed_at[POINTS_MAX]; /* of a point: where its channels begin in the sums, and where its
                                                        transformed kernel's panels do; NONE: not there */
} phase;

enum { NONE = -1 };

typedef struct plan {
    const ls_conv_pass *pass;
    ls_winograd_shape shape; /* of the phase with the most taps; its pieces are the tiles */
    int64_t phases;
    phase phase[PHASES_MAX];
    int64_t steps[POINTS_MAX], all_steps; /* of a point's sums, and of all */
    int64_t tiles, block, blocks;         /* of all pictures, tiles a task, and tasks */
    int64_t panel_groups;
    float *packed; /* transformed kernels */
    float *private;
    int64_t packed_floats;
    int64_t piece_at[POINTS_MAX], pieces_floats, product_floats, private_floats; /* pieces of a point */
} plan;

static ls_winograd_shape shape_of(const ls_conv_pass *pass, int64_t index) {
    return ls_winograd_shape_of(&pass->picture, index, pass->out_h, pass->out_w);
}

/* Kernels of as many taps on both axes, or of one tap on one of them: of each phase. */
static bool has_form(const ls_conv_pass *pass) {
    const ls_picture *v = &pass->picture;
    ls_winograd_shape s = shape_of(pass, 0);
    return ls_winograd_has_form(&s) && s.axes > 0 && s.axes == (v->kernel_h > 1) + (v->kernel_w > 1) &&
           v->stride_h * v->stride_w <= PHASES_MAX;
}

static phase phase_of(const plan *n, int64_t index) {
    const ls_picture *v = &n->pass->picture;
    ls_winograd_shape s = shape_of(n->pass, index);
    bool less_h = s.h.r < n->shape.h.r, less_w = s.w.r < n->shape.w.r;
    const ls_winograd_part parts[2][2] = {{LS_WINOGRAD_INPUT, LS_WINOGRAD_INPUT_LESS_ACROSS},
                                          {LS_WINOGRAD_INPUT_LESS_DOWN, LS_WINOGRAD_INPUT_LESS}};
    s.h.n = n->shape.h.n - less_h;
    s.w.n = n->shape.w.n - less_w;
    return (phase){.part = parts[less_h][less_w],
                   .window = {v->h, v->w, v->c, s.h, s.w},
                   .one_h = less_h && s.h.r == 1,
                   .one_w = less_w && s.w.r == 1};
}

/* Points that have a phase's only tap on an axis in common share the packed kernel of the first of them. */
static void plan_point(plan *n, phase *f, int64_t p) {
    int64_t i = p / n->shape.w.n, j = p % n->shape.w.n, first = (f->one_h ? 0 : i) * n->shape.w.n + (f->one_w ? 0 : j);
    f->step[p] = NONE;
    if (i >= f->window.h.n || j >= f->window.w.n) return;
    f->step[p] = n->steps[p];
    n->steps[p] += n->pass->picture.c;
    f->packed_at[p] = first < p ? f->packed_at[first] : n->packed_floats;
    if (first == p) n->packed_floats += n->pass->picture.c * n->pass->o + LINE;
}

static void plan_phases(plan *n) {
    const ls_picture *v = &n->pass->picture;
    for (int64_t k = 0; k < v->stride_h * v->stride_w; k++) {
        phase f = phase_of(n, k);
        if (f.window.h.n * f.window.w.n > 0) n->phase[n->phases++] = f;
    }
    for (int64_t p = 0; p < n->shape.points; p++) {
        for (int64_t k = 0; k < n->phases; k++) plan_point(n, &n->phase[k], p);
        n->all_steps += n->steps[p];
    }
}

static plan plan_of(const ls_conv_pass *pass, int64_t rows, float *scratch) {
    const ls_picture *picture = &pass->picture;
    plan n = {.pass = pass, .shape = shape_of(pass, 0)};
    plan_phases(&n);
    n.tiles = rows * n.shape.pieces;
    int64_t fit = CACHE_FLOATS / (n.all_steps + n.shape.points * LS_TILE_COLUMNS_MAX) / HEIGHT * HEIGHT;
    n.block = ls_max(TILES_MIN, ls_min(TILES_MAX, fit));
    n.blocks = ls_ceil_div(n.tiles, n.block);
    for (int64_t p = 0; p < n.shape.points; p++) {
        n.piece_at[p] = n.pieces_floats;
        n.pieces_floats += n.block * n.steps[p] + LINE;
    }
    n.product_floats = n.block * LS_TILE_COLUMNS_MAX + LINE;
    int64_t taps_floats = (1 + n.shape.taps) * ALIGN * LS_TILE_COLUMNS_MAX;
    int64_t block_floats = picture->c + LS_TILE_COLUMNS_MAX + n.pieces_floats;
    n.private_floats = ls_max(taps_floats, block_floats + n.shape.points * n.product_floats);
    if (!scratch) return n;
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
    plan n = plan_of(pass, 1, NULL);
    int64_t direct = picture->kernel_h * picture->kernel_w * pass->out_h * pass->out_w * c * o;
    int64_t transformed = n.all_steps + n.shape.points * o, pixels = n.phases * n.shape.points;
    int64_t tile = n.all_steps * o + TRANSFORM_WORK * transformed + PIXEL_WORK * pixels;
    return 11 * (n.tiles * tile + n.packed_floats / 2) <= 10 * direct;
}

/* ALIGN channels of a phase and panel: the taps side by side, and from these the points. */
static void pack_task(void *context, int64_t task, int thread) {
    const plan *n = context;
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
        int64_t a = f->window.h.first + k / taps_w * picture->stride_h,
                b = f->window.w.first + k % taps_w * picture->stride_w;
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
    ls_winograd_piece piece = {.channels = floats, .in = in, .out = out};
    ls_winograd_transform(n->shape.form, LS_WINOGRAD_KERNEL, axes, &piece);
}

/* A task's tiles, and its part of its thread's memory. */
typedef struct block {
    const plan *n;
    int64_t begin, count;
    float *zeros;    /* channels that a picture has not */
    float *unread;   /* filters of pixels that are not there: nobody reads them */
    float *pieces;   /* a point [count][steps], */
    float *products; /* and [points][count][columns of a panel] */
} block;

static block block_of(const plan *n, int64_t begin, int thread) {
    block k = {.n = n, .begin = begin, .count = ls_min(n->block, n->tiles - begin)};
    k.zeros = n->private + thread * n->private_floats;
    k.unread = k.zeros + n->pass->picture.c;
    k.pieces = k.unread + LS_TILE_COLUMNS_MAX;
    k.products = k.pieces + n->pieces_floats;
    return k;
}

/* Where the points of a phase of tile t go. */
static void find_points(const block *k, int64_t t, const phase *f, float **out) {
    const plan *n = k->n;
    for (int64_t i = 0; i < f->window.h.n; i++)
        for (int64_t j = 0, p = i * n->shape.w.n; j < f->window.w.n; j++, p++)
            *out++ = k->pieces + n->piece_at[p] + t * n->steps[p] + f->step[p];
}

static void transform_inputs(const block *k, const phase *f) {
    const plan *n = k->n;
    const float *in[POINTS_MAX];
    float *out[POINTS_MAX];
    for (int64_t t = 0; t < k->count; t++) {
        ls_winograd_find(&n->shape, &f->window, n->pass->x, k->begin + t, k->zeros, in);
        find_points(k, t, f, out);
        ls_winograd_piece piece = {.channels = n->pass->picture.c, .in = in, .out = out};
        ls_winograd_transform(n->shape.form, f->part, n->shape.axes, &piece);
    }
}

static void multiply(const block *k, const ls_panel *panel) {
    const plan *n = k->n;
    int64_t c = n->pass->picture.c, a_row[TILES_MAX], c_row[TILES_MAX], b_place[PHASES_MAX];
    for (int64_t p = 0; p < n->shape.points; p++) {
        int64_t segments = 0;
        for (int64_t f = 0; f < n->phases; f++)
            if (n->phase[f].step[p] != NONE) b_place[segments++] = n->phase[f].packed_at[p];
        for (int64_t t = 0; t < k->count; t++) a_row[t] = t * n->steps[p], c_row[t] = t * panel->row_floats;
        ls_tile tile = {.segments = segments,
                        .steps = c,
                        .a = k->pieces + n->piece_at[p],
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

/* Where the outputs of tile t go. */
static void find_outputs(const block *k, const ls_panel *panel, int64_t t, float **out) {
    const plan *n = k->n;
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
    const plan *n = k->n;
    const ls_conv_pass *pass = n->pass;
    static const float no_bias[LS_TILE_COLUMNS_MAX];
    const float *in[POINTS_MAX];
    float *out[POINTS_MAX];
    ls_winograd_piece piece = {.channels = panel->columns,
                               .in = in,
                               .out = out,
                               .bias = pass->bias ? pass->bias + panel->begin : no_bias,
                               .relu = pass->activation == LS_ACTIVATION_RELU};
    for (int64_t t = 0; t < k->count; t++) {
        for (int64_t p = 0; p < n->shape.points; p++)
            in[p] = k->products + p * n->product_floats + t * panel->row_floats;
        find_outputs(k, panel, t, out);
        ls_winograd_transform(n->shape.form, LS_WINOGRAD_OUTPUT, n->shape.axes, &piece);
        for (int64_t q = 0; ls_activation_is_late(pass->activation) && q < n->shape.h.m * n->shape.w.m; q++)
            ls_activation_apply(pass->activation, panel->columns, out[q], out[q]);
    }
}

/* The block's part of the pictures, more or less, in the order of memory: a stream that hardware foresees, which tiles'
 * pixels are not. */
static void read_ahead(const block *k) {
    const plan *n = k->n;
    const ls_picture *v = &n->pass->picture;
    int64_t tile_floats = v->h * v->w * v->c / n->shape.pieces;
    const volatile float *x = n->pass->x + k->begin * tile_floats;
    for (int64_t q = 0; q < k->count * tile_floats; q += LINE) (void)x[q];
}

static void block_task(void *context, int64_t task, int thread) {
    const plan *n = context;
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
static void divide(plan *n, int threads) {
    n->panel_groups = 1;
    while (n->blocks * n->panel_groups < TASKS * threads && 2 * n->panel_groups <= ls_panel_count(n->pass->o))
        n->panel_groups *= 2;
    if (n->panel_groups == 1) n->blocks = ls_round_up(n->blocks, threads);
    n->block = ls_ceil_div(n->tiles, n->blocks);
    n->blocks = ls_ceil_div(n->tiles, n->block);
}

void ls_conv_winograd_run(ls_pool *pool, const ls_conv_pass *pass, int64_t rows, float *scratch) {
    if (rows == 0) return;
    plan n = plan_of(pass, rows, scratch);
    divide(&n, ls_pool_threads(pool));
    ls_pool_run(pool, ls_panel_count(pass->o) * n.phases * (pass->picture.c / ALIGN), pack_task, &n);
    ls_pool_run(pool, n.blocks * n.panel_groups, block_task, &n);
}

int64_t ls_conv_winograd_scratch(const ls_conv_pass *pass, int threads) {
    plan n = plan_of(pass, 1, NULL);
    return n.packed_floats + threads * n.private_floats;
}

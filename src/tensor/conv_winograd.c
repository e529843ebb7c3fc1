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

#include "tensor/conv_pass.h"
#include "tensor/product.h"

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
    int64_t a, b; /* its remainders */
    ls_winograd_part part;
    int64_t n_h, n_w;                                /* points */
    bool one_h, one_w;                               /* one tap, where others have two */
    int64_t step[POINTS_MAX], packed_at[POINTS_MAX]; /* of a point: where its channels begin in the sums, and where its
                                                        transformed kernel's panels do; NONE: not there */
} phase;

enum { NONE = -1 };

typedef struct plan {
    const ls_conv_pass *pass;
    ls_winograd_form form;
    int axes;
    int64_t taps_h, taps_w, m_h, m_w, n_h, n_w;
    int64_t phases, points;
    phase phase[PHASES_MAX];
    int64_t steps[POINTS_MAX], all_steps; /* of a point's sums, and of all */
    int64_t down, across, tiles;          /* tiles of a picture, and of all */
    int64_t block, blocks;                /* tiles a task */
    int64_t panel_groups;
    float *packed; /* transformed kernels */
    float *private;
    int64_t packed_floats;
    int64_t piece_at[POINTS_MAX], pieces_floats, product_floats, private_floats; /* pieces of a point */
} plan;

/* Kernels of as many taps on both axes, or of one tap on one of them: of each phase. */
static bool form_of(const ls_picture *picture, ls_winograd_form *form) {
    int64_t taps_h = ceil_div(picture->kernel_h, picture->stride_h);
    int64_t taps_w = ceil_div(picture->kernel_w, picture->stride_w);
    if (taps_h != taps_w && picture->kernel_h != 1 && picture->kernel_w != 1) return false;
    if (picture->stride_h * picture->stride_w > PHASES_MAX) return false;
    for (int f = 0; f < LS_WINOGRAD_FORMS; f++) {
        *form = (ls_winograd_form)f;
        if (ls_winograd[f].r == ls_max(taps_h, taps_w)) return true;
    }
    return false;
}

/* Taps that the phase of remainder a has on an axis. */
static int64_t taps_of(int64_t kernel, int64_t stride, int64_t a) { return ceil_div(kernel - a, stride); }

static phase phase_of(const plan *n, int64_t a, int64_t b) {
    const ls_picture *v = &n->pass->picture;
    bool less_h = taps_of(v->kernel_h, v->stride_h, a) < n->taps_h;
    bool less_w = taps_of(v->kernel_w, v->stride_w, b) < n->taps_w;
    const ls_winograd_part parts[2][2] = {{LS_WINOGRAD_INPUT, LS_WINOGRAD_INPUT_LESS_ACROSS},
                                          {LS_WINOGRAD_INPUT_LESS_DOWN, LS_WINOGRAD_INPUT_LESS}};
    return (phase){.a = a,
                   .b = b,
                   .part = parts[less_h][less_w],
                   .n_h = n->n_h - less_h,
                   .n_w = n->n_w - less_w,
                   .one_h = less_h && n->taps_h == 2,
                   .one_w = less_w && n->taps_w == 2};
}

/* Points that have a phase's only tap on an axis in common share the packed kernel of the first of them. */
static void plan_point(plan *n, phase *f, int64_t p) {
    int64_t i = p / n->n_w, j = p % n->n_w, first = (f->one_h ? 0 : i) * n->n_w + (f->one_w ? 0 : j);
    f->step[p] = NONE;
    if (i >= f->n_h || j >= f->n_w) return;
    f->step[p] = n->steps[p];
    n->steps[p] += n->pass->picture.c;
    f->packed_at[p] = first < p ? f->packed_at[first] : n->packed_floats;
    if (first == p) n->packed_floats += n->pass->picture.c * n->pass->o + LINE;
}

static void plan_phases(plan *n) {
    const ls_picture *v = &n->pass->picture;
    for (int64_t k = 0; k < v->stride_h * v->stride_w; k++) {
        phase f = phase_of(n, k / v->stride_w, k % v->stride_w);
        if (f.n_h * f.n_w > 0) n->phase[n->phases++] = f;
    }
    for (int64_t p = 0; p < n->points; p++) {
        for (int64_t k = 0; k < n->phases; k++) plan_point(n, &n->phase[k], p);
        n->all_steps += n->steps[p];
    }
}

static plan plan_of(const ls_conv_pass *pass, int64_t rows, float *scratch) {
    const ls_picture *picture = &pass->picture;
    plan n = {.pass = pass, .m_h = 1, .m_w = 1, .n_h = 1, .n_w = 1};
    form_of(picture, &n.form);
    const ls_winograd_matrices *form = &ls_winograd[n.form];
    if (picture->kernel_h > 1) n.axes++, n.m_h = form->m, n.n_h = form->n;
    if (picture->kernel_w > 1) n.axes++, n.m_w = form->m, n.n_w = form->n;
    n.taps_h = ceil_div(picture->kernel_h, picture->stride_h);
    n.taps_w = ceil_div(picture->kernel_w, picture->stride_w);
    n.points = n.n_h * n.n_w;
    plan_phases(&n);
    n.down = ceil_div(pass->out_h, n.m_h);
    n.across = ceil_div(pass->out_w, n.m_w);
    n.tiles = rows * n.down * n.across;
    int64_t fit = CACHE_FLOATS / (n.all_steps + n.points * LS_TILE_COLUMNS_MAX) / HEIGHT * HEIGHT;
    n.block = ls_max(TILES_MIN, ls_min(TILES_MAX, fit));
    n.blocks = ceil_div(n.tiles, n.block);
    for (int64_t p = 0; p < n.points; p++) {
        n.piece_at[p] = n.pieces_floats;
        n.pieces_floats += n.block * n.steps[p] + LINE;
    }
    n.product_floats = n.block * LS_TILE_COLUMNS_MAX + LINE;
    int64_t taps_floats = (1 + n.taps_h * n.taps_w) * ALIGN * LS_TILE_COLUMNS_MAX;
    int64_t block_floats = picture->c + LS_TILE_COLUMNS_MAX + n.pieces_floats;
    n.private_floats = ls_max(taps_floats, block_floats + n.points * n.product_floats);
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
    ls_winograd_form form;
    if (c % ALIGN != 0 || o % ALIGN != 0 || !form_of(picture, &form)) return false;
    plan n = plan_of(pass, 1, NULL);
    int64_t direct = picture->kernel_h * picture->kernel_w * pass->out_h * pass->out_w * c * o;
    int64_t tile = n.all_steps * o + TRANSFORM_WORK * (n.all_steps + n.points * o) + PIXEL_WORK * n.phases * n.points;
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
    int64_t taps_h = f->one_h ? 1 : n->taps_h, taps_w = f->one_w ? 1 : n->taps_w;
    for (int64_t k = 0; k < taps_h * taps_w; k++) {
        int64_t a = f->a + k / taps_w * picture->stride_h, b = f->b + k % taps_w * picture->stride_w;
        ls_matrix w = {pass->w + pass->w_begin + a * pass->tap_row + b * pass->tap_column, pass->w_stride,
                       pass->transposed};
        in[k] = taps + k * floats;
        if (a < picture->kernel_h && b < picture->kernel_w)
            ls_panel_pack(&panel, ALIGN, ls_matrix_part(w, channel, panel.begin), taps + k * floats);
        else
            memset(taps + k * floats, 0, (size_t)floats * sizeof *taps);
    }
    int64_t n_h = f->one_h ? 1 : n->n_h, n_w = f->one_w ? 1 : n->n_w;
    for (int64_t k = 0; k < n_h * n_w; k++) {
        int64_t p = k / n_w * n->n_w + k % n_w;
        float *at = n->packed + f->packed_at[p] + panel.begin * picture->c + channel * panel.row_floats;
        out[k] = f->step[p] == NONE ? unread : at;
    }
    int axes = n->axes - f->one_h - f->one_w;
    ls_winograd_piece piece = {.channels = floats, .in = in, .out = out};
    if (axes > 0)
        ls_winograd_kernels_get()->run[n->form][LS_WINOGRAD_KERNEL][axes](&piece);
    else
        memcpy(out[0], in[0], (size_t)floats * sizeof *taps);
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

typedef struct place {
    int64_t row, i, j; /* its sample and first pixel among the outputs */
} place;

static place place_of(const plan *n, int64_t tile) {
    return (place){
        .row = tile / (n->down * n->across), .i = tile / n->across % n->down * n->m_h, .j = tile % n->across * n->m_w};
}

/* Where the inputs of a phase of tile t lie. */
static void find_inputs(const block *k, int64_t t, const phase *f, const float **in) {
    const plan *n = k->n;
    const ls_picture *v = &n->pass->picture;
    place at = place_of(n, k->begin + t);
    const float *x = n->pass->x + at.row * v->h * v->w * v->c;
    int64_t top = at.i * v->stride_h + f->a - v->pad_top;
    int64_t left = at.j * v->stride_w + f->b - v->pad_left;
    for (int64_t p = 0, i = top; p < f->n_h; p++, i += v->stride_h)
        for (int64_t q = 0, j = left; q < f->n_w; q++, j += v->stride_w) {
            bool inside = i >= 0 && i < v->h && j >= 0 && j < v->w;
            *in++ = inside ? x + (i * v->w + j) * v->c : k->zeros;
        }
}

/* And where its points go. */
static void find_points(const block *k, int64_t t, const phase *f, float **out) {
    const plan *n = k->n;
    for (int64_t i = 0; i < f->n_h; i++)
        for (int64_t j = 0, p = i * n->n_w; j < f->n_w; j++, p++)
            *out++ = k->pieces + n->piece_at[p] + t * n->steps[p] + f->step[p];
}

static void transform_inputs(const block *k, const phase *f) {
    const plan *n = k->n;
    const float *in[POINTS_MAX];
    float *out[POINTS_MAX];
    for (int64_t t = 0; t < k->count; t++) {
        find_inputs(k, t, f, in);
        find_points(k, t, f, out);
        ls_winograd_piece piece = {.channels = n->pass->picture.c, .in = in, .out = out};
        ls_winograd_kernels_get()->run[n->form][f->part][n->axes](&piece);
    }
}

static void multiply(const block *k, const ls_panel *panel) {
    const plan *n = k->n;
    int64_t c = n->pass->picture.c, a_row[TILES_MAX], c_row[TILES_MAX], b_place[PHASES_MAX];
    for (int64_t p = 0; p < n->points; p++) {
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
        ls_tiles_run(&tile, k->count);
    }
}

/* Where the outputs of tile t go. */
static void find_outputs(const block *k, const ls_panel *panel, int64_t t, float **out) {
    const plan *n = k->n;
    const ls_conv_pass *pass = n->pass;
    place at = place_of(n, k->begin + t);
    float *y = pass->y + pass->out_begin + at.row * pass->out_picture + panel->begin;
    for (int64_t i = at.i; i < at.i + n->m_h; i++)
        for (int64_t j = at.j; j < at.j + n->m_w; j++) {
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
        for (int64_t p = 0; p < n->points; p++) in[p] = k->products + p * n->product_floats + t * panel->row_floats;
        find_outputs(k, panel, t, out);
        ls_winograd_kernels_get()->run[n->form][LS_WINOGRAD_OUTPUT][n->axes](&piece);
        for (int64_t q = 0; ls_activation_is_late(pass->activation) && q < n->m_h * n->m_w; q++)
            ls_activation_apply(pass->activation, panel->columns, out[q], out[q]);
    }
}

/* The block's part of the pictures, more or less, in the order of memory: a stream that hardware foresees, which tiles'
 * pixels are not. */
static void read_ahead(const block *k) {
    const plan *n = k->n;
    const ls_picture *v = &n->pass->picture;
    int64_t tile_floats = v->h * v->w * v->c / (n->down * n->across);
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
    if (n->panel_groups == 1) n->blocks = round_up(n->blocks, threads);
    n->block = ceil_div(n->tiles, n->blocks);
    n->blocks = ceil_div(n->tiles, n->block);
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

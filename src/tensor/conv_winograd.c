/* conv_winograd.c - convolutions with less arithmetic than their sums have: Winograd's minimal filtering (winograd.h).
 *
 * A picture's outputs fall into tiles of m_h x m_w, each made of a piece of n_h x n_w of its inputs; pieces overlap. A
 * task takes some tiles, of one picture or several, all the way while they stay in the second-level cache: pieces
 * transformed, a product a point, and for each panel of filters the outputs of its products. Tiles at the edges are
 * computed whole: what they lack is read from zeros, what they have too much goes to a place that nobody reads. */
#include "tensor/conv_pass.h"
#include "tensor/product.h"

enum {
    ALIGN = LS_COLUMNS_ALIGN, /* channels and filters are multiples of it: no vector has a rest */
    CACHE_FLOATS = 100000,    /* of transformed pieces and products a task */
    TILES_MIN = 6,            /* a task, and at most TILES_MAX: multiples of the height of the products' widest tiles */
    TILES_MAX = 48,
    TASKS = 8,          /* fewer blocks of tiles than that: panels are divided among tasks, too */
    LINE = 16,          /* points are that much further apart, as powers of two would share a cache set */
    TRANSFORM_WORK = 16 /* as many multiplications as a number of a piece, or of a product, costs besides: measured */
};

typedef struct plan {
    const ls_conv_pass *pass;
    ls_winograd_form form;
    int axes;
    int64_t m_h, m_w, n_h, n_w, points;
    int64_t down, across, tiles; /* tiles of a picture, and of all */
    int64_t block, blocks;       /* tiles a task */
    int64_t panel_groups;
    float *packed; /* the transformed kernel: panels, a point after the other */
    float *private;
    int64_t point_floats, piece_floats, product_floats, private_floats;
} plan;

/* Kernels of as many taps on both axes, or of one tap on one of them. */
static bool form_of(const ls_picture *picture, ls_winograd_form *form) {
    int64_t most = ls_max(picture->kernel_h, picture->kernel_w), least = ls_min(picture->kernel_h, picture->kernel_w);
    for (int f = 0; f < LS_WINOGRAD_FORMS; f++) {
        *form = (ls_winograd_form)f;
        if (ls_winograd[f].r == most && (least == most || least == 1)) return true;
    }
    return false;
}

static plan plan_of(const ls_conv_pass *pass, int64_t rows, float *scratch) {
    const ls_picture *picture = &pass->picture;
    plan n = {.pass = pass, .m_h = 1, .m_w = 1, .n_h = 1, .n_w = 1};
    form_of(picture, &n.form);
    const ls_winograd_matrices *form = &ls_winograd[n.form];
    if (picture->kernel_h > 1) n.axes++, n.m_h = form->m, n.n_h = form->n;
    if (picture->kernel_w > 1) n.axes++, n.m_w = form->m, n.n_w = form->n;
    n.points = n.n_h * n.n_w;
    n.down = ceil_div(pass->out_h, n.m_h);
    n.across = ceil_div(pass->out_w, n.m_w);
    n.tiles = rows * n.down * n.across;
    int64_t fit = CACHE_FLOATS / (n.points * (picture->c + LS_TILE_COLUMNS_MAX)) / TILES_MIN * TILES_MIN;
    n.block = ls_max(TILES_MIN, ls_min(TILES_MAX, fit));
    n.blocks = ceil_div(n.tiles, n.block);
    n.point_floats = picture->c * pass->o;
    n.piece_floats = n.block * picture->c + LINE;
    n.product_floats = n.block * LS_TILE_COLUMNS_MAX + LINE;
    int64_t taps_floats = picture->kernel_h * picture->kernel_w * ALIGN * LS_TILE_COLUMNS_MAX;
    n.private_floats =
        ls_max(taps_floats, picture->c + LS_TILE_COLUMNS_MAX + n.points * (n.piece_floats + n.product_floats));
    if (!scratch) return n;
    n.packed = scratch;
    n.private = scratch + n.points * n.point_floats;
    return n;
}

/* Where it is a tenth faster or more: a rule of the shape alone, as neither rows nor threads nor instruction set may
 * decide what bits there are. */
bool ls_conv_winograd_suits(const ls_conv_pass *pass) {
    const ls_picture *picture = &pass->picture;
    int64_t c = picture->c, o = pass->o;
    ls_winograd_form form;
    if (picture->stride_h != 1 || picture->stride_w != 1 || c % ALIGN != 0 || o % ALIGN != 0) return false;
    if (!form_of(picture, &form)) return false;
    plan n = plan_of(pass, 1, NULL);
    int64_t direct = picture->kernel_h * picture->kernel_w * pass->out_h * pass->out_w * c * o;
    return 11 * n.points * n.tiles * (c * o + TRANSFORM_WORK * (c + o)) <= 10 * direct;
}

/* ALIGN channels of a panel: the taps side by side, and from these the points. */
static void pack_task(void *context, int64_t task, int thread) {
    const plan *n = context;
    const ls_conv_pass *pass = n->pass;
    const ls_picture *picture = &pass->picture;
    int64_t channel_blocks = picture->c / ALIGN, channel = task % channel_blocks * ALIGN;
    ls_panel panel = ls_panel_at(pass->o, task / channel_blocks);
    int64_t floats = ALIGN * panel.row_floats;
    const float *in[LS_WINOGRAD_POINTS_MAX];
    float *out[LS_WINOGRAD_POINTS_MAX], *taps = n->private + thread * n->private_floats;
    for (int64_t k = 0; k < picture->kernel_h * picture->kernel_w; k++, taps += floats) {
        int64_t at = pass->w_begin + k / picture->kernel_w * pass->tap_row + k % picture->kernel_w * pass->tap_column;
        ls_matrix w = {pass->w + at, pass->w_stride, pass->transposed};
        ls_panel_pack(&panel, ALIGN, ls_matrix_part(w, channel, panel.begin), taps);
        in[k] = taps;
    }
    for (int64_t p = 0; p < n->points; p++)
        out[p] = n->packed + p * n->point_floats + panel.begin * picture->c + channel * panel.row_floats;
    ls_winograd_piece piece = {.channels = floats, .in = in, .out = out};
    ls_winograd_kernels_get()->run[n->form][LS_WINOGRAD_KERNEL][n->axes](&piece);
}

/* A task's tiles, and its part of its thread's memory. */
typedef struct block {
    const plan *n;
    int64_t begin, count;
    float *zeros;    /* channels that a picture has not */
    float *unread;   /* filters of pixels that it has not */
    float *pieces;   /* [points][count][c], */
    float *products; /* and [points][count][columns of a panel] */
} block;

static block block_of(const plan *n, int64_t begin, int thread) {
    block k = {.n = n, .begin = begin, .count = ls_min(n->block, n->tiles - begin)};
    k.zeros = n->private + thread * n->private_floats;
    k.unread = k.zeros + n->pass->picture.c;
    k.pieces = k.unread + LS_TILE_COLUMNS_MAX;
    k.products = k.pieces + n->points * n->piece_floats;
    return k;
}

typedef struct place {
    int64_t row, i, j; /* its sample and first pixel among the outputs */
} place;

static place place_of(const plan *n, int64_t tile) {
    return (place){
        .row = tile / (n->down * n->across), .i = tile / n->across % n->down * n->m_h, .j = tile % n->across * n->m_w};
}

/* Where the inputs of tile t lie. */
static void find_inputs(const block *k, int64_t t, const float **in) {
    const plan *n = k->n;
    const ls_picture *picture = &n->pass->picture;
    place at = place_of(n, k->begin + t);
    const float *x = n->pass->x + at.row * picture->h * picture->w * picture->c;
    for (int64_t p = 0; p < n->points; p++) {
        int64_t i = at.i + p / n->n_w - picture->pad_top, j = at.j + p % n->n_w - picture->pad_left;
        bool inside = i >= 0 && i < picture->h && j >= 0 && j < picture->w;
        in[p] = inside ? x + (i * picture->w + j) * picture->c : k->zeros;
    }
}

/* Pixels of a few rows at a time are no stream that hardware foresees. */
static void prefetch(const float *pixel, int64_t channels) {
    for (int64_t q = 0; q < channels; q += LINE) __builtin_prefetch(pixel + q);
}

static void transform_inputs(const block *k) {
    const plan *n = k->n;
    int64_t c = n->pass->picture.c;
    const float *in[2][LS_WINOGRAD_POINTS_MAX];
    float *out[LS_WINOGRAD_POINTS_MAX];
    for (int64_t q = 0; q < c; q++) k->zeros[q] = 0;
    find_inputs(k, 0, in[0]);
    for (int64_t t = 0; t < k->count; t++) {
        const float **next = in[(t + 1) % 2];
        find_inputs(k, ls_min(t + 1, k->count - 1), next);
        for (int64_t p = 0; p < n->points; p++) {
            if (p % n->n_w >= n->n_w - n->m_w) prefetch(next[p], c); /* the others are this tile's, too */
            out[p] = k->pieces + p * n->piece_floats + t * c;
        }
        ls_winograd_piece piece = {.channels = c, .in = in[t % 2], .out = out};
        ls_winograd_kernels_get()->run[n->form][LS_WINOGRAD_INPUT][n->axes](&piece);
    }
}

static void multiply(const block *k, const ls_panel *panel) {
    const plan *n = k->n;
    int64_t a_row[TILES_MAX], c_row[TILES_MAX], c = n->pass->picture.c;
    for (int64_t t = 0; t < k->count; t++) a_row[t] = t * c, c_row[t] = t * panel->row_floats;
    for (int64_t p = 0; p < n->points; p++) {
        ls_tile tile = {.segments = 1,
                        .steps = c,
                        .a = k->pieces + p * n->piece_floats,
                        .a_row = a_row,
                        .a_step = 1,
                        .b = n->packed + p * n->point_floats + panel->begin * c,
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
    for (int64_t q = 0; q < n->m_h * n->m_w; q++) {
        int64_t i = at.i + q / n->m_w, j = at.j + q % n->m_w;
        bool inside = i < pass->out_h && j < pass->out_w;
        out[q] = inside ? y + i * pass->out_row + j * pass->out_column : k->unread;
    }
}

static void transform_outputs(const block *k, const ls_panel *panel) {
    const plan *n = k->n;
    const ls_conv_pass *pass = n->pass;
    static const float no_bias[LS_TILE_COLUMNS_MAX];
    const float *in[LS_WINOGRAD_POINTS_MAX];
    float *out[LS_WINOGRAD_POINTS_MAX];
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

static void block_task(void *context, int64_t task, int thread) {
    const plan *n = context;
    block k = block_of(n, task / n->panel_groups * n->block, thread);
    int64_t group = task % n->panel_groups, panels = ls_panel_count(n->pass->o);
    transform_inputs(&k);
    for (int64_t p = group * panels / n->panel_groups; p < (group + 1) * panels / n->panel_groups; p++) {
        ls_panel panel = ls_panel_at(n->pass->o, p);
        multiply(&k, &panel);
        transform_outputs(&k, &panel);
    }
}

void ls_conv_winograd_run(ls_pool *pool, const ls_conv_pass *pass, int64_t rows, float *scratch) {
    plan n = plan_of(pass, rows, scratch);
    n.panel_groups = ls_min(ls_panel_count(pass->o), ceil_div(TASKS, ls_max(1, n.blocks)));
    ls_pool_run(pool, ls_panel_count(pass->o) * (pass->picture.c / ALIGN), pack_task, &n);
    ls_pool_run(pool, n.blocks * n.panel_groups, block_task, &n);
}

int64_t ls_conv_winograd_scratch(const ls_conv_pass *pass, int threads) {
    plan n = plan_of(pass, 1, NULL);
    return n.points * n.point_floats + threads * n.private_floats;
}

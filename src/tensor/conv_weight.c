/* conv_weight.c - the weight gradient of a convolution: a sum over pixels.
 *
 * A task takes some taps, channels and filters of a run of lanes, and keeps their sums, and those that wait in the
 * tree, in the second-level cache. There are three ways to make a block of the gradient:
 *
 *   upright   Rows are elements (a, b, c) of the kernel, columns filters. The steps are the pixels of rows of outputs.
 *   flat      For few filters, that would fill a small part of a vector. Rows are (a, o), columns (b, c), which lie
 * side by side in the padded picture. The steps are the pixels of rows of the picture. Row y of it meets row y - a of
 * dy, which is zero where there is no such row: that adds zeros to a chain and changes no bit. winograd  By minimal
 * filtering (conv_weight_winograd_internal.h), a phase of the kernel at a time.
 *
 * Where the picture is up-sampled first, the sums are those of the turned convolution (conv_pass_internal.h), never
 * flat, with dy as the picture that its kernel slides over. Each lane's sum is folded to the kernel's own taps before
 * lanes are added. */
#include "tensor/conv_weight_internal.h"

#include <string.h>

#include "tensor/bias.h"
#include "tensor/conv_pass_internal.h"
#include "tensor/conv_weight_winograd_internal.h"
#include "tensor/panels_internal.h"
#include "tensor/tiles_internal.h"
#include "tensor/vector.h"

enum {
    ROWS = 320,                    /* of a task: about so many elements (a, b, c) */
    COLUMNS = LS_TILE_COLUMNS_MAX, /* of a task: filters, at most */
    BAND_FLOATS = 16384, /* of the picture, and of dy, that are passed over at once beside the sums in a cache */
    TASKS = 16           /* with fewer blocks, lanes are divided among tasks, too */
};

enum layout { UPRIGHT, FLAT, WINOGRAD };

typedef struct gradient {
    const ls_conv *conv;   /* whose kernel's gradient is wanted, turned if it is up-sampled */
    const ls_conv *folded; /* the up-sampled convolution, or NULL */
    const ls_rows *rows;
    const float *x, *dy;
    enum layout layout;
    int64_t channel_block, channel_blocks, column_block, column_blocks;
    int64_t phases;                       /* whose gradients are tasks of their own: 1 where none are */
    int64_t band, bands;                  /* rows of outputs that are passed over at once; flat: of the picture */
    int64_t together;                     /* samples that are, where one band has all rows */
    int64_t split;                        /* runs of lanes that a subtree is divided into, at most */
    int group_begin[LS_SUBTREES_MAX + 1]; /* subtree i has the runs [group_begin[i], group_begin[i + 1]) */
    float *parts;                         /* their sums, where a subtree has more than one */
    float *const *dw;
    /* A thread's: tables of a block's rows, bands of picture and dy, and sums. */
    float *private;
    int64_t table_floats, picture_floats, dy_floats, sum_floats, private_floats;
} gradient;

static int64_t taps_of(const ls_conv *conv) { return conv->kernel_h * conv->kernel_w; }
static int64_t weights_of(const ls_conv *conv) { return taps_of(conv) * conv->c * conv->o; }

static int64_t blocks_of(const gradient *g) { return g->channel_blocks * g->column_blocks * g->phases; }

/* Taps of the kernel that a block has, and which. */
static int64_t taps_of_block(const gradient *g, int64_t phase) {
    return g->phases > 1 ? ls_winograd_gradient_taps(g->conv, phase) : taps_of(g->conv);
}
static int64_t tap_of_block(const gradient *g, int64_t phase, int64_t i) {
    return g->phases > 1 ? ls_winograd_gradient_tap(g->conv, phase, i) : i;
}

/* Those of the result. */
static int64_t gradient_weights(const gradient *g) { return weights_of(g->folded != NULL ? g->folded : g->conv); }

/* turned: conv is what an up-sampled one is turned to. lanes: of a vector; whether filtering is minimal does not depend
 * on it, as that decides about bits. */
static enum layout layout_of(const ls_conv *conv, bool turned, int width) {
    if (ls_winograd_gradient_suits(conv)) return WINOGRAD;
    bool flat = 2 * conv->o <= width && conv->o <= conv->kernel_w * conv->c && conv->stride_h == 1 && !turned;
    return flat ? FLAT : UPRIGHT;
}

/* The picture as a block reads it. Flat: a row of it at a time, and always copied, as whole vectors reach beyond its
 * end. */
static ls_picture picture_of(const gradient *g, int64_t channels) {
    ls_picture picture = ls_picture_of(g->conv);
    picture.c = channels;
    ls_picture_fit(&picture, g->conv->out_h, g->conv->out_w);
    if (g->layout != FLAT) return picture;
    picture.direct = false;
    picture.kernel_h = 1;
    picture.padded_w = (g->conv->out_w - 1) * picture.stride_w + picture.kernel_w;
    return picture;
}

static void divide_upright(gradient *g, int64_t rows) {
    const ls_conv *conv = g->conv;
    ls_picture picture = picture_of(g, g->channel_block);
    int64_t columns = ls_packed_columns(ls_min(COLUMNS, conv->o));
    int64_t picture_row = picture.padded_w * g->channel_block * conv->stride_h, dy_row = conv->out_w * columns;
    g->column_blocks = ls_ceil_div(conv->o, COLUMNS);
    g->band = ls_max(1, ls_min(conv->out_h, BAND_FLOATS / ls_max(picture_row, dy_row)));
    g->bands = ls_ceil_div(conv->out_h, g->band);
    g->table_floats = ls_round_up(2 * taps_of(conv) * g->channel_block, LS_COLUMNS_ALIGN); /* of int64_t */
    g->together = g->bands > 1 ? 1 : BAND_FLOATS / (conv->out_h * ls_max(picture_row, dy_row));
    g->together = ls_max(1, ls_min(g->together, rows));
    g->picture_floats = ls_round_up(g->together * ls_picture_band_floats(&picture, g->band), LS_COLUMNS_ALIGN);
    g->dy_floats = g->together * g->band * dy_row;
    g->sum_floats = taps_of(conv) * g->channel_block * columns;
}

static void divide_flat(gradient *g) {
    const ls_conv *conv = g->conv;
    ls_picture picture = picture_of(g, g->channel_block);
    int64_t rows = conv->out_h + conv->kernel_h - 1;
    g->column_blocks = 1;
    g->band = ls_max(1, ls_min(rows, BAND_FLOATS / (picture.padded_w * g->channel_block)));
    g->bands = ls_ceil_div(rows, g->band);
    g->table_floats = ls_round_up(2 * conv->kernel_h * conv->o, LS_COLUMNS_ALIGN);
    g->picture_floats = ls_packed_columns(ls_picture_band_floats(&picture, g->band)) + LS_TILE_COLUMNS_MAX;
    g->dy_floats = ls_packed_columns((g->band + conv->kernel_h - 1) * conv->out_w * conv->o);
    g->sum_floats = conv->kernel_h * conv->o * ls_packed_columns(conv->kernel_w * g->channel_block);
}

static void divide_winograd(gradient *g) {
    const ls_conv *conv = g->conv;
    g->column_block = g->folded != NULL ? COLUMNS : ls_winograd_gradient_filters(conv);
    g->column_blocks = ls_ceil_div(conv->o, g->column_block);
    if (g->folded == NULL) g->phases = ls_winograd_gradient_phases(conv); /* else a tap is a sum over them */
    g->picture_floats = ls_winograd_gradient_scratch(conv);
    g->sum_floats = taps_of_block(g, 0) * g->channel_block * ls_min(g->column_block, conv->o); /* phase 0 has most */
}

static void divide(gradient *g, enum layout layout, int64_t rows, int64_t lanes) {
    const ls_conv *conv = g->conv;
    g->layout = layout;
    g->together = g->phases = 1;
    g->column_block = COLUMNS;
    g->channel_blocks = ls_ceil_div(conv->c, ls_max(1, ROWS / taps_of(conv)));
    g->channel_block =
        layout == WINOGRAD ? ls_winograd_gradient_channels(conv) : ls_ceil_div(conv->c, g->channel_blocks);
    g->channel_blocks = ls_ceil_div(conv->c, g->channel_block);
    if (layout == WINOGRAD)
        divide_winograd(g);
    else if (layout == FLAT)
        divide_flat(g);
    else
        divide_upright(g, rows);
    g->split = 1;
    while (g->split < lanes && g->split * blocks_of(g) < TASKS) g->split *= 2;
    int sums = ls_tree_depth(ls_max(lanes, 1)) + 1; /* that wait, and the one that is being made */
    g->private_floats = 2 * g->table_floats + g->picture_floats + g->dy_floats + sums * g->sum_floats;
}

/* A task's block of the gradient. */
typedef struct block {
    const gradient *g;
    ls_picture picture;
    int64_t channel, filter, filters;    /* the first channel and filter, and the number of filters */
    int64_t phase;                       /* where these are tasks */
    int64_t height, columns, row_floats; /* of its sum: rows, columns, and the distance of rows */
    int64_t result_height;               /* rows when it is folded */
    int64_t *a_row, *c_row;
    float *band, *dy, *sums;
} block;

static void fill_upright(block *k) {
    const ls_picture *picture = &k->picture;
    for (int64_t row = 0; row < k->height; row++) {
        int64_t tap = row / picture->c;
        k->a_row[row] =
            (tap / picture->kernel_w * picture->padded_w + tap % picture->kernel_w) * picture->c + row % picture->c;
    }
}

static void fill_flat(block *k) {
    const ls_conv *conv = k->g->conv;
    for (int64_t row = 0; row < k->height; row++) /* dy has kernel_h - 1 more rows above */
        k->a_row[row] = (conv->kernel_h - 1 - row / conv->o) * conv->out_w * conv->o + row % conv->o;
}

static block block_of(const gradient *g, int64_t index, int thread) {
    block k = {.g = g,
               .channel = index / g->column_blocks % g->channel_blocks * g->channel_block,
               .filter = index % g->column_blocks * g->column_block,
               .phase = index / g->column_blocks / g->channel_blocks};
    k.picture = picture_of(g, ls_min(g->channel_block, g->conv->c - k.channel));
    k.filters = ls_min(g->column_block, g->conv->o - k.filter);
    float *private = g->private + thread * g->private_floats;
    k.a_row = (int64_t *)(void *)private;
    k.c_row = (int64_t *)(void *)(private + g->table_floats);
    k.band = private + 2 * g->table_floats;
    k.dy = k.band + g->picture_floats;
    k.sums = k.dy + g->dy_floats;
    k.height = g->layout == FLAT ? g->conv->kernel_h * g->conv->o : taps_of_block(g, k.phase) * k.picture.c;
    k.columns = g->layout == FLAT ? g->conv->kernel_w * k.picture.c : k.filters;
    k.row_floats = ls_packed_columns(k.columns);
    k.result_height = g->folded != NULL ? taps_of(g->folded) * k.picture.c : k.height;
    if (g->layout == WINOGRAD) return k;
    if (g->layout == FLAT)
        fill_flat(&k);
    else
        fill_upright(&k);
    for (int64_t row = 0; row < k.height; row++) k.c_row[row] = row * k.row_floats;
    return k;
}

static float *sum_of(const block *k, int i) { return k->sums + i * k->g->sum_floats; }

/* Runs the tiles of a panel of the block's sum. resume: its chains have begun. */
static void run_panel(const block *k, const ls_panel *panel, ls_tile tile, bool resume, float *sum) {
    tile.a_row = k->a_row;
    tile.c = sum + panel->begin;
    tile.c_row = k->c_row;
    tile.columns = panel->row_floats;
    tile.resume = resume;
    ls_tiles_run(&tile, k->height, false, NULL);
}

/* Adds the outputs of rows [begin, begin + height) of samples [row, row + count) to the chains in sum. */
static void add_upright(const block *k, int64_t row, int64_t count, int64_t begin, int64_t height, bool resume,
                        float *sum) {
    const ls_conv *conv = k->g->conv;
    const ls_picture *picture = &k->picture;
    int64_t band_floats = ls_picture_band_floats(picture, height);
    const float *band = ls_picture_band(picture, k->g->x, row, k->channel, begin, height, k->band);
    for (int64_t i = 1; i < count; i++)
        ls_picture_band(picture, k->g->x, row + i, k->channel, begin, height, k->band + i * band_floats);
    const float *dy = k->g->dy + (row * conv->out_h + begin) * conv->out_w * conv->o + k->filter;
    for (int64_t p = 0; p < ls_panel_count(k->columns); p++) {
        ls_panel panel = ls_panel_at(k->columns, p);
        bool packed = panel.row_floats != conv->o;
        if (packed)
            ls_panel_pack(&panel, count * height * conv->out_w, (ls_matrix){dy + panel.begin, conv->o, false}, k->dy);
        ls_tile tile = {.repeats = count - 1,
                        .segments = height,
                        .steps = conv->out_w,
                        .a = band,
                        .a_step = picture->stride_w * picture->c,
                        .a_repeat = picture->direct ? picture->h * picture->w * picture->c : band_floats,
                        .a_segment = picture->stride_h * picture->padded_w * picture->c,
                        .b = packed ? k->dy : dy,
                        .b_step = panel.row_floats,
                        .b_segment = conv->out_w * panel.row_floats};
        run_panel(k, &panel, tile, resume, sum);
    }
}

/* Rows [begin, begin + count) of dy of one sample, zeros where there are none. */
static void copy_dy(const block *k, int64_t row, int64_t begin, int64_t count) {
    const ls_conv *conv = k->g->conv;
    int64_t row_floats = conv->out_w * conv->o;
    for (int64_t i = 0; i < count; i++) {
        float *out = k->dy + i * row_floats;
        if (begin + i < 0 || begin + i >= conv->out_h)
            memset(out, 0, (size_t)row_floats * sizeof *out);
        else
            memcpy(out, k->g->dy + (row * conv->out_h + begin + i) * row_floats, (size_t)row_floats * sizeof *out);
    }
}

/* The same for rows of the padded picture. */
static void add_flat(const block *k, int64_t row, int64_t begin, int64_t height, bool resume, float *sum) {
    const ls_conv *conv = k->g->conv;
    const ls_picture *picture = &k->picture;
    int64_t picture_row = picture->padded_w * picture->c;
    const float *band = ls_picture_band(picture, k->g->x, row, k->channel, begin, height, k->band);
    memset(k->band + height * picture_row, 0, LS_TILE_COLUMNS_MAX * sizeof *k->band);
    copy_dy(k, row, begin - (conv->kernel_h - 1), height + conv->kernel_h - 1);
    for (int64_t p = 0; p < ls_panel_count(k->columns); p++) {
        ls_panel panel = ls_panel_at(k->columns, p);
        ls_tile tile = {.segments = height,
                        .steps = conv->out_w,
                        .a = k->dy,
                        .a_step = conv->o,
                        .a_segment = conv->out_w * conv->o,
                        .b = band + panel.begin,
                        .b_step = picture->stride_w * picture->c,
                        .b_segment = picture_row};
        run_panel(k, &panel, tile, resume, sum);
    }
}

static void make_lane(const block *k, int64_t begin, int64_t end, float *sum) {
    const gradient *g = k->g;
    int64_t rows = g->layout == FLAT ? g->conv->out_h + g->conv->kernel_h - 1 : g->conv->out_h;
    for (int64_t row = begin; row < end; row += g->together)
        for (int64_t i = 0; i < rows; i += g->band) {
            bool resume = row > begin || i > 0;
            if (g->layout == FLAT)
                add_flat(k, row, i, ls_min(g->band, rows - i), resume, sum);
            else
                add_upright(k, row, ls_min(g->together, end - row), i, ls_min(g->band, rows - i), resume, sum);
        }
}

/* added: as ls_winograd_gradient_run. */
static void make_lane_by_winograd(const block *k, int64_t begin, int64_t end, float *sum, const float *const *added) {
    const gradient *g = k->g;
    ls_winograd_gradient part = {.conv = g->conv,
                                 .x = g->x,
                                 .dy = g->dy,
                                 .phase = k->phase,
                                 .phases = g->phases > 1 ? 1 : ls_winograd_gradient_phases(g->conv),
                                 .channel = k->channel,
                                 .channels = k->picture.c,
                                 .filter = k->filter,
                                 .filters = k->filters,
                                 .scratch = k->band};
    ls_winograd_gradient_run(&part, begin, end, sum, added);
}

/* Tap t of the turned kernel got what up_h x up_w taps of the kernel contribute to it (conv.c): a tap's gradient is the
 * sum over those that it is in, kernel_h - 1 - a + j. In place, the last tap first: what is written has been read. */
static void fold(const block *k, float *sum) {
    const ls_conv *kernel = k->g->folded;
    if (kernel == NULL) return;
    int64_t tap_floats = k->picture.c * k->row_floats;
    for (int64_t tap = 0; tap < taps_of(kernel); tap++) {
        int64_t corner = tap / kernel->kernel_w * k->picture.kernel_w + tap % kernel->kernel_w;
        float *out = sum + tap * tap_floats;
        memmove(out, sum + corner * tap_floats, (size_t)tap_floats * sizeof *out);
        for (int64_t j = 1; j < kernel->up_h * kernel->up_w; j++) {
            int64_t other = corner + j / kernel->up_w * k->picture.kernel_w + j % kernel->up_w;
            ls_vector_kernels_get()->add(tap_floats, sum + other * tap_floats, out);
        }
    }
}

/* From a block's sum to its place in a gradient of all taps, channels and filters. */
static void store_upright(const block *k, const float *sum, float *dw) {
    const ls_conv *conv = k->g->conv;
    int64_t channels = k->picture.c;
    for (int64_t row = 0; row < k->height; row++) {
        int64_t element = row / channels * conv->c + k->channel + row % channels;
        memcpy(dw + element * conv->o + k->filter, sum + k->c_row[row], (size_t)k->columns * sizeof *dw);
    }
}

static void store_flat(const block *k, const float *sum, float *dw) {
    const ls_conv *conv = k->g->conv;
    int64_t channels = k->picture.c;
    for (int64_t row = 0; row < k->height; row++)
        for (int64_t q = 0; q < k->columns; q++) {
            int64_t tap = row / conv->o * conv->kernel_w + q / channels;
            dw[(tap * conv->c + k->channel + q % channels) * conv->o + row % conv->o] = sum[k->c_row[row] + q];
        }
}

/* A group of filters after the other. */
static void store_winograd(const block *k, const float *sum, float *dw) {
    const ls_conv *conv = k->g->conv;
    for (int64_t filter = k->filter, filters; filter < k->filter + k->filters; filter += filters) {
        filters = ls_min(COLUMNS, k->filter + k->filters - filter);
        for (int64_t i = 0; i < k->height / k->picture.c; i++) {
            float *out = dw + (tap_of_block(k->g, k->phase, i) * conv->c + k->channel) * conv->o + filter;
            for (int64_t c = 0; c < k->picture.c; c++, out += conv->o, sum += filters)
                memcpy(out, sum, (size_t)filters * sizeof *out);
        }
    }
}

/* Its taps are in falling order, their rows filters, their columns channels. */
static void store_folded(const block *k, const float *sum, float *dw) {
    const ls_conv *conv = k->g->folded;
    int64_t rows = k->picture.c;
    for (int64_t tap = 0; tap < taps_of(conv); tap++)
        ls_transpose(k->columns, rows, sum + tap * rows * k->row_floats, k->row_floats,
                     dw + ((taps_of(conv) - 1 - tap) * conv->c + k->filter) * conv->o + k->channel, conv->o);
}

static void store(const block *k, const float *sum, float *dw) {
    if (k->g->folded != NULL)
        store_folded(k, sum, dw);
    else if (k->g->layout == FLAT)
        store_flat(k, sum, dw);
    else if (k->g->layout == WINOGRAD)
        store_winograd(k, sum, dw);
    else
        store_upright(k, sum, dw);
}

/* Makes a lane's sum, with those that wait for it in the tree, in the place `carries` (lanes.h). */
static void add_lane(const block *k, int lane, int carries) {
    const gradient *g = k->g;
    int64_t begin = g->rows->lane_begin[lane], end = g->rows->lane_begin[lane + 1];
    const float *added[LS_TREE_DEPTH_MAX + 1] = {NULL};
    float *sum = sum_of(k, carries);
    bool at_once = g->layout == WINOGRAD && g->folded == NULL && begin < end;
    for (int i = 0; at_once && i < carries; i++) added[i] = sum_of(k, i);
    if (begin == end)
        memset(sum, 0, (size_t)(k->height * k->row_floats) * sizeof *sum);
    else if (g->layout == WINOGRAD)
        make_lane_by_winograd(k, begin, end, sum, added);
    else
        make_lane(k, begin, end, sum);
    fold(k, sum);
    for (int i = 0; !at_once && i < carries; i++)
        ls_vector_kernels_get()->add(k->result_height * k->row_floats, sum_of(k, i), sum);
}

static void gradient_task(void *context, int64_t task, int thread) {
    const gradient *g = context;
    int64_t blocks = blocks_of(g), group = task / blocks;
    block k = block_of(g, task % blocks, thread);
    int subtree = 0;
    while (group >= g->group_begin[subtree + 1]) subtree++;
    int groups = g->group_begin[subtree + 1] - g->group_begin[subtree];
    int lanes = (g->rows->subtree_begin[subtree + 1] - g->rows->subtree_begin[subtree]) / groups;
    int first = g->rows->subtree_begin[subtree] + (int)(group - g->group_begin[subtree]) * lanes;
    for (int lane = 0; lane < lanes; lane++) add_lane(&k, first + lane, ls_tree_carries(lane));
    store(&k, sum_of(&k, ls_tree_carries(lanes - 1)),
          g->split > 1 ? g->parts + group * gradient_weights(g) : g->dw[subtree]);
}

static int64_t parts_floats(const gradient *g, int64_t groups) {
    return g->split > 1 ? ls_round_up(groups * gradient_weights(g), LS_COLUMNS_ALIGN) : 0;
}

void ls_conv_weight_gradient(ls_pool *pool, const ls_conv *conv, const ls_rows *rows, const float *x, const float *dy,
                             float *const *dw, float *const *db, float *scratch) {
    if (db != NULL) ls_bias_gradient(pool, rows, conv->out_h * conv->out_w, conv->o, dy, db, scratch);
    ls_conv turned = ls_conv_turned(conv);
    bool folded = ls_conv_is_up_sampled(conv);
    gradient g = {.conv = conv, .rows = rows, .x = x, .dy = dy, .dw = dw, .parts = scratch};
    if (folded) g.conv = &turned, g.folded = conv, g.x = dy, g.dy = x;
    divide(&g, layout_of(g.conv, folded, ls_tile_kernels_get()->width), rows->count, rows->lanes);
    for (int i = 0; i < rows->subtrees; i++) {
        int64_t lanes = rows->subtree_begin[i + 1] - rows->subtree_begin[i];
        g.group_begin[i + 1] = g.group_begin[i] + (int)ls_min(lanes, g.split);
    }
    int groups = g.group_begin[rows->subtrees];
    g.private = scratch + parts_floats(&g, groups);
    ls_pool_run(pool, groups * blocks_of(&g), gradient_task, &g);
    if (g.split > 1) ls_vector_add_subtrees(pool, rows->subtrees, g.group_begin, gradient_weights(&g), g.parts, dw);
}

int64_t ls_conv_weight_gradient_scratch(const ls_conv *conv, int64_t max_rows, int threads, int lanes) {
    int64_t floats = ls_bias_gradient_scratch(conv->o, lanes);
    ls_conv turned = ls_conv_turned(conv);
    bool folded = ls_conv_is_up_sampled(conv);
    gradient g = {.conv = folded ? &turned : conv, .folded = folded ? conv : NULL};
    enum layout layouts[] = {layout_of(g.conv, folded, LS_COLUMNS_ALIGN), UPRIGHT};
    /* Of either way where both may be taken, as the instruction set need not be chosen yet. */
    for (int i = 0; i < (layouts[0] == FLAT ? 2 : 1); i++) {
        divide(&g, layouts[i], max_rows, lanes);
        floats =
            ls_max(floats, parts_floats(&g, ls_min(lanes, LS_SUBTREES_MAX * g.split)) + threads * g.private_floats);
    }
    return floats;
}

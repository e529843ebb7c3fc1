/* conv_weight.c - the weight gradient of a convolution: a sum over pixels.
 *
 * The rows of a tile are elements (a, b, c) of the kernel, its columns filters, and its steps the pixels of a row of
 * outputs: all read straight from the padded picture and from dy. A task takes some channels and filters of a run of
 * lanes, and keeps their sums, and the tree's, in the second-level cache. */
#include "tensor/conv_weight.h"

#include <string.h>

#include "tensor/picture.h"
#include "tensor/product.h"

enum {
    ROWS = 320,                    /* about as many rows (a, b, c) has a task, */
    COLUMNS = LS_TILE_COLUMNS_MAX, /* and as many filters */
    BAND_FLOATS = 16384, /* of the picture, and of dy, that a task passes over at once: in the caches beside the sums */
    TASKS = 32           /* fewer blocks than that: lanes are divided among tasks, too */
};

typedef struct gradient {
    const ls_conv *conv;
    const ls_rows *rows;
    const float *x, *dy;
    int64_t channel_block, channel_blocks, column_blocks;
    int64_t band;                      /* rows of outputs that are passed over at once */
    int64_t split;                     /* runs of lanes that a node is divided into, at most */
    int group_begin[LS_NODES_MAX + 1]; /* node i has the runs [group_begin[i], group_begin[i + 1]) */
    float *parts;                      /* their sums, where a node has more than one */
    float *const *dw;
    /* A thread's: tables of a block's rows, bands of picture and dy, and sums. */
    float *private;
    int64_t table_floats, picture_floats, dy_floats, sum_floats, private_floats;
} gradient;

static int64_t taps_of(const ls_conv *conv) { return conv->kernel_h * conv->kernel_w; }
static int64_t weights_of(const ls_conv *conv) { return taps_of(conv) * conv->c * conv->o; }

static ls_picture picture_of(const ls_conv *conv, int64_t channels) {
    ls_picture picture = ls_picture_of(conv);
    picture.c = channels;
    ls_picture_fit(&picture, conv->out_h, conv->out_w);
    return picture;
}

/* Sums that wait for others, and the one that is being made: ls_trees_ended, counted. */
static int64_t pending_sums(int64_t lanes) { return 64 - __builtin_clzll((unsigned long long)max_of(lanes, 1)); }

static void plan(gradient *g, int64_t lanes) {
    const ls_conv *conv = g->conv;
    int64_t columns = ls_packed_columns(min_of(COLUMNS, conv->o));
    g->channel_blocks = ceil_div(conv->c, max_of(1, ROWS / taps_of(conv)));
    g->channel_block = ceil_div(conv->c, g->channel_blocks);
    g->channel_blocks = ceil_div(conv->c, g->channel_block);
    g->column_blocks = ceil_div(conv->o, COLUMNS);
    g->split = 1;
    while (g->split < lanes && g->split * g->channel_blocks * g->column_blocks < TASKS) g->split *= 2;

    ls_picture picture = picture_of(conv, g->channel_block);
    int64_t picture_row = picture.padded_w * g->channel_block * conv->stride_h, dy_row = conv->out_w * columns;
    g->band = max_of(1, min_of(conv->out_h, BAND_FLOATS / max_of(picture_row, dy_row)));
    g->table_floats = round_up(2 * taps_of(conv) * g->channel_block, LS_COLUMNS_ALIGN);
    g->picture_floats = round_up(ls_picture_band_floats(&picture, g->band), LS_COLUMNS_ALIGN);
    g->dy_floats = g->band * dy_row;
    g->sum_floats = taps_of(conv) * g->channel_block * columns;
    g->private_floats = 2 * g->table_floats + g->picture_floats + g->dy_floats + pending_sums(lanes) * g->sum_floats;
}

/* A task's block of the gradient. */
typedef struct block {
    const gradient *g;
    ls_picture picture;
    int64_t channel, column, columns; /* the first channel and filter, and the number of filters */
    int64_t height, floats;           /* rows: taps x channels; of a sum */
    int64_t *a_row, *c_row;
    float *band, *dy, *sums;
} block;

static void fill_tables(const block *k) {
    int64_t channels = k->picture.c, row = 0;
    for (int64_t a = 0; a < k->picture.kernel_h; a++)
        for (int64_t b = 0; b < k->picture.kernel_w; b++)
            for (int64_t c = 0; c < channels; c++, row++) {
                k->a_row[row] = (a * k->picture.padded_w + b) * channels + c;
                k->c_row[row] = row * ls_packed_columns(k->columns);
            }
}

static block block_of(const gradient *g, int64_t channel_block, int64_t column_block, int thread) {
    block k = {.g = g, .channel = channel_block * g->channel_block, .column = column_block * COLUMNS};
    k.picture = picture_of(g->conv, min_of(g->channel_block, g->conv->c - k.channel));
    k.columns = min_of(COLUMNS, g->conv->o - k.column);
    k.height = taps_of(g->conv) * k.picture.c;
    k.floats = k.height * ls_packed_columns(k.columns);
    float *private = g->private + thread * g->private_floats;
    k.a_row = (int64_t *)(void *)private;
    k.c_row = (int64_t *)(void *)(private + g->table_floats);
    k.band = private + 2 * g->table_floats;
    k.dy = k.band + g->picture_floats;
    k.sums = k.dy + g->dy_floats;
    fill_tables(&k);
    return k;
}

static float *sum_of(const block *k, int i) { return k->sums + i * k->g->sum_floats; }

/* Adds the rows of outputs [begin, begin + height) of one sample to the chains in sum; the first of a lane starts them.
 */
static void add_band(const block *k, int64_t row, int64_t begin, int64_t height, bool first, float *sum) {
    const ls_conv *conv = k->g->conv;
    const ls_picture *picture = &k->picture;
    const float *band = ls_picture_band(picture, k->g->x, row, k->channel, begin, height, k->band);
    const float *dy = k->g->dy + (row * conv->out_h + begin) * conv->out_w * conv->o + k->column;
    for (int64_t p = 0; p < ls_panel_count(k->columns); p++) {
        ls_panel panel = ls_panel_at(k->columns, p);
        bool packed = panel.row_floats != conv->o;
        if (packed) ls_panel_pack(&panel, height * conv->out_w, (ls_matrix){dy + panel.begin, conv->o, false}, k->dy);
        ls_tile tile = {.segments = height,
                        .steps = conv->out_w,
                        .a = band,
                        .a_row = k->a_row,
                        .a_step = picture->stride_w * picture->c,
                        .a_segment = picture->stride_h * picture->padded_w * picture->c,
                        .b = packed ? k->dy : dy,
                        .b_step = panel.row_floats,
                        .b_segment = conv->out_w * panel.row_floats,
                        .c = sum + panel.begin,
                        .c_row = k->c_row,
                        .columns = panel.row_floats,
                        .resume = !first};
        ls_tiles_run(&tile, k->height);
    }
}

static void add_lane(const block *k, int lane, float *sum) {
    const gradient *g = k->g;
    int64_t begin = g->rows->lane_begin[lane], end = g->rows->lane_begin[lane + 1];
    if (begin == end) memset(sum, 0, (size_t)k->floats * sizeof *sum);
    for (int64_t row = begin; row < end; row++)
        for (int64_t i = 0; i < g->conv->out_h; i += g->band)
            add_band(k, row, i, min_of(g->band, g->conv->out_h - i), row == begin && i == 0, sum);
}

/* From a block's sum to its place in a gradient of all taps, channels and filters. */
static void store_block(const block *k, const float *sum, float *dw) {
    const ls_conv *conv = k->g->conv;
    int64_t channels = k->picture.c;
    for (int64_t row = 0; row < k->height; row++) {
        int64_t element = row / channels * conv->c + k->channel + row % channels;
        memcpy(dw + element * conv->o + k->column, sum + k->c_row[row], (size_t)k->columns * sizeof *dw);
    }
}

static void gradient_task(void *context, int64_t task, int thread) {
    const gradient *g = context;
    int64_t blocks = g->channel_blocks * g->column_blocks, group = task / blocks;
    block k = block_of(g, task % blocks / g->column_blocks, task % g->column_blocks, thread);
    int node = 0;
    while (group >= g->group_begin[node + 1]) node++;
    int groups = g->group_begin[node + 1] - g->group_begin[node];
    int lanes = (g->rows->node_begin[node + 1] - g->rows->node_begin[node]) / groups;
    int first = g->rows->node_begin[node] + (int)(group - g->group_begin[node]) * lanes;
    int last_sum = 0;
    for (int lane = 0; lane < lanes; lane++) {
        last_sum = ls_trees_ended(lane);
        add_lane(&k, first + lane, sum_of(&k, last_sum));
        for (int i = 0; i < last_sum; i++) ls_vector_kernels_get()->add(k.floats, sum_of(&k, i), sum_of(&k, last_sum));
    }
    store_block(&k, sum_of(&k, last_sum), g->split > 1 ? g->parts + group * weights_of(g->conv) : g->dw[node]);
}

static int64_t parts_floats(const gradient *g, int64_t groups) {
    return g->split > 1 ? round_up(groups * weights_of(g->conv), LS_COLUMNS_ALIGN) : 0;
}

void ls_conv_weight_gradient(ls_pool *pool, const ls_conv *conv, const ls_rows *rows, const float *x, const float *dy,
                             float *const *dw, float *const *db, float *scratch) {
    if (db) ls_bias_gradient(pool, rows, conv->out_h * conv->out_w, conv->o, dy, db, scratch);
    gradient g = {.conv = conv, .rows = rows, .x = x, .dy = dy, .dw = dw, .parts = scratch};
    plan(&g, rows->lanes);
    for (int i = 0; i < rows->nodes; i++) {
        int64_t lanes = rows->node_begin[i + 1] - rows->node_begin[i];
        g.group_begin[i + 1] = g.group_begin[i] + (int)min_of(lanes, g.split);
    }
    int groups = g.group_begin[rows->nodes];
    g.private = scratch + parts_floats(&g, groups);
    ls_pool_run(pool, groups * g.channel_blocks * g.column_blocks, gradient_task, &g);
    if (g.split > 1) ls_tree_add(pool, rows->nodes, g.group_begin, weights_of(conv), g.parts, dw);
}

int64_t ls_conv_weight_gradient_scratch(const ls_conv *conv, int threads, int lanes) {
    gradient g = {.conv = conv};
    plan(&g, lanes);
    int64_t groups = min_of(lanes, LS_NODES_MAX * g.split);
    return max_of(parts_floats(&g, groups) + threads * g.private_floats, ls_bias_gradient_scratch(conv->o, lanes));
}

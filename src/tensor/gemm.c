/* gemm.c - dense layers. The blocking is that of K. Goto, R. van de Geijn, "Anatomy of high-performance matrix
 * multiplication", TOMS 2008: a block of b lies packed in the second-level cache while rows of a pass over it. Cutting
 * a sum into blocks changes no bit, because its chain goes on from the stored float. */
#include "tensor/gemm.h"

#include <string.h>

#include "tensor/activation_internal.h"
#include "tensor/bias.h"
#include "tensor/cache_internal.h"
#include "tensor/panels_internal.h"
#include "tensor/tiles_internal.h"

enum {
    /* A packed block of b has so many steps of the sum and so many columns, at most: it fits in the second-level cache.
     * Panels divide the columns. */
    BLOCK_STEPS = 256,
    BLOCK_COLUMNS = 192,
    BLOCK_ROWS = 84,      /* rows of a beside it: a multiple of most tiles' heights */
    SHARED_MAX = 1 << 20, /* floats of a b that is packed once for all rows; a larger one is packed as it is used */
    WAYS = 8,             /* rows of a that a tile may take from one set of a first-level cache */
    TASKS = 32,           /* enough for many threads, where there is that much work */
    ROW_STRIDE = BLOCK_STEPS + LS_LINE_FLOATS /* of a copied block of a: does not collide */
};

/* y = f(x b + bias) */
typedef struct product {
    int64_t rows, n, k;
    const float *x;
    ls_matrix b;
    const float *bias;
    ls_activation activation;
    float *y;
    int64_t block_columns, column_blocks, row_blocks, step_blocks;
    float *shared;  /* b in packed blocks, or NULL */
    float *private; /* a thread's block of b, and one of x */
} product;

static int64_t private_floats(void) { return (int64_t)BLOCK_STEPS * BLOCK_COLUMNS + (int64_t)BLOCK_ROWS * ROW_STRIDE; }
static bool is_shared(int64_t n, int64_t k) { return ls_packed_columns(n) * k <= SHARED_MAX; }

/* The block of steps [begin, begin + steps) and columns of block `column_block`: panel after panel. */
static void pack_block(const product *g, int64_t column_block, int64_t begin, int64_t steps, float *out) {
    int64_t first = column_block * g->block_columns, columns = ls_min(g->block_columns, g->n - first);
    for (int64_t p = 0; p < ls_panel_count(columns); p++) {
        ls_panel panel = ls_panel_at(columns, p);
        ls_panel_pack(&panel, steps, ls_matrix_part(g->b, begin, first + panel.begin), out + panel.begin * steps);
    }
}

static float *shared_block(const product *g, int64_t column_block, int64_t begin) {
    int64_t first = column_block * g->block_columns;
    return g->shared + first * g->k + begin * ls_packed_columns(ls_min(g->block_columns, g->n - first));
}

static void pack_task(void *context, int64_t task, int thread) {
    (void)thread;
    const product *g = context;
    int64_t column_block = task / g->step_blocks, begin = task % g->step_blocks * BLOCK_STEPS;
    pack_block(g, column_block, begin, ls_min(BLOCK_STEPS, g->k - begin), shared_block(g, column_block, begin));
}

/* Copies a block of x to where its rows do not push each other out of the cache. */
static const float *copy_rows(const float *x, int64_t stride, int64_t rows, int64_t steps, float *out) {
    for (int64_t r = 0; r < rows; r++) memcpy(out + r * ROW_STRIDE, x + r * stride, (size_t)steps * sizeof *x);
    return out;
}

/* Whether tiles read b where it lies: with few rows a block whose rows are whole vectors is not worth packing. */
static bool is_direct(const product *g) {
    return g->shared == NULL && !g->b.transposed && g->n % LS_COLUMNS_ALIGN == 0;
}

/* A block of b that the thread will want. One stretch of memory is no block to ask for: hardware foresees it. */
static ls_ahead ahead_of(ls_matrix b, int64_t steps, int64_t columns) {
    ls_ahead ahead = {.at = b.at, .rows = steps, .row_floats = columns, .stride = b.stride};
    if (b.transposed) ahead.rows = columns, ahead.row_floats = steps;
    if (ahead.row_floats == b.stride) ahead.rows = 0;
    return ahead;
}

/* The block after the one at `step`: in the next steps, else in the next columns. */
static ls_ahead next_block(const product *g, int64_t column, int64_t columns, int64_t step) {
    int64_t next = step + BLOCK_STEPS;
    if (next >= g->k) next = 0, column += g->block_columns;
    if (g->shared != NULL || column + columns > g->n) return (ls_ahead){0};
    return ahead_of(ls_matrix_part(g->b, next, column), ls_min(BLOCK_STEPS, g->k - next), columns);
}

/* Adds the products of one block of steps, from b, to rows [begin, end) of a column block. */
static void multiply_block(const product *g, int64_t begin, int64_t end, int64_t column_block, int64_t step,
                           int64_t steps, const float *b, float *copy) {
    const ls_tile_kernels *kernels = ls_tile_kernels_get();
    int64_t first = column_block * g->block_columns, columns = ls_min(g->block_columns, g->n - first),
            rows = end - begin;
    bool copied = ls_stride_collides(g->k) && kernels->rows[ls_panel_at(columns, 0).row_floats / kernels->width] > WAYS;
    bool last = step + steps == g->k, direct = is_direct(g);
    int64_t stride = copied ? ROW_STRIDE : g->k, a_row[BLOCK_ROWS], c_row[BLOCK_ROWS];
    const float *a = g->x + begin * g->k + step;
    if (copied) a = copy_rows(a, g->k, rows, steps, copy);
    for (int64_t r = 0; r < rows; r++) a_row[r] = r * stride, c_row[r] = r * g->n;

    for (int64_t p = 0; p < ls_panel_count(columns); p++) {
        ls_panel panel = ls_panel_at(columns, p);
        int64_t column = first + panel.begin;
        ls_tile tile = {.segments = 1,
                        .steps = steps,
                        .a = a,
                        .a_row = a_row,
                        .a_step = 1,
                        .b = direct ? g->b.at + step * g->n + column : b + panel.begin * steps,
                        .b_step = direct ? g->n : panel.row_floats,
                        .c = g->y + begin * g->n + column,
                        .c_row = c_row,
                        .columns = panel.columns,
                        .resume = step > 0,
                        .bias = last && g->bias != NULL ? g->bias + column : NULL,
                        .relu = last && g->activation == LS_ACTIVATION_RELU};
        ls_ahead ahead = next_block(g, column, panel.columns, step);
        ls_tiles_run(&tile, rows, false, ahead.rows > 0 ? &ahead : NULL);
    }
}

static void activate_block(const product *g, int64_t begin, int64_t end, int64_t column_block) {
    if (!ls_activation_is_late(g->activation)) return;
    int64_t first = column_block * g->block_columns, columns = ls_min(g->block_columns, g->n - first);
    for (int64_t r = begin; r < end; r++) {
        float *y = g->y + r * g->n + first;
        ls_activation_apply(g->activation, columns, y, y);
    }
}

static void product_task(void *context, int64_t task, int thread) {
    const product *g = context;
    int64_t column_block = task / g->row_blocks, row_block = task % g->row_blocks;
    int64_t begin = row_block * g->rows / g->row_blocks, end = (row_block + 1) * g->rows / g->row_blocks;
    float *private = g->private + thread * private_floats(), *copy = private + BLOCK_STEPS * BLOCK_COLUMNS;
    int64_t parts = ls_ceil_div(end - begin, BLOCK_ROWS);
    for (int64_t step = 0; step < g->k; step += BLOCK_STEPS) {
        int64_t steps = ls_min(BLOCK_STEPS, g->k - step);
        const float *b = g->shared != NULL ? shared_block(g, column_block, step) : private;
        if (g->shared == NULL && !is_direct(g)) pack_block(g, column_block, step, steps, private);
        for (int64_t i = 0; i < parts; i++)
            multiply_block(g, begin + i * (end - begin) / parts, begin + (i + 1) * (end - begin) / parts, column_block,
                           step, steps, b, copy);
    }
    activate_block(g, begin, end, column_block);
}

static void product_run(ls_pool *pool, product g, float *scratch) {
    if (g.rows == 0) return;                                    /* a large b would be packed for nothing */
    int64_t parts = ls_max(1, g.rows / (2 * LS_TILE_ROWS_MAX)); /* that rows may be divided into */
    bool shared = parts > 1 && is_shared(g.n, g.k);
    g.block_columns = BLOCK_COLUMNS;
    while (!shared && g.block_columns > LS_TILE_COLUMNS_MAX && 2 * ls_ceil_div(g.n, g.block_columns) < TASKS)
        g.block_columns -= LS_TILE_COLUMNS_MAX;
    g.column_blocks = ls_ceil_div(g.n, g.block_columns);
    g.step_blocks = ls_ceil_div(g.k, BLOCK_STEPS);
    g.row_blocks = shared ? ls_min(ls_ceil_div(TASKS, g.column_blocks), parts) : 1;
    g.shared = shared ? scratch : NULL;
    g.private = scratch + (shared ? ls_packed_columns(g.n) * g.k : 0);
    if (g.shared != NULL) ls_pool_run(pool, g.column_blocks * g.step_blocks, pack_task, &g);
    ls_pool_run(pool, g.column_blocks * g.row_blocks, product_task, &g);
}

void ls_gemm_forward(ls_pool *pool, int64_t rows, int64_t n, int64_t k, const float *x, const float *w,
                     const float *bias, ls_activation activation, float *y, float *scratch) {
    product g = {
        .rows = rows, .n = n, .k = k, .x = x, .b = {w, n, false}, .bias = bias, .activation = activation, .y = y};
    product_run(pool, g, scratch);
    if (activation == LS_ACTIVATION_SOFTMAX) ls_activation_forward(pool, activation, rows, n, y, y);
}

void ls_gemm_input_gradient(ls_pool *pool, int64_t rows, int64_t n, int64_t k, const float *dy, const float *w,
                            float *dx, float *scratch) {
    product g = {.rows = rows, .n = k, .k = n, .x = dy, .b = {w, n, true}, .activation = LS_ACTIVATION_LINEAR, .y = dx};
    product_run(pool, g, scratch);
}

/* ---- Weight gradient: each tile of dw, all lanes of a subtree at once. ---- */

enum { GRADIENT_ROWS = 84, GRADIENT_COLUMNS = 192 };

typedef struct gradient {
    const ls_rows *rows;
    int64_t n, k;
    const float *x;
    const float *dy; /* as given, or in panels */
    bool packed;
    float *const *dw;
    int64_t column_blocks, row_blocks;
    float *private; /* a thread's block of x, where its rows collide */
    int64_t private_floats;
} gradient;

static int64_t gradient_private_floats(int64_t max_rows) { return max_rows * ls_packed_columns(GRADIENT_ROWS); }

/* Rows [row, row + rows) of one panel. x: those columns of the input, rows x_row apart. */
static void gradient_panel(const gradient *g, int64_t subtree, int64_t p, int64_t row, int64_t rows, const float *x,
                           int64_t x_row) {
    ls_panel panel = ls_panel_at(g->n, p);
    int first = g->rows->subtree_begin[subtree];
    int64_t a_row[GRADIENT_ROWS], c_row[GRADIENT_ROWS];
    for (int64_t i = 0; i < rows; i++) a_row[i] = i, c_row[i] = i * g->n;
    ls_tile tile = {.lane_begin = g->rows->lane_begin + first,
                    .lanes = g->rows->subtree_begin[subtree + 1] - first,
                    .a = x,
                    .a_row = a_row,
                    .a_step = x_row,
                    .b = g->dy + panel.begin * (g->packed ? g->rows->count : 1),
                    .b_step = g->packed ? panel.row_floats : g->n,
                    .c = g->dw[subtree] + row * g->n + panel.begin,
                    .c_row = c_row,
                    .columns = panel.columns};
    ls_ahead ahead = {0};
    if (!g->packed && panel.begin + 2 * panel.columns <= g->n)
        ahead = ahead_of((ls_matrix){g->dy + panel.begin + panel.columns, g->n, false}, g->rows->count, panel.columns);
    ls_tiles_run(&tile, rows, true, ahead.rows > 0 ? &ahead : NULL);
}

static void gradient_task(void *context, int64_t task, int thread) {
    const gradient *g = context;
    int64_t blocks = g->column_blocks * g->row_blocks, column_block = task % g->column_blocks;
    int64_t row = task % blocks / g->column_blocks * GRADIENT_ROWS, rows = ls_min(GRADIENT_ROWS, g->k - row);
    float *copy = g->private + thread * g->private_floats;
    const float *x = g->x + row;
    int64_t x_row = g->k;
    if (ls_stride_collides(g->k)) {
        x_row = ls_packed_columns(GRADIENT_ROWS);
        for (int64_t r = 0; r < g->rows->count; r++) memcpy(copy + r * x_row, x + r * g->k, (size_t)rows * sizeof *x);
        x = copy;
    }
    int64_t panels = GRADIENT_COLUMNS / ls_panel_width();
    int64_t end = ls_min(ls_panel_count(g->n), (column_block + 1) * panels);
    for (int64_t p = column_block * panels; p < end; p++) gradient_panel(g, task / blocks, p, row, rows, x, x_row);
}

typedef struct panel_copy {
    int64_t rows, n;
    const float *dy;
    float *out;
} panel_copy;

static void panel_task(void *context, int64_t task, int thread) {
    (void)thread;
    const panel_copy *c = context;
    ls_panel panel = ls_panel_at(c->n, task);
    ls_panel_pack(&panel, c->rows, (ls_matrix){c->dy + panel.begin, c->n, false}, c->out + panel.begin * c->rows);
}

void ls_gemm_weight_gradient(ls_pool *pool, const ls_rows *rows, int64_t n, int64_t k, const float *x, const float *dy,
                             float *const *dw, float *const *db, float *scratch) {
    if (db != NULL) ls_bias_gradient(pool, rows, 1, n, dy, db, scratch);
    bool few = k <= GRADIENT_ROWS; /* tiles read dy, so that copying it would cost as much */
    gradient g = {.rows = rows,
                  .n = n,
                  .k = k,
                  .x = x,
                  .dy = dy,
                  .dw = dw,
                  .packed = !(ls_panel_at(n, 0).row_floats == n || (few && n % LS_COLUMNS_ALIGN == 0)),
                  .column_blocks = ls_ceil_div(n, GRADIENT_COLUMNS),
                  .row_blocks = ls_ceil_div(k, GRADIENT_ROWS),
                  .private = scratch,
                  .private_floats = gradient_private_floats(rows->count)};
    if (g.packed) {
        panel_copy c = {rows->count, n, dy, scratch};
        ls_pool_run(pool, ls_panel_count(n), panel_task, &c);
        g.dy = scratch;
        g.private = scratch + ls_packed_columns(n) * rows->count;
    }
    ls_pool_run(pool, rows->subtrees * g.column_blocks * g.row_blocks, gradient_task, &g);
}

int64_t ls_gemm_scratch(int64_t max_rows, int64_t n, int64_t k, int threads, int lanes) {
    int64_t forward = is_shared(n, k) ? ls_packed_columns(n) * k : 0,
            backward = is_shared(k, n) ? ls_packed_columns(k) * n : 0;
    int64_t products = ls_max(forward, backward) + threads * private_floats();
    int64_t gradients = ls_packed_columns(n) * max_rows + threads * gradient_private_floats(max_rows);
    return ls_max(ls_max(products, gradients), ls_bias_gradient_scratch(n, lanes));
}

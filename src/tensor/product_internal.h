/* product_internal.h - what dense layers and convolutions share: panels of weights, tiles over rows, and the tree over
 * lanes. */
#ifndef LS_TENSOR_PRODUCT_INTERNAL_H
#define LS_TENSOR_PRODUCT_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/integers.h"
#include "base/rows.h"
#include "base/threads.h"
#include "tensor/activation.h"
#include "tensor/bias.h"
#include "tensor/kernels_internal.h"

static inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

/* Columns as packed: rounded up to the widest vectors there are, so that sizes do not depend on the instruction set. */
enum { LS_COLUMNS_ALIGN = 16 };
static inline int64_t ls_packed_columns(int64_t n) { return round_up(n, LS_COLUMNS_ALIGN); }

/* Asks for `count` floats that are needed next, or then: in the first-level cache, or the second. GCC takes a function
 * that does nothing else for one without effect, and drops its calls: hence the empty instruction. */
static inline void ls_prefetch_next(const float *at, int64_t count) {
    for (int64_t i = 0; i < count; i += LS_COLUMNS_ALIGN) {
        __builtin_prefetch(at + i);
        __asm__ volatile("");
    }
}
static inline void ls_prefetch_then(const float *at, int64_t count) {
    for (int64_t i = 0; i < count; i += LS_COLUMNS_ALIGN) {
        __builtin_prefetch(at + i, 0, 2);
        __asm__ volatile("");
    }
}

/* A matrix of n columns in panels as wide as the widest tile (which divides LS_TILE_COLUMNS_MAX): panel p has the
 * columns from p width on, each row of it in row_floats floats. Panel p of a packed matrix of k rows starts at p width
 * k. */
typedef struct ls_panel {
    int64_t begin, columns, row_floats;
} ls_panel;

int64_t ls_panel_width(void);
int64_t ls_panel_count(int64_t n);
ls_panel ls_panel_at(int64_t n, int64_t p);

/* A matrix as it lies in memory: element (r, q) is at[r * stride + q], or at[q * stride + r] where transposed. */
typedef struct ls_matrix {
    const float *at;
    int64_t stride;
    bool transposed;
} ls_matrix;

/* The part of b that starts at row `row` and column `column`. */
static inline ls_matrix ls_matrix_part(ls_matrix b, int64_t row, int64_t column) {
    b.at += b.transposed ? column * b.stride + row : row * b.stride + column;
    return b;
}

/* Copies rows x panel->columns numbers to out[rows][panel->row_floats], zeros at the right. */
void ls_panel_pack(const ls_panel *panel, int64_t rows, ls_matrix b, float *out);

/* out[r * out_stride + q] = in[q * stride + r] for rows x columns numbers. */
void ls_transpose(int64_t rows, int64_t columns, const float *in, int64_t stride, float *out, int64_t out_stride);

/* Whether rows that far apart fall on so few sets of a first-level cache that a tile's rows push each other out. */
bool ls_stride_collides(int64_t floats);

/* A block of rows and columns (of one panel) as tiles of about equal height, one after the other:
 *
 *   for (ls_tiles t = ls_tiles_of(rows, columns); ls_tiles_next(&t);) */
typedef struct ls_tiles {
    int64_t block_rows, count;
    int64_t index, begin, rows, vectors; /* a tile's number, its first row, and its size */
} ls_tiles;

static inline ls_tiles ls_tiles_of(int64_t rows, int64_t columns) {
    const ls_tile_kernels *kernels = ls_tile_kernels_get();
    int64_t vectors = ceil_div(columns, kernels->lanes);
    return (ls_tiles){rows, ceil_div(rows, kernels->rows[vectors]), .index = -1, .vectors = vectors};
}

static inline bool ls_tiles_next(ls_tiles *t) {
    if (++t->index == t->count) return false;
    t->begin += t->rows;
    t->rows = (t->index + 1) * t->block_rows / t->count - t->begin;
    return true;
}

/* Runs a block's tiles; tile->a_row and c_row have an entry a row of the block. */
void ls_tiles_run(const ls_tile *tile, int64_t rows);

/* y = f(y) for the activations that tiles do not apply themselves: sigmoid and tanh. */
bool ls_activation_is_late(ls_activation activation);
void ls_activation_apply(ls_activation activation, int64_t count, const float *x, float *y);

/* sum[i][count] = the tree over parts [first[i], first[i + 1]), a power of two of them, part j at parts + j * count;
 * parts are overwritten. */
void ls_tree_add(ls_pool *pool, int subtrees, const int *first, int64_t count, float *parts, float *const *sum);

#endif

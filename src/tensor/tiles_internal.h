/* tiles_internal.h - a block of a product, rows by the columns of one panel, as tiles of about equal height. */
#ifndef LS_TENSOR_TILES_INTERNAL_H
#define LS_TENSOR_TILES_INTERNAL_H

#include "base/integers.h"
#include "tensor/kernels_internal.h"

/* The tiles of a block, one after the other:
 *
 *   for (ls_tiles t = ls_tiles_of(rows, columns); ls_tiles_next(&t);) */
typedef struct ls_tiles {
    int64_t block_rows, count;
    int64_t index, begin, rows, vectors; /* a tile's number, its first row, and its size */
} ls_tiles;

static inline ls_tiles ls_tiles_of(int64_t rows, int64_t columns) {
    const ls_tile_kernels *kernels = ls_tile_kernels_get();
    int64_t vectors = ls_ceil_div(columns, kernels->width);
    return (ls_tiles){rows, ls_ceil_div(rows, kernels->rows[vectors]), .index = -1, .vectors = vectors};
}

static inline bool ls_tiles_next(ls_tiles *t) {
    if (++t->index == t->count) return false;
    t->begin += t->rows;
    t->rows = (t->index + 1) * t->block_rows / t->count - t->begin;
    return true;
}

/* Memory that the thread will want after a block: rows of floats, `stride` apart. Each tile asks for its share, so that
 * it comes while tiles are computed. */
typedef struct ls_ahead {
    const float *at;
    int64_t rows, row_floats, stride;
} ls_ahead;

/* Runs a block's tiles, over lanes where tile->lanes is not zero. tile->a_row and c_row (and row_bias) have an entry a
 * row of the block. far: c is in no cache yet and is asked for in time. ahead: NULL, or what is wanted next. */
void ls_tiles_run(const ls_tile *tile, int64_t rows, bool far, const ls_ahead *ahead);

#endif

/* tiles.c - running a block of a product tile by tile; see tiles_internal.h. */
#include "tensor/tiles_internal.h"

#include "tensor/cache_internal.h"

/* Stores to lines that are in no cache wait for them, unless these were asked for a tile before. */
static void prefetch_stores(const ls_tile *tile, int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++)
        for (int64_t q = 0; q < tile->columns; q += LS_LINE_FLOATS) __builtin_prefetch(tile->c + tile->c_row[p] + q, 1);
}

/* A tile over lanes takes so long that its own lines come in time. */
static void prefetch_own(const ls_tile *part, int64_t rows) {
    for (int64_t p = 0; p < rows; p++) ls_prefetch_next(part->c + part->c_row[p], part->columns);
}

static void prefetch_share(const ls_ahead *ahead, const ls_tiles *t) {
    for (int64_t r = t->index * ahead->rows / t->count; r < (t->index + 1) * ahead->rows / t->count; r++)
        ls_prefetch_then(ahead->at + r * ahead->stride, ahead->row_floats);
}

void ls_tiles_run(const ls_tile *tile, int64_t rows, bool far, const ls_ahead *ahead) {
    const ls_tile_kernels *kernels = ls_tile_kernels_get();
    const ls_tile_fn(*run)[LS_TILE_ROWS_MAX + 1] = tile->lanes > 0 ? kernels->add : kernels->run;
    ls_tile part = *tile;
    for (ls_tiles t = ls_tiles_of(rows, tile->columns); ls_tiles_next(&t);) {
        part.a_row = tile->a_row + t.begin;
        part.c_row = tile->c_row + t.begin;
        if (tile->row_bias != NULL) part.row_bias = tile->row_bias + t.begin;
        if (far && tile->lanes > 0) prefetch_own(&part, t.rows);
        if (far && tile->lanes == 0) prefetch_stores(tile, t.begin + t.rows, ls_min(t.begin + 2 * t.rows, rows));
        if (ahead != NULL) prefetch_share(ahead, &t);
        run[t.vectors][t.rows](&part);
    }
}

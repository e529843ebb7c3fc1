/* panels_internal.h - matrices in the layout in which tiles read them: panels as wide as the widest tile. */
#ifndef LS_TENSOR_PANELS_INTERNAL_H
#define LS_TENSOR_PANELS_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/integers.h"
#include "tensor/kernels_internal.h"

/* Columns as packed: rounded up to the widest vectors there are, so that sizes do not depend on the instruction set. */
enum { LS_COLUMNS_ALIGN = 16 };
static inline int64_t ls_packed_columns(int64_t n) { return ls_round_up(n, LS_COLUMNS_ALIGN); }

/* A matrix of n columns in panels as wide as the widest tile (which divides LS_TILE_COLUMNS_MAX). Panel p has the
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

#endif

/* kernels_internal.h - the inner loops: one source, kernels_*.c, compiled once an instruction set (simd_internal.h).
 *
 * ls_tile_kernels_get() and its like give those of the set in use. Results of all but the vector kernels do not
 * depend on the set. */
#ifndef LS_TENSOR_KERNELS_INTERNAL_H
#define LS_TENSOR_KERNELS_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/lanes.h"
#include "base/rng.h"
#include "tensor/winograd_internal.h"

/* Bounds over all instruction sets. */
enum { LS_TILE_ROWS_MAX = 14, LS_TILE_VECTORS_MAX = 4, LS_TILE_COLUMNS_MAX = 64 };

/* A tile of a product: c[p][q] = a chain of multiply-adds over i = 0..repeats, segments s and steps j, in that order,
 * of
 *
 *   a[a_row[p] + i a_repeat + s a_segment + j a_step] * b[(i segments + s) b_segment + j b_step + q]
 *
 * where row p of c starts at c[c_row[p]]. All strides are in floats. b is read in whole vectors; c only in `columns`.
 */
typedef struct ls_tile {
    int64_t repeats, segments, steps;
    const float *a, *b;
    const int64_t *a_row, *c_row;
    int64_t a_repeat, a_segment, a_step, b_segment, b_step;
    const int64_t *b_place; /* NULL, or where segments of b begin, in place of s b_segment; no repeats then */
    float *c;
    int64_t columns;
    bool resume; /* the chain goes on from what is in c; else from zero */
    bool add;    /* the whole chain is added to what is in c */

    /* What happens to the chain before it is stored. */
    const float *bias;     /* [columns], or NULL */
    const float *row_bias; /* [rows], or NULL */
    bool relu;

    /* A sum over lanes: lane l's chain is over the steps [lane_begin[l], lane_begin[l + 1]) of one segment, and the
     * tree over `lanes` of them, a power of two, is stored as it is. */
    const int64_t *lane_begin;
    int lanes;

    /* Several products side by side: so many of one segment, each with a, b and c so much further on. Their chains are
     * stored as they are, or with `add`. */
    int64_t products, a_next, b_next, c_next;
} ls_tile;

typedef void (*ls_tile_fn)(const ls_tile *tile);

typedef struct ls_tile_kernels {
    int width;                                                     /* floats a vector */
    int vectors;                                                   /* vectors a row of the widest tile */
    int rows[LS_TILE_VECTORS_MAX + 1];                             /* rows of the highest tile, by vectors */
    ls_tile_fn run[LS_TILE_VECTORS_MAX + 1][LS_TILE_ROWS_MAX + 1]; /* by vectors and rows */
    ls_tile_fn add[LS_TILE_VECTORS_MAX + 1][LS_TILE_ROWS_MAX + 1]; /* over lanes */
    ls_tile_fn products[LS_TILE_VECTORS_MAX + 1][LS_TILE_ROWS_MAX + 1];
    double (*multiply_add)(int64_t rounds); /* nothing but FMA; returns the operations done */
} ls_tile_kernels;

/* A run of equal windows of a max-pooling: h x w pixels of c channels, rows `row` floats apart, windows `step`. */
typedef struct ls_windows {
    int64_t count, h, w, c, row, step;
} ls_windows;

/* Loops over flat vectors; see the public headers of the same names. */
typedef struct ls_vector_kernels {
    void (*add)(int64_t count, const float *x, float *y);
    bool (*within)(int64_t count, const float *x, float low, float high);
    void (*sigmoid)(int64_t count, const float *x, float *y);
    void (*tanh)(int64_t count, const float *x, float *y);
    void (*relu)(int64_t count, const float *x, float *y);
    void (*softmax)(int64_t rows, int64_t width, const float *x, float *y);
    void (*sigmoid_backward)(int64_t count, const float *y, const float *dy, float *dx);
    void (*tanh_backward)(int64_t count, const float *y, const float *dy, float *dx);
    void (*relu_backward)(int64_t count, const float *y, const float *dy, float *dx);
    void (*softmax_backward)(int64_t rows, int64_t width, const float *y, const float *dy, float *dx);
    double (*cross_entropy)(int64_t count, const float *z, const float *target, float scale, float *dz);
    double (*squared_error)(int64_t count, const float *z, const float *target, float scale, float *dz);
    /* maximum: y[count][c] is the largest of each window. route: back; dy goes to the first place of a window that has
     * its value, the others get zeros. relu: only where y > 0. Adds to dx, or writes it. */
    void (*maximum)(const ls_windows *windows, const float *x, float *y);
    void (*route)(const ls_windows *windows, const float *x, const float *y, const float *dy, bool relu, bool add,
                  float *dx);
    void (*sum_rows)(int64_t rows, int64_t stride, int64_t count, const float *x, float *y); /* y = x[0] + x[1] + ... */
    /* y = f(x[0] + x[1] + ... + bias), f: relu or nothing; whole vectors are read and written. */
    void (*sum_lines)(int64_t lines, const float *const *x, int64_t count, float bias, bool relu, float *y);
} ls_vector_kernels;

/* See winograd_internal.h. */
typedef void (*ls_winograd_fn)(const ls_winograd_patch *patch);

typedef struct ls_winograd_kernels {
    ls_winograd_fn run[LS_WINOGRAD_FORMS][LS_WINOGRAD_PARTS][3]; /* by the number of axes, 1 or 2 */
} ls_winograd_kernels;

/* So many numbers of item `index`, from group `block` on: see random.h. */
enum { LS_RANDOM_CHUNK = 64 };
typedef void (*ls_random_fn)(const ls_rng *rng, uint64_t index, uint32_t block, float *out);

typedef struct ls_random_kernels {
    ls_random_fn uniform, normal;
} ls_random_kernels;

const ls_tile_kernels *ls_tile_kernels_get(void);
const ls_vector_kernels *ls_vector_kernels_get(void);
const ls_winograd_kernels *ls_winograd_kernels_get(void);
const ls_random_kernels *ls_random_kernels_get(void);

#define LS_KERNELS_PASTE(kind, isa) ls_##kind##_kernels_##isa
#define LS_KERNELS_NAME(kind, isa)  LS_KERNELS_PASTE(kind, isa)

extern const ls_tile_kernels ls_tile_kernels_portable, ls_tile_kernels_avx2, ls_tile_kernels_avx512;
extern const ls_vector_kernels ls_vector_kernels_portable, ls_vector_kernels_avx2, ls_vector_kernels_avx512;
extern const ls_winograd_kernels ls_winograd_kernels_portable, ls_winograd_kernels_avx2, ls_winograd_kernels_avx512;
extern const ls_random_kernels ls_random_kernels_portable, ls_random_kernels_avx2, ls_random_kernels_avx512;

#endif

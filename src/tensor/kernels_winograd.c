/* kernels_winograd.c - the matrices of winograd.h applied to pieces of pictures, a vector of channels at a time.
 *
 * They are constants here: a loop over rows and columns is unrolled to the multiply-adds of the numbers that are not
 * zero. A sum runs over falling columns, where the factors of 1 are. */
#include <math.h>

#include "tensor/kernels.h"
#include "tensor/simd.h"

enum { N = LS_WINOGRAD_N_MAX };

VEC_INLINE int rows_of(const ls_winograd_form form, const ls_winograd_part part) {
    const ls_winograd_matrices *f = &ls_winograd[form];
    return part == LS_WINOGRAD_OUTPUT ? f->m : part == LS_WINOGRAD_KERNEL_GRADIENT ? f->r : f->n;
}

VEC_INLINE int columns_of(const ls_winograd_form form, const ls_winograd_part part) {
    const ls_winograd_matrices *f = &ls_winograd[form];
    return part == LS_WINOGRAD_KERNEL ? f->r : part == LS_WINOGRAD_OUTPUT_GRADIENT ? f->m : f->n;
}

VEC_INLINE double entry(const ls_winograd_form form, const ls_winograd_part part, const int i, const int j) {
    const ls_winograd_matrices *f = &ls_winograd[form];
    switch (part) {
    case LS_WINOGRAD_INPUT:
        return f->bt[i][j];
    case LS_WINOGRAD_OUTPUT:
        return f->at[i][j];
    case LS_WINOGRAD_KERNEL:
        return f->g[i][j];
    case LS_WINOGRAD_OUTPUT_GRADIENT:
        return f->at[j][i];
    default:
        return f->g[j][i];
    }
}

/* out[i step] = sum over j of entry(i, j) in[j step]. */
VEC_INLINE void transform_axis(const ls_winograd_form form, const ls_winograd_part part, const int step, const vec *in,
                               vec *out) {
    const int rows = rows_of(form, part), columns = columns_of(form, part);
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) {
        int terms = 0;
        vec sum = {0};
#pragma GCC unroll 6
        for (int j = columns - 1; j >= 0; j--) {
            const float factor = (float)entry(form, part, i, j);
            if (factor == 0) continue;
            sum = terms++ ? vec_fma(vec_set(factor), in[j * step], sum) : factor * in[j * step];
        }
        out[i * step] = sum;
    }
}

VEC_INLINE void transform(const ls_winograd_form form, const ls_winograd_part part, const int axes,
                          const ls_winograd_piece *piece) {
    const int rows = rows_of(form, part), columns = columns_of(form, part);
    const int in_count = axes == 2 ? columns * columns : columns, out_count = axes == 2 ? rows * rows : rows;
    for (int64_t c = 0; c < piece->channels; c += VEC_LANES) {
        vec in[N * N], half[N * N], out[N * N];
#pragma GCC unroll 36
        for (int k = 0; k < in_count; k++)
            in[axes == 2 ? k / columns * N + k % columns : k] = vec_load(piece->in[k] + c);
        if (axes == 1) {
            transform_axis(form, part, 1, in, out);
        } else {
#pragma GCC unroll 6
            for (int j = 0; j < columns; j++) transform_axis(form, part, N, in + j, half + j);
#pragma GCC unroll 6
            for (int i = 0; i < rows; i++) transform_axis(form, part, 1, half + i * N, out + i * N);
        }
        vec bias = {0}, floor = vec_set(piece->relu ? 0 : -INFINITY);
        if (part == LS_WINOGRAD_OUTPUT) bias = vec_load(piece->bias + c);
#pragma GCC unroll 36
        for (int k = 0; k < out_count; k++) {
            vec x = out[axes == 2 ? k / rows * N + k % rows : k];
            if (part == LS_WINOGRAD_OUTPUT) x = vec_at_least(floor, x + bias);
            vec_store(piece->out[k] + c, x);
        }
    }
}

#define PARTS(X, form)                                                                                                 \
    X(form, LS_WINOGRAD_INPUT)                                                                                         \
    X(form, LS_WINOGRAD_OUTPUT)                                                                                        \
    X(form, LS_WINOGRAD_KERNEL)                                                                                        \
    X(form, LS_WINOGRAD_OUTPUT_GRADIENT)                                                                               \
    X(form, LS_WINOGRAD_KERNEL_GRADIENT)
#define FORMS(X) PARTS(X, LS_F43) PARTS(X, LS_F25) PARTS(X, LS_F42)

#define FUNCTIONS(form, part)                                                                                          \
    static void form##_##part##_1(const ls_winograd_piece *piece) { transform(form, part, 1, piece); }                 \
    static void form##_##part##_2(const ls_winograd_piece *piece) { transform(form, part, 2, piece); }
FORMS(FUNCTIONS)

#define ENTRIES(form, part) .run[form][part][1] = form##_##part##_1, .run[form][part][2] = form##_##part##_2,
const ls_winograd_kernels LS_KERNELS_NAME(winograd, LS_KERNEL_ISA) = {FORMS(ENTRIES)};

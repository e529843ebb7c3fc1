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

/* out[i] = sum over j of entry(i, j) in[j]. */
VEC_INLINE void transform_axis(const ls_winograd_form form, const ls_winograd_part part, const vec *in, vec *out) {
    const int rows = rows_of(form, part), columns = columns_of(form, part);
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) {
        int terms = 0;
        vec sum = {0};
#pragma GCC unroll 6
        for (int j = columns - 1; j >= 0; j--) {
            const float factor = (float)entry(form, part, i, j);
            if (factor == 0) continue;
            sum = terms++ ? vec_fma(vec_set(factor), in[j], sum) : factor * in[j];
        }
        out[i] = sum;
    }
}

/* Pixels [k, k + columns) of the piece. */
VEC_INLINE void transform_row(const ls_winograd_form form, const ls_winograd_part part, const vec *in,
                              const ls_winograd_piece *piece, const int k, const int64_t c) {
    const int count = rows_of(form, part);
    vec out[N];
    transform_axis(form, part, in, out);
#pragma GCC unroll 6
    for (int j = 0; j < count; j++) {
        if (part == LS_WINOGRAD_OUTPUT)
            out[j] = vec_at_least(vec_set(piece->relu ? 0 : -INFINITY), out[j] + vec_load(piece->bias + c));
        vec_store(piece->out[k + j] + c, out[j]);
    }
}

VEC_INLINE void transform_1(const ls_winograd_form form, const ls_winograd_part part, const ls_winograd_piece *piece) {
    const int columns = columns_of(form, part);
    for (int64_t c = 0; c < piece->channels; c += VEC_LANES) {
        vec in[N];
#pragma GCC unroll 6
        for (int j = 0; j < columns; j++) in[j] = vec_load(piece->in[j] + c);
        transform_row(form, part, in, piece, 0, c);
    }
}

/* Columns first, then rows. */
VEC_INLINE void transform_2(const ls_winograd_form form, const ls_winograd_part part, const ls_winograd_piece *piece) {
    const int rows = rows_of(form, part), columns = columns_of(form, part);
    for (int64_t c = 0; c < piece->channels; c += VEC_LANES) {
        vec half[N][N];
#pragma GCC unroll 6
        for (int j = 0; j < columns; j++) {
            vec in[N], out[N];
#pragma GCC unroll 6
            for (int i = 0; i < columns; i++) in[i] = vec_load(piece->in[i * columns + j] + c);
            transform_axis(form, part, in, out);
#pragma GCC unroll 6
            for (int i = 0; i < rows; i++) half[i][j] = out[i];
        }
#pragma GCC unroll 6
        for (int i = 0; i < rows; i++) transform_row(form, part, half[i], piece, i * rows, c);
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
    static void form##_##part##_1(const ls_winograd_piece *piece) { transform_1(form, part, piece); }                  \
    static void form##_##part##_2(const ls_winograd_piece *piece) { transform_2(form, part, piece); }
FORMS(FUNCTIONS)

#define ENTRIES(form, part) .run[form][part][1] = form##_##part##_1, .run[form][part][2] = form##_##part##_2,
const ls_winograd_kernels LS_KERNELS_NAME(winograd, LS_KERNEL_ISA) = {FORMS(ENTRIES)};

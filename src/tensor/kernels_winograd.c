/* kernels_winograd.c - the matrices of winograd_internal.h applied to patches of pictures, a vector of channels at a
 * time.
 *
 * They are constants here: a loop over rows and columns is unrolled to the multiply-adds of the numbers that are not
 * zero. A sum runs over falling columns, where the factors of 1 are. */
#include <math.h>

#include "tensor/kernels_internal.h"
#include "tensor/simd_internal.h"

enum { N = LS_WINOGRAD_N_MAX };

/* Whether a phase has a tap less than the form. */
VEC_INLINE bool less_down(const ls_winograd_part part) {
    return part == LS_WINOGRAD_INPUT_LESS_DOWN || part == LS_WINOGRAD_INPUT_LESS;
}
VEC_INLINE bool less_across(const ls_winograd_part part) {
    return part == LS_WINOGRAD_INPUT_LESS_ACROSS || part == LS_WINOGRAD_INPUT_LESS;
}

/* A matrix, on one of the axes. */
typedef struct matrix {
    ls_winograd_form form;
    ls_winograd_part part;
    bool less;
} matrix;

VEC_INLINE int rows_of(const matrix x) {
    const ls_winograd_matrices *f = &ls_winograd[x.form];
    return x.part == LS_WINOGRAD_OUTPUT ? f->m : x.part == LS_WINOGRAD_KERNEL_GRADIENT ? f->r : f->n - x.less;
}

VEC_INLINE int columns_of(const matrix x) {
    const ls_winograd_matrices *f = &ls_winograd[x.form];
    return x.part == LS_WINOGRAD_KERNEL ? f->r : x.part == LS_WINOGRAD_OUTPUT_GRADIENT ? f->m : f->n - x.less;
}

VEC_INLINE double entry(const matrix x, const int i, const int j) {
    const ls_winograd_matrices *f = &ls_winograd[x.form];
    switch (x.part) {
    case LS_WINOGRAD_OUTPUT:
        return f->at[i][j];
    case LS_WINOGRAD_KERNEL:
        return f->g[i][j];
    case LS_WINOGRAD_OUTPUT_GRADIENT:
        return f->at[j][i];
    case LS_WINOGRAD_KERNEL_GRADIENT:
        return f->g[j][i];
    default:
        return x.less && f->r == 2 ? f->bt[i][j] * f->g[i][0] : f->bt[i][j];
    }
}

/* out[i] = sum over j of entry(i, j) in[j]. */
VEC_INLINE void transform_axis(const matrix x, const vec *in, vec *out) {
    const int rows = rows_of(x), columns = columns_of(x);
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) {
        int terms = 0;
        vec sum = {0};
#pragma GCC unroll 6
        for (int j = columns - 1; j >= 0; j--) {
            const float factor = (float)entry(x, i, j);
            if (factor == 0) continue;
            sum = terms++ ? vec_fma(vec_set(factor), in[j], sum) : factor * in[j];
        }
        out[i] = sum;
    }
}

/* Pixels [k, k + columns) of the patch. */
VEC_INLINE void transform_row(const matrix x, const vec *in, const ls_winograd_patch *patch, const int k,
                              const int64_t c) {
    const int count = rows_of(x);
    vec out[N];
    transform_axis(x, in, out);
#pragma GCC unroll 6
    for (int j = 0; j < count; j++) {
        if (x.part == LS_WINOGRAD_OUTPUT)
            out[j] = vec_at_least(vec_set(patch->relu ? 0 : -INFINITY), out[j] + vec_load(patch->bias + c));
        vec_store(patch->out[k + j] + c, out[j]);
    }
}

VEC_INLINE void transform_1(const ls_winograd_form form, const ls_winograd_part part, const ls_winograd_patch *patch) {
    const matrix x = {form, part, less_down(part) || less_across(part)};
    const int columns = columns_of(x);
    for (int64_t c = 0; c < patch->channels; c += VEC_WIDTH) {
        vec in[N];
#pragma GCC unroll 6
        for (int j = 0; j < columns; j++) in[j] = vec_load(patch->in[j] + c);
        transform_row(x, in, patch, 0, c);
    }
}

/* Columns first, then rows. */
VEC_INLINE void transform_2(const ls_winograd_form form, const ls_winograd_part part, const ls_winograd_patch *patch) {
    const matrix down = {form, part, less_down(part)}, across = {form, part, less_across(part)};
    const int rows = columns_of(down), columns = columns_of(across);
    for (int64_t c = 0; c < patch->channels; c += VEC_WIDTH) {
        vec half[N][N];
#pragma GCC unroll 6
        for (int j = 0; j < columns; j++) {
            vec in[N], out[N];
#pragma GCC unroll 6
            for (int i = 0; i < rows; i++) in[i] = vec_load(patch->in[i * columns + j] + c);
            transform_axis(down, in, out);
#pragma GCC unroll 6
            for (int i = 0; i < rows_of(down); i++) half[i][j] = out[i];
        }
#pragma GCC unroll 6
        for (int i = 0; i < rows_of(down); i++) transform_row(across, half[i], patch, i * rows_of(across), c);
    }
}

#define PARTS(X, form)                                                                                                 \
    X(form, LS_WINOGRAD_INPUT)                                                                                         \
    X(form, LS_WINOGRAD_INPUT_LESS_DOWN)                                                                               \
    X(form, LS_WINOGRAD_INPUT_LESS_ACROSS)                                                                             \
    X(form, LS_WINOGRAD_INPUT_LESS)                                                                                    \
    X(form, LS_WINOGRAD_OUTPUT)                                                                                        \
    X(form, LS_WINOGRAD_KERNEL)                                                                                        \
    X(form, LS_WINOGRAD_OUTPUT_GRADIENT)                                                                               \
    X(form, LS_WINOGRAD_KERNEL_GRADIENT)
#define FORMS(X) PARTS(X, LS_F43) PARTS(X, LS_F25) PARTS(X, LS_F42)

#define FUNCTIONS(form, part)                                                                                          \
    static void form##_##part##_1(const ls_winograd_patch *patch) { transform_1(form, part, patch); }                  \
    static void form##_##part##_2(const ls_winograd_patch *patch) { transform_2(form, part, patch); }
FORMS(FUNCTIONS)

#define ENTRIES(form, part) .run[form][part][1] = form##_##part##_1, .run[form][part][2] = form##_##part##_2,
const ls_winograd_kernels LS_KERNELS_NAME(winograd, LS_KERNEL_ISA) = {FORMS(ENTRIES)};

/* winograd_internal.h - minimal filtering: m outputs of a filter of r taps, y[i] = sum over k of g[k] d[i + k], from n
 * = m + r - 1 multiplications in place of m r.
 *
 *   y  = A^T [(G g) . (B^T d)]      . is the product element by element; d has n inputs
 *   dg = G^T [(A dy) . (B^T d)]     the gradient of g, a sum over patches of m outputs
 *
 * Pictures take a form an axis: each matrix is applied to columns and then to rows, which leaves n_h n_w products. A
 * patch is m_h x m_w outputs and the n_h x n_w inputs that they are made of; patches of inputs overlap. Over channels
 * the products are sums, so a point (one of n_h n_w) is a matrix product: patches x channels by channels x filters. S.
 * Winograd, "Arithmetic complexity of computations", 1980; A. Lavin and S. Gray, "Fast algorithms for convolutional
 * neural networks", 2015.
 *
 * The matrices are Toom-Cook's: polynomials evaluated at n - 1 points and infinity. With M(x) the product of x - p over
 * the points, a point's row of B^T is M(x) / (x - p), its column of A^T the powers of p, and its row of G the powers of
 * p over M'(p). The points decide how errors grow (B. Barabasz et al., "Error analysis and improving the accuracy of
 * Winograd convolution for deep neural networks", 2018): these are pairs +-p that a search over multiples of 1/8 found
 * best, so that B^T and A^T have no rounding of their own. RMS errors are 1.2 to 2.5 times those of direct sums in
 * float; the usual points 0, +-1, +-2 of F(4, 3) have 4 to 5.
 *
 * Filters of r - 1 taps on a form's points: the last tap is zero, and so is the product at infinity, which is left out
 * with the last input. Of one tap (r = 2) G is a number a point; B^T takes it over, so that all points multiply with
 * the tap itself. */
#ifndef LS_TENSOR_WINOGRAD_INTERNAL_H
#define LS_TENSOR_WINOGRAD_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/picture_internal.h"

/* F(m, r). A form of one tap, F(1, 1), is the axis left as it is: it needs no matrices. */
typedef enum ls_winograd_form { LS_F43, LS_F25, LS_F42, LS_WINOGRAD_FORMS } ls_winograd_form;

enum { LS_WINOGRAD_M_MAX = 4, LS_WINOGRAD_R_MAX = 5, LS_WINOGRAD_N_MAX = 6, LS_WINOGRAD_POINTS_MAX = 36 };

typedef struct ls_winograd_matrices {
    int m, r, n;
    double at[LS_WINOGRAD_M_MAX][LS_WINOGRAD_N_MAX]; /* A^T[m][n] */
    double g[LS_WINOGRAD_N_MAX][LS_WINOGRAD_R_MAX];  /* G[n][r] */
    double bt[LS_WINOGRAD_N_MAX][LS_WINOGRAD_N_MAX]; /* B^T[n][n] */
} ls_winograd_matrices;

/* Points 0, +-3/4, +-3/2: M(x) = x (x^2 - 9/16) (x^2 - 9/4). */
#define LS_WINOGRAD_BT6                                                                                                \
    {                                                                                                                  \
        {81. / 64, 0, -45. / 16, 0, 1, 0}, {0, -27. / 16, -9. / 4, 3. / 4, 1, 0},                                      \
            {0, 27. / 16, -9. / 4, -3. / 4, 1, 0}, {0, -27. / 32, -9. / 16, 3. / 2, 1, 0},                             \
            {0, 27. / 32, -9. / 16, -3. / 2, 1, 0}, {0, 81. / 64, 0, -45. / 16, 0, 1},                                 \
    }

static const ls_winograd_matrices ls_winograd[LS_WINOGRAD_FORMS] = {
    [LS_F43] = {.m = 4,
                .r = 3,
                .n = 6,
                .at = {{1, 1, 1, 1, 1, 0},
                       {0, 3. / 4, -3. / 4, 3. / 2, -3. / 2, 0},
                       {0, 9. / 16, 9. / 16, 9. / 4, 9. / 4, 0},
                       {0, 27. / 64, -27. / 64, 27. / 8, -27. / 8, 1}},
                .g = {{64. / 81, 0, 0},
                      {-128. / 243, -32. / 81, -8. / 27},
                      {-128. / 243, 32. / 81, -8. / 27},
                      {32. / 243, 16. / 81, 8. / 27},
                      {32. / 243, -16. / 81, 8. / 27},
                      {0, 0, 1}},
                .bt = LS_WINOGRAD_BT6},
    [LS_F25] = {.m = 2,
                .r = 5,
                .n = 6,
                .at = {{1, 1, 1, 1, 1, 0}, {0, 3. / 4, -3. / 4, 3. / 2, -3. / 2, 1}},
                .g = {{64. / 81, 0, 0, 0, 0},
                      {-128. / 243, -32. / 81, -8. / 27, -2. / 9, -1. / 6},
                      {-128. / 243, 32. / 81, -8. / 27, 2. / 9, -1. / 6},
                      {32. / 243, 16. / 81, 8. / 27, 4. / 9, 2. / 3},
                      {32. / 243, -16. / 81, 8. / 27, -4. / 9, 2. / 3},
                      {0, 0, 0, 0, 1}},
                .bt = LS_WINOGRAD_BT6},
    /* Points +-1/2, +-5/4: M(x) = (x^2 - 1/4) (x^2 - 25/16). */
    [LS_F42] = {.m = 4,
                .r = 2,
                .n = 5,
                .at = {{1, 1, 1, 1, 0},
                       {1. / 2, -1. / 2, 5. / 4, -5. / 4, 0},
                       {1. / 4, 1. / 4, 25. / 16, 25. / 16, 0},
                       {1. / 8, -1. / 8, 125. / 64, -125. / 64, 1}},
                .g = {{-16. / 21, -8. / 21}, {16. / 21, -8. / 21}, {32. / 105, 8. / 21}, {-32. / 105, 8. / 21}, {0, 1}},
                .bt = {{-25. / 32, -25. / 16, 1. / 2, 1, 0},
                       {25. / 32, -25. / 16, -1. / 2, 1, 0},
                       {-5. / 16, -1. / 4, 5. / 4, 1, 0},
                       {5. / 16, -1. / 4, -5. / 4, 1, 0},
                       {25. / 64, 0, -29. / 16, 0, 1}}},
};

/* Which matrix: B^T, that of phases with a tap less down, across or both, A^T, G, A, G^T. */
typedef enum ls_winograd_part {
    LS_WINOGRAD_INPUT,
    LS_WINOGRAD_INPUT_LESS_DOWN,
    LS_WINOGRAD_INPUT_LESS_ACROSS,
    LS_WINOGRAD_INPUT_LESS,
    LS_WINOGRAD_OUTPUT,
    LS_WINOGRAD_KERNEL,
    LS_WINOGRAD_OUTPUT_GRADIENT,
    LS_WINOGRAD_KERNEL_GRADIENT,
    LS_WINOGRAD_PARTS
} ls_winograd_part;

/* What a matrix is applied to. Pixel k of the patch, row after row, is `channels` floats (a multiple of 16) at in[k],
 * and the result's at out[k]. LS_WINOGRAD_OUTPUT adds bias[channels] and applies relu. */
typedef struct ls_winograd_patch {
    int64_t channels;
    const float *const *in;
    float *const *out;
    const float *bias;
    bool relu;
} ls_winograd_patch;

/* ---- What the passes of a convolution share. ---- */

/* An axis of a kernel that slides over pictures: r of its taps, first, first + stride, ..., and m outputs that the form
 * of r taps makes of n inputs. Without a form (LS_WINOGRAD_FORMS) m and n are 1. */
typedef struct ls_winograd_axis {
    int64_t first, stride, pad;
    int64_t outputs;
    ls_winograd_form form;
    int64_t m, r, n;
} ls_winograd_axis;

/* With strides s the kernel falls into s_h s_w phases of taps a, a + s, ..., each a convolution of stride 1 on every
 * s-th pixel of the picture. A phase's outputs are cut into patches of h.m x w.m, a sample's row after row. */
typedef struct ls_winograd_shape {
    ls_winograd_axis h, w;
    ls_winograd_form form; /* of `axes` axes */
    int axes;              /* 2, 1 or none */
    int64_t taps, points;  /* h.r w.r, and h.n w.n */
    int64_t across;        /* patches of a row */
    int64_t patches;       /* of a sample */
} ls_winograd_shape;

/* Of phase number `phase`; 0 has the most taps. */
ls_winograd_shape ls_winograd_shape_of(const ls_picture *picture, int64_t phase, int64_t out_h, int64_t out_w);

/* Whether both axes have the same form, or a single tap, and outputs for two kernels: on smaller pictures many taps see
 * padding, and a tile's rounding is more than five times that of their short sums. */
bool ls_winograd_has_form(const ls_winograd_shape *shape);

/* Applies a matrix of the form to so many axes; to none: a copy. */
void ls_winograd_transform(ls_winograd_form form, ls_winograd_part part, int axes, const ls_winograd_patch *patch);

/* The sample and the first output of a patch. */
typedef struct ls_winograd_place {
    int64_t row, i, j;
} ls_winograd_place;

ls_winograd_place ls_winograd_place_of(const ls_winograd_shape *shape, int64_t patch);

/* Pictures [height][width][channels] that patches are read from: h.n x w.n pixels, on an axis the pixels first - pad +
 * (i + k) stride for k = 0..n - 1, where i is the first output. */
typedef struct ls_winograd_source {
    int64_t height, width, channels;
    ls_winograd_axis h, w;
} ls_winograd_source;

/* Finds the pixels of patch number `patch` in x, row after row; those outside of the picture are in zeros. */
void ls_winograd_find(const ls_winograd_shape *shape, const ls_winograd_source *source, const float *x, int64_t patch,
                      const float *zeros, const float **pixel);

#endif

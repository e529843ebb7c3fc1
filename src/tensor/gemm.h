/* gemm.h - matrix products, exact in the sense that matters here.
 *
 * An output element is one chain of fused multiply-adds over k = 0, 1, 2, ... in float32: it depends on its row, its
 * column and the length of its sum, and not on how many rows, columns or threads are beside it, nor on the width of a
 * vector. So a product may be cut at any place, and ranks and threads never change a bit. All matrices are row-major
 * and dense.
 *
 * Local, no allocation; scratch is the caller's: ls_*_scratch says how many floats. */
#ifndef LS_TENSOR_GEMM_H
#define LS_TENSOR_GEMM_H

#include <stdint.h>

#include "base/lanes.h"
#include "base/threads.h"
#include "tensor/activation.h"

/* y[rows,n] = f(x[rows,k] w[k,n] + bias[n]), the bias added after the sum. bias may be NULL; f may be softmax, over n.
 */
void ls_gemm_forward(ls_pool *pool, int64_t rows, int64_t n, int64_t k, const float *x, const float *w,
                     const float *bias, ls_activation activation, float *y, float *scratch);

/* dx[rows,k] = dy[rows,n] w[k,n]^T. */
void ls_gemm_input_gradient(ls_pool *pool, int64_t rows, int64_t n, int64_t k, const float *dy, const float *w,
                            float *dx, float *scratch);

/* For each subtree i of rows: dw[i][k,n] = the sum over the subtree's lanes, in the tree, of x_lane[.,k]^T
 * dy_lane[.,n], each a chain over the lane's rows; and where db is not NULL, db[i][n] = the same sum of dy's rows.
 * dw[i], db[i] are overwritten. */
void ls_gemm_weight_gradient(ls_pool *pool, const ls_rows *rows, int64_t n, int64_t k, const float *x, const float *dy,
                             float *const *dw, float *const *db, float *scratch);

/* Floats of scratch that any of the three needs for up to max_rows rows, on `threads` threads and `lanes` lanes.
 * Whatever the instruction set. */
int64_t ls_gemm_scratch(int64_t max_rows, int64_t n, int64_t k, int threads, int lanes);

#endif

/* kernel_case.h - one problem for the kernels: a convolution (or a dense layer), its data, and what the naive loops
 * give for it. */
#ifndef TESTS_SUPPORT_KERNEL_CASE_H
#define TESTS_SUPPORT_KERNEL_CASE_H

#include "support/naive.h"
#include "tensor/cpu.h"

enum { CASE_THREADS_MAX = 3 };

typedef struct kernel_case {
    ls_conv conv;
    ls_rows rows;
    float *x, *w, *bias, *dy;
    /* Expected: of y, dx, and for each subtree dw and then db. */
    float *y_chain, *dx_chain, *dw_chain;
    double *y_exact, *dx_exact, *dw_exact;
    /* Room for results, with a margin that must stay as it is. */
    float *y, *dx, *dw;
    float *subtree_dw[LS_SUBTREES_MAX], *subtree_db[LS_SUBTREES_MAX];
    float *scratch;
    int64_t scratch_count;
    bool y_is_first, dx_is_first, dw_is_first; /* no chains, and not run yet */
} kernel_case;

/* Lanes of lane_rows[l] rows each, subtrees of subtree_lanes[i] lanes. */
ls_rows case_rows(int lanes, const int64_t *lane_rows, int subtrees, const int *subtree_lanes);

/* Fills in data and expectations, for these conv and rows. */
void case_init(kernel_case *k, ls_conv conv, const ls_rows *rows, int64_t scratch_count);
void case_release(kernel_case *k);

/* Fails the test unless all results are the chains bit for bit, near the exact sums, and within their bounds. Results
 * of Winograd's filtering and of few filters are no chains: there the first run's take the chains' place, and all later
 * ones must be these. */
void case_clear(kernel_case *k);
void case_check(kernel_case *k, const char *what);

/* Fails the test unless the errors of got against exact, of root mean squares and at most, stay below five times those
 * of chain. */
void case_check_error(const kernel_case *k, const char *what, int64_t count, const float *got, const float *chain,
                      const double *exact);

/* A pool of that many threads, 1..CASE_THREADS_MAX, made once. */
ls_pool *case_pool(int threads);
/* The best instruction set of this machine. */
ls_isa case_best_isa(void);

#endif

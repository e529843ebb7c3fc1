/* kernel_case.c - data, expected results and comparisons of one problem for the kernels; see kernel_case.h. */
#include "support/kernel_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "support/conv_ways.h"
#include "support/naive_up.h"
#include "tensor/kernels_internal.h"
#include "tensor/random.h"

enum { MARGIN = 96 };
static const float untouched = -12345.0f;

ls_rows case_rows(int lanes, const int64_t *lane_rows, int subtrees, const int *subtree_lanes) {
    ls_rows rows = {.lanes = lanes, .subtrees = subtrees};
    for (int l = 0; l < lanes; l++) rows.lane_begin[l + 1] = rows.lane_begin[l] + lane_rows[l];
    for (int i = 0; i < subtrees; i++) rows.subtree_begin[i + 1] = rows.subtree_begin[i] + subtree_lanes[i];
    rows.count = rows.global_count = rows.lane_begin[lanes];
    return rows;
}

/* Exactly as long as it must be, so that a sanitizer sees who reads on; never a null pointer. */
static void *room(int64_t count, size_t size) {
    void *p = malloc((size_t)(count > 0 ? count : 1) * size);
    assert_non_null(p);
    return p;
}

static float *random_floats(uint32_t instance, int64_t count) {
    float *x = room(count, sizeof *x);
    ls_rng rng = ls_rng_stream(7, LS_RNG_TEST, instance, 0);
    ls_random_normal(&rng, 0, count, x);
    return x;
}

static int64_t subtree_floats(const ls_conv *conv) { return naive_weights(conv) + conv->o; }

void case_init(kernel_case *k, ls_conv conv, const ls_rows *rows, int64_t scratch_count) {
    int64_t in = rows->count * naive_in_count(&conv), out = rows->count * naive_out_count(&conv);
    int64_t gradient = rows->subtrees * subtree_floats(&conv);
    *k = (kernel_case){.conv = conv, .rows = *rows, .scratch_count = scratch_count};
    k->x = random_floats(1, in);
    k->w = random_floats(2, naive_weights(&conv));
    k->bias = random_floats(3, conv.o);
    k->dy = random_floats(4, out);
    k->y_chain = room(out, sizeof(float));
    k->y_exact = room(out, sizeof(double));
    k->dx_chain = room(in, sizeof(float));
    k->dx_exact = room(in, sizeof(double));
    k->dw_chain = room(gradient, sizeof(float));
    k->dw_exact = room(gradient, sizeof(double));
    k->y = room(out + MARGIN, sizeof(float));
    k->dx = room(in + MARGIN, sizeof(float));
    k->dw = room(gradient + MARGIN, sizeof(float));
    assert_int_equal(ls_alloc(&k->scratch, scratch_count + MARGIN, sizeof(float), "scratch"), LS_OK);

    k->y_is_first = forward_is_winograd(&conv) || forward_is_few(&conv);
    k->dx_is_first = input_gradient_is_winograd(&conv) || input_gradient_is_few(&conv);
    k->dw_is_first = weight_gradient_is_winograd(&conv);
    bool up = conv.up_h * conv.up_w > 1;
    (up ? naive_up_forward : naive_forward)(&conv, rows->count, k->x, k->w, k->bias, k->y_chain, k->y_exact);
    (up ? naive_up_input_gradient : naive_input_gradient)(&conv, rows->count, k->dy, k->w, k->dx_chain, k->dx_exact);
    for (int i = 0; i < rows->subtrees; i++) {
        int begin = rows->subtree_begin[i], end = rows->subtree_begin[i + 1];
        int64_t at = i * subtree_floats(&conv), bias_at = at + naive_weights(&conv);
        (up ? naive_up_weight_gradient : naive_weight_gradient)(&conv, rows, begin, end, k->x, k->dy, k->dw_chain + at,
                                                                k->dw_exact + at);
        naive_bias_gradient(&conv, rows, begin, end, k->dy, k->dw_chain + bias_at, k->dw_exact + bias_at);
        k->subtree_dw[i] = k->dw + at;
        k->subtree_db[i] = k->dw + bias_at;
    }
}

void case_release(kernel_case *k) {
    void *rooms[] = {k->x,       k->w,        k->bias,     k->dy, k->y_chain, k->dx_chain, k->dw_chain,
                     k->y_exact, k->dx_exact, k->dw_exact, k->y,  k->dx,      k->dw};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) free(rooms[i]);
    ls_free(k->scratch);
}

static void fill(float *p, int64_t count, float value) {
    for (int64_t i = 0; i < count; i++) p[i] = value;
}

void case_clear(kernel_case *k) {
    int64_t in = k->rows.count * naive_in_count(&k->conv), out = k->rows.count * naive_out_count(&k->conv);
    int64_t gradient = k->rows.subtrees * subtree_floats(&k->conv);
    fill(k->y, out, NAN), fill(k->y + out, MARGIN, untouched);
    fill(k->dx, in, NAN), fill(k->dx + in, MARGIN, untouched);
    fill(k->dw, gradient, NAN), fill(k->dw + gradient, MARGIN, untouched);
    fill(k->scratch, k->scratch_count, NAN), fill(k->scratch + k->scratch_count, MARGIN, untouched);
}

static void fail_case(const kernel_case *k, const char *what, const char *problem, int64_t at, double got,
                      double wanted) {
    const ls_conv *v = &k->conv;
    fail_msg("%s: %s at %" PRId64 ": %.9g, not %.9g (vectors of %d; %" PRId64 " rows, %d lanes, %d subtrees; %" PRId64
             "x%" PRId64 "x%" PRId64 " to %" PRId64 "x%" PRId64 "x%" PRId64 ", kernel %" PRId64 "x%" PRId64
             ", stride %" PRId64 "x%" PRId64 ", up-sampled %" PRId64 "x%" PRId64 ")",
             what, problem, at, got, wanted, ls_tile_kernels_get()->width, k->rows.count, k->rows.lanes,
             k->rows.subtrees, v->h, v->w, v->c, v->out_h, v->out_w, v->o, v->kernel_h, v->kernel_w, v->stride_h,
             v->stride_w, v->up_h, v->up_w);
}

static void check(const kernel_case *k, const char *what, const char *result, int64_t count, const float *got,
                  const float *chain, const double *exact) {
    for (int64_t i = 0; i < count; i++) {
        if (memcmp(&got[i], &chain[i], sizeof(float)) != 0 && !(got[i] == 0 && chain[i] == 0))
            fail_case(k, what, result, i, (double)got[i], (double)chain[i]);
        if (fabs((double)got[i] - exact[i]) > 1e-3 + 1e-4 * fabs(exact[i]))
            fail_case(k, what, result, i, (double)got[i], exact[i]);
    }
    for (int64_t i = count; i < count + MARGIN; i++)
        if (got[i] != untouched) fail_case(k, what, "outside", i, (double)got[i], (double)untouched);
}

void case_check(kernel_case *k, const char *what) {
    int64_t in = k->rows.count * naive_in_count(&k->conv), out = k->rows.count * naive_out_count(&k->conv);
    if (k->y_is_first) memcpy(k->y_chain, k->y, (size_t)out * sizeof *k->y);
    if (k->dx_is_first) memcpy(k->dx_chain, k->dx, (size_t)in * sizeof *k->dx);
    if (k->dw_is_first)
        for (int i = 0; i < k->rows.subtrees; i++)
            memcpy(k->dw_chain + i * subtree_floats(&k->conv), k->subtree_dw[i],
                   (size_t)naive_weights(&k->conv) * sizeof *k->dw);
    k->y_is_first = k->dx_is_first = k->dw_is_first = false;
    check(k, what, "y", out, k->y, k->y_chain, k->y_exact);
    check(k, what, "dx", in, k->dx, k->dx_chain, k->dx_exact);
    check(k, what, "dw, db", k->rows.subtrees * subtree_floats(&k->conv), k->dw, k->dw_chain, k->dw_exact);
    for (int64_t i = k->scratch_count; i < k->scratch_count + MARGIN; i++)
        if (k->scratch[i] != untouched)
            fail_case(k, what, "outside scratch", i, (double)k->scratch[i], (double)untouched);
}

typedef struct error {
    double squares, most;
} error;

static error error_of(int64_t count, const float *got, const double *exact) {
    error e = {0, 0};
    for (int64_t i = 0; i < count; i++) {
        double d = fabs((double)got[i] - exact[i]);
        e.squares += d * d;
        e.most = d > e.most ? d : e.most;
    }
    return e;
}

void case_check_error(const kernel_case *k, const char *what, int64_t count, const float *got, const float *chain,
                      const double *exact) {
    error winograd = error_of(count, got, exact), direct = error_of(count, chain, exact);
    double mean = sqrt(winograd.squares / direct.squares), most = winograd.most / direct.most;
    if (mean >= 5) fail_case(k, what, "error of root mean squares, in direct sums'", count, mean, 5);
    if (most >= 5) fail_case(k, what, "largest error, in direct sums'", count, most, 5);
}

ls_pool *case_pool(int threads) {
    static ls_pool *pools[CASE_THREADS_MAX + 1];
    if (!pools[threads]) assert_int_equal(ls_pool_create(threads, &pools[threads]), LS_OK);
    return pools[threads];
}

ls_isa case_best_isa(void) {
    ls_isa best;
    assert_int_equal(ls_cpu_detect(&best), LS_OK);
    return best;
}

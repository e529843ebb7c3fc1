/* bench_kernels.c - GFLOP/s of the kernels on the models' shapes, beside the machine's peak and, for dense layers,
 * OpenBLAS.
 *
 *   bench_kernels [THREADS [SECONDS A MEASUREMENT]]
 *
 * Each figure is the best of some repetitions: others on the machine can only make it look worse. OpenBLAS is a
 * yardstick and no part of Lockstep: its sgemm on one thread, all rows in one call. */
#include <cblas.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lockstep/clock.h"
#include "lockstep/conv.h"
#include "lockstep/cpu.h"
#include "lockstep/gemm.h"
#include "lockstep/memory.h"
#include "lockstep/rng.h"

enum { LANES = 8 };
static double measure_s = 0.3;

typedef struct problem {
    ls_pool *pool;
    ls_conv conv; /* of a dense layer: c and o only */
    bool dense;
    ls_rows rows;
    float *x, *w, *bias, *y, *dx, *dw, *db, *scratch;
} problem;

static void forward(problem *p) {
    const ls_conv *v = &p->conv;
    if (p->dense)
        ls_gemm_forward(p->pool, p->rows.count, v->o, v->c, p->x, p->w, p->bias, LS_ACTIVATION_RELU, p->y, p->scratch);
    else
        ls_conv_forward(p->pool, v, p->rows.count, p->x, p->w, p->bias, LS_ACTIVATION_RELU, p->y, p->scratch);
}

static void input_gradient(problem *p) {
    const ls_conv *v = &p->conv;
    if (p->dense)
        ls_gemm_input_gradient(p->pool, p->rows.count, v->o, v->c, p->y, p->w, p->dx, p->scratch);
    else
        ls_conv_input_gradient(p->pool, v, p->rows.count, p->y, p->w, p->dx, p->scratch);
}

static void weight_gradient(problem *p) {
    const ls_conv *v = &p->conv;
    if (p->dense)
        ls_gemm_weight_gradient(p->pool, &p->rows, v->o, v->c, p->x, p->y, &p->dw, &p->db, p->scratch);
    else
        ls_conv_weight_gradient(p->pool, v, &p->rows, p->x, p->y, &p->dw, &p->db, p->scratch);
}

static void blas_forward(problem *p) {
    int m = (int)p->rows.count, n = (int)p->conv.o, k = (int)p->conv.c;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, p->x, k, p->w, n, 0, p->y, n);
}

static void blas_input_gradient(problem *p) {
    int m = (int)p->rows.count, n = (int)p->conv.o, k = (int)p->conv.c;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, k, n, 1, p->y, n, p->w, n, 0, p->dx, k);
}

static void blas_weight_gradient(problem *p) {
    int m = (int)p->rows.count, n = (int)p->conv.o, k = (int)p->conv.c;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, n, m, 1, p->x, k, p->y, n, 0, p->dw, n);
}

/* On one thread: the thread's own time, from which others on the machine take little. */
static double time_s(const problem *p) {
    struct timespec t;
    if (ls_pool_threads(p->pool) > 1) return ls_clock_s();
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* GFLOP/s of the best repetition. */
static double best(problem *p, void (*run)(problem *p)) {
    double shortest_s = 1e9, start_s = ls_clock_s();
    do {
        double begin_s = time_s(p);
        run(p);
        double s = time_s(p) - begin_s;
        if (s < shortest_s) shortest_s = s;
    } while (ls_clock_s() - start_s < measure_s);
    double flops = p->dense ? 2.0 * (double)p->conv.o * (double)p->conv.c : ls_conv_flops(&p->conv);
    return (double)p->rows.count * flops / shortest_s * 1e-9;
}

static float *floats(int64_t count, float scale) {
    float *p;
    if (ls_alloc(&p, count, sizeof *p, "benchmark data") != LS_OK) exit(1);
    ls_rng rng = ls_rng_stream(1, LS_RNG_TEST, 0, 0);
    ls_rng_fill_uniform(&rng, (uint64_t)count, scale > 0 ? count : 0, p);
    for (int64_t i = 0; i < count; i++) p[i] = scale * (p[i] - 0.5f);
    return p;
}

static void allocate(problem *p, int64_t row_count) {
    const ls_conv *v = &p->conv;
    int threads = ls_pool_threads(p->pool);
    int64_t in = row_count * v->h * v->w * v->c, out = row_count * v->out_h * v->out_w * v->o;
    int64_t weights = v->kernel_h * v->kernel_w * v->c * v->o;
    p->rows =
        (ls_rows){.count = row_count, .global_count = row_count, .lanes = LANES, .nodes = 1, .node_begin = {0, LANES}};
    for (int l = 0; l <= LANES; l++) p->rows.lane_begin[l] = l * row_count / LANES;
    p->x = floats(in, 1);
    p->w = floats(weights, 0.1f);
    p->bias = floats(v->o, 1);
    p->y = floats(out, 1);
    p->dx = floats(in, 0);
    p->dw = floats(weights, 0);
    p->db = floats(v->o, 0);
    p->scratch = floats(p->dense ? ls_gemm_scratch(row_count, v->o, v->c, threads, LANES)
                                 : ls_conv_scratch(v, row_count, threads, LANES),
                        0);
}

static void release(problem *p) {
    float *rooms[] = {p->x, p->w, p->bias, p->y, p->dx, p->dw, p->db, p->scratch};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) ls_free(rooms[i]);
}

static void dense(ls_pool *pool, int64_t row_count, int64_t k, int64_t n) {
    problem p = {.pool = pool, .conv = ls_conv_make(1, 1, k, n, 1, 1, 1, 1, false), .dense = true};
    allocate(&p, row_count);
    printf("dense %4" PRId64 " x %5" PRId64 " -> %5" PRId64 "          %7.1f %7.1f %7.1f", row_count, k, n,
           best(&p, forward), best(&p, input_gradient), best(&p, weight_gradient));
    printf("     %7.1f %7.1f %7.1f\n", best(&p, blas_forward), best(&p, blas_input_gradient),
           best(&p, blas_weight_gradient));
    fflush(stdout);
    release(&p);
}

static void conv(ls_pool *pool, int64_t row_count, int64_t size, int64_t c, int64_t o, int64_t kernel) {
    problem p = {.pool = pool, .conv = ls_conv_make(size, size, c, o, kernel, kernel, 1, 1, true)};
    allocate(&p, row_count);
    printf("conv  %4" PRId64 " x %2" PRId64 "x%2" PRId64 "x%3" PRId64 " -> %3" PRId64 ", %" PRId64 "x%" PRId64
           "  %7.1f %7.1f %7.1f\n",
           row_count, size, size, c, o, kernel, kernel, best(&p, forward), best(&p, input_gradient),
           best(&p, weight_gradient));
    fflush(stdout);
    release(&p);
}

int main(int argc, char **argv) {
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    if (argc > 2) measure_s = atof(argv[2]);
    ls_isa isa;
    ls_pool *pool;
    if (ls_cpu_detect(&isa) != LS_OK || ls_pool_create(threads, &pool) != LS_OK) return 1;
    ls_cpu_use(isa);
    openblas_set_num_threads(1);
    printf("%s, %d threads, peak %.1f GFLOP/s, %d lanes\n", ls_isa_name(isa), threads, ls_cpu_peak_gflops(pool, 0.5),
           LANES);
    printf("GFLOP/s                            forward  dx      dw          OpenBLAS, one thread\n");
    dense(pool, 256, 784, 32);
    dense(pool, 256, 32, 784);
    dense(pool, 256, 784, 128);
    dense(pool, 256, 128, 784);
    dense(pool, 256, 128, 64);
    dense(pool, 50, 51200, 2000);
    dense(pool, 50, 2000, 51200);
    conv(pool, 128, 28, 1, 32, 3);
    conv(pool, 128, 14, 32, 32, 3);
    conv(pool, 128, 28, 32, 32, 3);
    conv(pool, 128, 28, 32, 1, 3);
    conv(pool, 128, 28, 1, 16, 3);
    conv(pool, 128, 14, 16, 8, 3);
    conv(pool, 128, 7, 8, 8, 3);
    conv(pool, 128, 14, 8, 16, 3);
    conv(pool, 128, 28, 16, 1, 3);
    conv(pool, 4, 80, 3, 256, 5);
    conv(pool, 4, 40, 256, 128, 5);
    conv(pool, 4, 80, 128, 3, 5);
    ls_pool_destroy(pool);
    return 0;
}

/* bench_kernels.c - GFLOP/s of the kernels on the models' shapes, beside the machine's peak and rivals (rivals.h).
 *
 *   bench_kernels [THREADS [SECONDS A MEASUREMENT]]
 *
 * Three numbers a kernel: forward (ours with bias and relu, rivals without), input gradient, weight gradient. FLOPs
 * are those of direct convolution, whatever saves some. Each figure is the best of some repetitions: others on the
 * machine can only make it look worse. Rivals have one thread and all rows in one call. */
#include <cblas.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/integers.h"
#include "base/memory.h"
#include "base/rng.h"
#include "bench/rivals.h"
#include "tensor/conv.h"
#include "tensor/cpu.h"
#include "tensor/gemm.h"
#include "tensor/random.h"

enum { LANES = 8 };
static double measure_s = 0.3;

typedef struct problem {
    ls_pool *pool;
    ls_conv conv;  /* of a dense layer: c and o only */
    ls_conv plain; /* the same without up-sampling, for rivals */
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
    ls_random_uniform(&rng, (uint64_t)count, scale > 0 ? count : 0, p);
    for (int64_t i = 0; i < count; i++) p[i] = scale * (p[i] - 0.5f);
    return p;
}

static void allocate(problem *p, int64_t row_count) {
    const ls_conv *v = &p->conv;
    int threads = ls_pool_threads(p->pool);
    int64_t in = row_count * v->h * v->w * v->c, out = row_count * v->out_h * v->out_w * v->o;
    int64_t weights = v->kernel_h * v->kernel_w * v->c * v->o;
    p->rows = (ls_rows){
        .count = row_count, .global_count = row_count, .lanes = LANES, .subtrees = 1, .subtree_begin = {0, LANES}};
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

/* --- rivals --- */

static const rival *const rivals[] = {
    &rival_openblas,
#if defined(HAVE_LIBXSMM)
    &rival_libxsmm,
#endif
};
enum { RIVALS = sizeof rivals / sizeof *rivals };

static const rival *opponent;

static void rival_forward(problem *p) { opponent->forward(&p->plain, p->rows.count, p->x, p->w, p->y); }
static void rival_input_gradient(problem *p) { opponent->input_gradient(&p->plain, p->rows.count, p->y, p->w, p->dx); }
static void rival_weight_gradient(problem *p) {
    opponent->weight_gradient(&p->plain, p->rows.count, p->x, p->y, p->dw);
}

/* A rival that computes something else is no rival. */
static void check(const char *what, int64_t count, const float *ours, const float *theirs) {
    double off = 0, all = 0;
    for (int64_t i = 0; i < count; i++) {
        off += fabs((double)ours[i] - (double)theirs[i]);
        all += fabs((double)ours[i]);
    }
    if (off <= 1e-4 * all) return;
    fprintf(stderr, "%s of %s is not ours: off by %g of %g\n", what, opponent->name, off, all);
    exit(1);
}

static void check_rival(problem *p) {
    const ls_conv *v = &p->plain;
    int64_t in = p->rows.count * v->h * v->w * v->c, out = p->rows.count * v->out_h * v->out_w * v->o;
    int64_t weights = v->kernel_h * v->kernel_w * v->c * v->o;
    float *other = floats(ls_max(ls_max(in, out), weights), 0);
    problem theirs = *p;
    ls_conv_forward(p->pool, v, p->rows.count, p->x, p->w, NULL, LS_ACTIVATION_LINEAR, p->y, p->scratch);
    theirs.y = other;
    rival_forward(&theirs);
    check("forward", out, p->y, other);
    if (opponent->strides || v->stride_h * v->stride_w == 1) {
        theirs = *p;
        ls_conv_input_gradient(p->pool, v, p->rows.count, p->y, p->w, p->dx, p->scratch);
        theirs.dx = other;
        rival_input_gradient(&theirs);
        check("input gradient", in, p->dx, other);
        ls_conv_weight_gradient(p->pool, v, &p->rows, p->x, p->y, &p->dw, &p->db, p->scratch);
        theirs.dw = other;
        rival_weight_gradient(&theirs);
        check("weight gradient", weights, p->dw, other);
    }
    ls_free(other);
}

static void print_rival(problem *p) {
    check_rival(p);
    printf("  | %6.1f", best(p, rival_forward));
    if (opponent->strides || p->conv.stride_h * p->conv.stride_w == 1)
        printf(" %6.1f %6.1f", best(p, rival_input_gradient), best(p, rival_weight_gradient));
    else
        printf(" %6s %6s", "-", "-");
}

/* A convolution of a model; up: of pictures that are up-sampled first, which ours does not make. */
static void conv(ls_pool *pool, int64_t row_count, int64_t size, int64_t c, int64_t o, int64_t kernel,
                 const char *kind) {
    int64_t stride = strcmp(kind, "/2") == 0 ? 2 : 1;
    ls_conv plain = ls_conv_make(size, size, c, o, kernel, kernel, stride, stride, strcmp(kind, "valid") != 0);
    problem p = {.pool = pool, .conv = plain, .plain = plain};
    allocate(&p, row_count);
    if (strcmp(kind, "up") == 0) p.conv = ls_conv_up_sampled(plain, 2, 2);
    printf("%3" PRId64 " x %2" PRId64 "x%2" PRId64 "x%-3" PRId64 " -> %3" PRId64 ", %" PRId64 "x%" PRId64 " %-5s",
           row_count, size, size, c, o, kernel, kernel, kind);
    printf("  | %6.1f %6.1f %6.1f", best(&p, forward), best(&p, input_gradient), best(&p, weight_gradient));
    for (int i = 0; i < RIVALS; i++) {
        opponent = rivals[i];
        print_rival(&p);
    }
    puts("");
    fflush(stdout);
    release(&p);
}

static void dense_layers(ls_pool *pool) {
    printf("\n%-36s  %-22s  OpenBLAS (the same)\n", "dense: rows x inputs -> units", "forward dx dw");
    dense(pool, 256, 784, 32);
    dense(pool, 256, 32, 784);
    dense(pool, 256, 784, 128);
    dense(pool, 256, 128, 784);
    dense(pool, 256, 128, 64);
    dense(pool, 50, 51200, 2000);
    dense(pool, 50, 2000, 51200);
}

static void convolutions(ls_pool *pool) {
    printf("\n%-34s  | %-20s", "conv: rows x picture -> filters", "ours: forward dx dw");
    for (int i = 0; i < RIVALS; i++) printf("  | %-20s", rivals[i]->name);
    puts("");
    conv(pool, 128, 28, 1, 16, 3, ""); /* mnist-conv */
    conv(pool, 128, 14, 16, 8, 3, "");
    conv(pool, 128, 7, 8, 8, 3, "");
    conv(pool, 128, 8, 8, 8, 3, "up");
    conv(pool, 128, 16, 8, 16, 3, "valid");
    conv(pool, 128, 28, 16, 1, 3, "up");
    conv(pool, 128, 28, 1, 32, 3, ""); /* mnist-denoise */
    conv(pool, 128, 14, 32, 32, 3, "");
    conv(pool, 128, 7, 32, 32, 3, "");
    conv(pool, 128, 14, 32, 32, 3, "up");
    conv(pool, 128, 28, 32, 1, 3, "up");
    conv(pool, 128, 28, 32, 64, 3,
         "valid"); /* mnist-denoise-latent; and the first of mnist-denoise; backwards for its transposed ones */
    conv(pool, 128, 26, 64, 64, 3, "");
    conv(pool, 32, 32, 1, 64, 3, "/2"); /* cifar-colorize; the same */
    conv(pool, 32, 16, 64, 128, 3, "/2");
    conv(pool, 32, 8, 128, 256, 3, "/2");
    conv(pool, 32, 8, 256, 256, 3, "/2");
    conv(pool, 32, 32, 3, 64, 3, "");
    conv(pool, 4, 80, 3, 256, 5, ""); /* catdog-colorize, of its 50 rows */
    conv(pool, 4, 40, 256, 128, 5, "");
    conv(pool, 4, 40, 128, 128, 5, "up");
    conv(pool, 4, 80, 128, 3, 5, "up");
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
    dense_layers(pool);
    convolutions(pool);
    ls_pool_destroy(pool);
    return 0;
}

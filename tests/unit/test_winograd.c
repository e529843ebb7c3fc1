/* The identities of minimal filtering in double, and the transforms of every instruction set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "support/kernel_case.h"
#include "tensor/kernels_internal.h"
#include "tensor/random.h"

enum { N = LS_WINOGRAD_N_MAX, CHANNELS = 48, POINTS = LS_WINOGRAD_POINTS_MAX };

static double draw(const ls_rng *rng, uint64_t i) { return (double)ls_rng_below(rng, i, 2001) / 1000 - 1; }

/* A filter of a tap less, which lacks the point at infinity; of one tap, the filter's transform is the inputs'. */
static void check_tap_less(const ls_winograd_matrices *f, const double *d, const double *g) {
    for (int i = 0; i < f->m; i++) {
        double y = 0, direct = 0;
        for (int k = 0; k < f->n - 1; k++) {
            double kernel = 0, input = 0;
            for (int j = 0; j < f->r - 1; j++) kernel += f->g[k][j] * g[j];
            for (int j = 0; j < f->n - 1; j++) input += f->bt[k][j] * d[j];
            y += f->at[i][k] * kernel * input;
        }
        for (int k = 0; k < f->r - 1; k++) direct += g[k] * d[i + k];
        assert_true(fabs(y - direct) < 1e-13);
    }
}

/* The identities of winograd.h, in double. */
static void test_forms(void **state) {
    (void)state;
    for (int form = 0; form < LS_WINOGRAD_FORMS; form++) {
        const ls_winograd_matrices *f = &ls_winograd[form];
        assert_int_equal(f->n, f->m + f->r - 1);
        ls_rng rng = ls_rng_stream(3, LS_RNG_TEST, (uint32_t)form, 0);
        double d[N], g[N], dy[N], kernel[N] = {0}, input[N] = {0}, gradient[N] = {0};
        for (int i = 0; i < N; i++)
            d[i] = draw(&rng, (uint64_t)i), g[i] = draw(&rng, (uint64_t)(N + i)),
            dy[i] = draw(&rng, (uint64_t)(2 * N + i));
        for (int i = 0; i < f->n; i++) {
            for (int j = 0; j < f->n; j++) input[i] += f->bt[i][j] * d[j];
            for (int j = 0; j < f->r; j++) kernel[i] += f->g[i][j] * g[j];
            for (int j = 0; j < f->m; j++) gradient[i] += f->at[j][i] * dy[j];
        }
        for (int i = 0; i < f->m; i++) {
            double y = 0, direct = 0;
            for (int k = 0; k < f->n; k++) y += f->at[i][k] * kernel[k] * input[k];
            for (int k = 0; k < f->r; k++) direct += g[k] * d[i + k];
            assert_true(fabs(y - direct) < 1e-13);
        }
        check_tap_less(f, d, g);
        for (int k = 0; k < f->r; k++) {
            double dg = 0, direct = 0;
            for (int i = 0; i < f->n; i++) dg += f->g[i][k] * gradient[i] * input[i];
            for (int i = 0; i < f->m; i++) direct += dy[i] * d[i + k];
            assert_true(fabs(dg - direct) < 1e-13);
        }
    }
}

typedef struct matrix {
    int rows, columns;
    double at[N][N];
} matrix;

/* The matrix that a part is on an axis, written as winograd.h has it. */
static matrix matrix_of(int form, int part, bool across) {
    const ls_winograd_matrices *f = &ls_winograd[form];
    bool less = part == LS_WINOGRAD_INPUT_LESS ||
                part == (across ? LS_WINOGRAD_INPUT_LESS_ACROSS : LS_WINOGRAD_INPUT_LESS_DOWN);
    const int sizes[LS_WINOGRAD_PARTS][2] = {[LS_WINOGRAD_OUTPUT] = {f->m, f->n},
                                             [LS_WINOGRAD_KERNEL] = {f->n, f->r},
                                             [LS_WINOGRAD_OUTPUT_GRADIENT] = {f->n, f->m},
                                             [LS_WINOGRAD_KERNEL_GRADIENT] = {f->r, f->n}};
    matrix x = {sizes[part][0], sizes[part][1], {{0}}};
    if (x.rows == 0) x.rows = x.columns = f->n - less;
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < x.columns; j++)
            x.at[i][j] = part == LS_WINOGRAD_OUTPUT            ? f->at[i][j]
                         : part == LS_WINOGRAD_KERNEL          ? f->g[i][j]
                         : part == LS_WINOGRAD_OUTPUT_GRADIENT ? f->at[j][i]
                         : part == LS_WINOGRAD_KERNEL_GRADIENT ? f->g[j][i]
                                                               : f->bt[i][j] * (less && f->r == 2 ? f->g[i][0] : 1);
    return x;
}

typedef struct picture {
    float pixels[POINTS][CHANNELS];
} picture;

static void run(int form, int part, int axes, const picture *in, const float *bias, bool relu, picture *out) {
    const float *in_at[POINTS];
    float *out_at[POINTS];
    for (int k = 0; k < POINTS; k++) in_at[k] = in->pixels[k], out_at[k] = out->pixels[k];
    ls_winograd_patch patch = {CHANNELS, in_at, out_at, bias, relu};
    memset(out, 0, sizeof *out);
    ls_winograd_kernels_get()->run[form][part][axes](&patch);
}

static void check_transform(int form, int part, int axes, bool relu) {
    picture in, out, first;
    float bias[CHANNELS];
    ls_rng rng = ls_rng_stream(4, LS_RNG_TEST, (uint32_t)part, 0);
    ls_random_normal(&rng, 0, POINTS * CHANNELS, in.pixels[0]);
    ls_random_normal(&rng, POINTS * CHANNELS, CHANNELS, bias);
    for (int isa = 0; isa <= (int)case_best_isa(); isa++) {
        ls_cpu_use((ls_isa)isa);
        run(form, part, axes, &in, bias, relu, isa ? &out : &first);
        if (isa) assert_memory_equal(&out, &first, sizeof out);
    }
    matrix down = matrix_of(form, part, false), across = matrix_of(form, part, true);
    if (axes == 1) {
        if (down.rows < across.rows) across = down; /* either axis may be the one */
        down = (matrix){1, 1, {{1}}};
    }
    for (int k = 0; k < down.rows * across.rows; k++)
        for (int c = 0; c < CHANNELS; c++) {
            double sum = 0, size = 0;
            for (int l = 0; l < down.columns * across.columns; l++) {
                double factor =
                    down.at[k / across.rows][l / across.columns] * across.at[k % across.rows][l % across.columns];
                sum += factor * (double)in.pixels[l][c];
                size += fabs(factor * (double)in.pixels[l][c]);
            }
            if (part == LS_WINOGRAD_OUTPUT) sum += (double)bias[c];
            if (part == LS_WINOGRAD_OUTPUT && relu && sum < 0) sum = 0;
            assert_true(fabs((double)first.pixels[k][c] - sum) < 1e-6 * (1 + size));
        }
}

static void test_transforms(void **state) {
    (void)state;
    for (int form = 0; form < LS_WINOGRAD_FORMS; form++)
        for (int part = 0; part < LS_WINOGRAD_PARTS; part++)
            for (int axes = 1; axes <= 2; axes++) {
                check_transform(form, part, axes, false);
                check_transform(form, part, axes, true);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_transforms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* kernels_vector.c - loops over flat vectors. A tail goes through the same instructions as the rest, in a padded
 * vector, so an element's result does not depend on where it stands. */
#include <math.h>

#include "tensor/kernels_internal.h"
#include "tensor/simd_internal.h"

enum {
    SUMS = 16
}; /* partial sums of a long sum: the same number whatever the width, so that it is one order for all */

/* The body for whole vectors and then for the rest. `part`: how many numbers of a vector there are; a constant for
 * whole ones. */
#define FOR_EACH_VEC(count, i, part, body)                                                                             \
    do {                                                                                                               \
        int64_t i = 0;                                                                                                 \
        for (; i + VEC_WIDTH <= (count); i += VEC_WIDTH) {                                                             \
            enum { part = VEC_WIDTH };                                                                                 \
            body                                                                                                       \
        }                                                                                                              \
        if (i < (count)) {                                                                                             \
            int64_t part = (count)-i;                                                                                  \
            body                                                                                                       \
        }                                                                                                              \
    } while (0)

VEC_INLINE vec get(const float *p, int64_t part) { return part == VEC_WIDTH ? vec_load(p) : vec_load_part(p, part); }
VEC_INLINE void put(float *p, vec x, int64_t part) {
    if (part == VEC_WIDTH)
        vec_store(p, x);
    else
        vec_store_part(p, x, part);
}

static void add(int64_t count, const float *x, float *y) {
    FOR_EACH_VEC(count, i, part, put(y + i, get(y + i, part) + get(x + i, part), part););
}

/* What is not a number is not within anything. */
static bool all_within(int64_t count, const float *x, float low, float high) {
    const vec least = vec_set(low), most = vec_set(high);
    vec_mask bad = {0};
    FOR_EACH_VEC(count, i, part, {
        vec v = get(x + i, part);
        vec_mask outside = ~((v >= least) & (v <= most));
        for (int64_t k = part; k < VEC_WIDTH; k++) outside[k] = 0; /* the zeros that fill it up */
        bad |= outside;
    });
    for (int i = 0; i < VEC_WIDTH; i++)
        if (bad[i]) return false;
    return true;
}

/* Windows are short runs of memory, far apart, that no hardware foresees: so many floats ahead, others are asked for.
 */
enum { AHEAD = 1024 };

VEC_INLINE vec window_maximum(const ls_windows *windows, const float *x, int64_t part) {
    vec most = get(x, part);
    for (int64_t i = 0; i < windows->h; i++)
        for (int64_t j = 0; j < windows->w; j++) {
            __builtin_prefetch(x + i * windows->row + j * windows->c + AHEAD);
            vec v = get(x + i * windows->row + j * windows->c, part);
            most = vec_select(v != v, v, vec_at_least(v, most)); /* what is not a number must be seen */
        }
    return most;
}

static void maximum(const ls_windows *windows, const float *x, float *y) {
    int64_t c = windows->c;
    for (int64_t k = 0; k < windows->count; k++, x += windows->step, y += c)
        FOR_EACH_VEC(c, i, part, put(y + i, window_maximum(windows, x + i, part), part););
}

VEC_INLINE void window_route(const ls_windows *windows, const float *x, vec y, vec dy, bool add, float *dx,
                             int64_t part) {
    for (int64_t i = 0; i < windows->h; i++)
        for (int64_t j = 0; j < windows->w; j++) {
            int64_t at = i * windows->row + j * windows->c;
            __builtin_prefetch(x + at + AHEAD);
            __builtin_prefetch(dx + at + AHEAD, 1);
            vec_mask hit = get(x + at, part) == y;
            vec mine = vec_select(hit, dy, (vec){0});
            dy = vec_select(hit, (vec){0}, dy);
            put(dx + at, add ? get(dx + at, part) + mine : mine, part);
        }
}

static void route(const ls_windows *windows, const float *x, const float *y, const float *dy, bool relu, bool add,
                  float *dx) {
    int64_t c = windows->c;
    for (int64_t k = 0; k < windows->count; k++, x += windows->step, dx += windows->step, y += c, dy += c)
        FOR_EACH_VEC(c, i, part, {
            vec most = get(y + i, part);
            vec g = get(dy + i, part);
            if (relu) g = vec_select(most > (vec){0}, g, (vec){0});
            window_route(windows, x + i, most, g, add, dx + i, part);
        });
}

static void sum_rows(int64_t rows, int64_t stride, int64_t count, const float *x, float *y) {
    enum { BLOCK = 4 * VEC_WIDTH };
    int64_t i = 0;
    for (; i + BLOCK <= count; i += BLOCK) {
        vec sum[4] = {{0}};
        for (int64_t r = 0; r < rows; r++)
            for (int v = 0; v < 4; v++) sum[v] += vec_load(x + r * stride + i + v * VEC_WIDTH);
        for (int v = 0; v < 4; v++) vec_store(y + i + v * VEC_WIDTH, sum[v]);
    }
    for (; i < count; i += VEC_WIDTH) {
        int64_t part = count - i < VEC_WIDTH ? count - i : VEC_WIDTH;
        vec sum = {0};
        for (int64_t r = 0; r < rows; r++) sum += get(x + r * stride + i, part);
        put(y + i, sum, part);
    }
}

static void sum_lines(int64_t lines, const float *const *x, int64_t count, float bias, bool relu, float *y) {
    const vec floor = vec_set(relu ? 0 : -INFINITY);
    for (int64_t i = 0; i < count; i += VEC_WIDTH) {
        vec sum = {0};
        for (int64_t k = 0; k < lines; k++) sum += vec_load(x[k] + i);
        vec_store(y + i, vec_at_least(floor, sum + bias));
    }
}

/* ---- Activations. ---- */

VEC_INLINE vec sigmoid_of(vec x) { return 1.0f / (1.0f + vec_exp(-x)); }

static void sigmoid(int64_t count, const float *x, float *y) {
    FOR_EACH_VEC(count, i, part, put(y + i, sigmoid_of(get(x + i, part)), part););
}
static void hyperbolic_tangent(int64_t count, const float *x, float *y) {
    FOR_EACH_VEC(count, i, part, put(y + i, vec_tanh(get(x + i, part)), part););
}
static void relu(int64_t count, const float *x, float *y) {
    FOR_EACH_VEC(count, i, part, put(y + i, vec_at_least((vec){0}, get(x + i, part)), part););
}

static void sigmoid_backward(int64_t count, const float *y, const float *dy, float *dx) {
    FOR_EACH_VEC(count, i, part, {
        vec s = get(y + i, part);
        put(dx + i, get(dy + i, part) * (s * (1.0f - s)), part);
    });
}
static void tanh_backward(int64_t count, const float *y, const float *dy, float *dx) {
    FOR_EACH_VEC(count, i, part, {
        vec t = get(y + i, part);
        put(dx + i, get(dy + i, part) * (1.0f - t * t), part);
    });
}
static void relu_backward(int64_t count, const float *y, const float *dy, float *dx) {
    FOR_EACH_VEC(count, i, part, {
        vec_mask off = get(y + i, part) <= (vec){0}; /* a NaN is not off: it must be seen */
        put(dx + i, vec_select(off, (vec){0}, get(dy + i, part)), part);
    });
}

/* ---- Sums in double. ---- */

VEC_INLINE void sums_add(double sums[SUMS], int64_t i, vec x) {
    double *at = sums + i % SUMS;
    for (int l = 0; l < VEC_WIDTH; l++) at[l] += (double)x[l];
}

static double sums_total(const double sums[SUMS]) {
    double total = 0;
    for (int i = 0; i < SUMS; i++) total += sums[i];
    return total;
}

/* The numbers that are there, the others zero: f(0) may be other than zero. */
VEC_INLINE vec keep(vec x, int64_t part) {
    for (int64_t i = part; i < VEC_WIDTH; i++) x[i] = 0;
    return x;
}

static void softmax(int64_t rows, int64_t width, const float *x, float *y) {
    for (int64_t r = 0; r < rows; r++, x += width, y += width) {
        float top = x[0];
        for (int64_t i = 1; i < width; i++) top = x[i] > top ? x[i] : top;
        double sums[SUMS] = {0};
        FOR_EACH_VEC(width, i, part, {
            vec e = vec_exp(get(x + i, part) - top);
            put(y + i, e, part);
            sums_add(sums, i, keep(e, part));
        });
        float total = (float)sums_total(sums);
        FOR_EACH_VEC(width, i, part, put(y + i, get(y + i, part) / total, part););
    }
}

static void softmax_backward(int64_t rows, int64_t width, const float *y, const float *dy, float *dx) {
    for (int64_t r = 0; r < rows; r++, y += width, dy += width, dx += width) {
        double sums[SUMS] = {0};
        FOR_EACH_VEC(width, i, part, sums_add(sums, i, get(y + i, part) * get(dy + i, part)););
        float mean = (float)sums_total(sums);
        FOR_EACH_VEC(width, i, part, put(dx + i, get(y + i, part) * (get(dy + i, part) - mean), part););
    }
}

static double cross_entropy(int64_t count, const float *z, const float *target, float scale, float *dz) {
    double sums[SUMS] = {0};
    FOR_EACH_VEC(count, i, part, {
        vec x = get(z + i, part);
        vec t = get(target + i, part);
        vec e = vec_exp(-vec_abs(x));
        sums_add(sums, i, keep(vec_at_least((vec){0}, x) - x * t + vec_log1p(e), part));
        vec sigmoid_x = vec_select(x >= (vec){0}, vec_set(1), e) / (1.0f + e); /* no overflow on either side */
        if (dz != NULL) put(dz + i, scale * (sigmoid_x - t), part);
    });
    return sums_total(sums);
}

static double squared_error(int64_t count, const float *z, const float *target, float scale, float *dz) {
    double sums[SUMS] = {0};
    FOR_EACH_VEC(count, i, part, {
        vec d = get(z + i, part) - get(target + i, part);
        sums_add(sums, i, d * d);
        if (dz != NULL) put(dz + i, scale * (2.0f * d), part);
    });
    return sums_total(sums);
}

const ls_vector_kernels LS_KERNELS_NAME(vector, LS_KERNEL_ISA) = {.add = add,
                                                                  .within = all_within,
                                                                  .sigmoid = sigmoid,
                                                                  .tanh = hyperbolic_tangent,
                                                                  .relu = relu,
                                                                  .softmax = softmax,
                                                                  .sigmoid_backward = sigmoid_backward,
                                                                  .tanh_backward = tanh_backward,
                                                                  .relu_backward = relu_backward,
                                                                  .softmax_backward = softmax_backward,
                                                                  .cross_entropy = cross_entropy,
                                                                  .squared_error = squared_error,
                                                                  .maximum = maximum,
                                                                  .route = route,
                                                                  .sum_rows = sum_rows,
                                                                  .sum_lines = sum_lines};

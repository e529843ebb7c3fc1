/* activation.c - activations by themselves, shared out over the pool, and inside of kernels' tasks; see activation.h.
 */
#include "tensor/activation.h"

#include <string.h>

#include "base/integers.h"
#include "tensor/activation_internal.h"
#include "tensor/kernels_internal.h"

const char *const ls_activation_names[] = {"linear", "relu", "sigmoid", "tanh", "softmax", NULL};

bool ls_activation_is_late(ls_activation activation) {
    return activation == LS_ACTIVATION_SIGMOID || activation == LS_ACTIVATION_TANH;
}

static void apply(ls_activation activation, int64_t count, int64_t width, const float *x, float *y) {
    const ls_vector_kernels *kernels = ls_vector_kernels_get();
    switch (activation) {
    case LS_ACTIVATION_RELU:
        kernels->relu(count, x, y);
        break;
    case LS_ACTIVATION_SIGMOID:
        kernels->sigmoid(count, x, y);
        break;
    case LS_ACTIVATION_TANH:
        kernels->tanh(count, x, y);
        break;
    case LS_ACTIVATION_SOFTMAX:
        kernels->softmax(count / width, width, x, y);
        break;
    case LS_ACTIVATION_LINEAR:
    case LS_ACTIVATION_COUNT:
        if (x != y) memcpy(y, x, (size_t)count * sizeof *y);
    }
}

void ls_activation_apply(ls_activation activation, int64_t count, const float *x, float *y) {
    apply(activation, count, 1, x, y);
}

static void apply_backward(ls_activation activation, int64_t count, int64_t width, const float *y, const float *dy,
                           float *dx) {
    const ls_vector_kernels *kernels = ls_vector_kernels_get();
    switch (activation) {
    case LS_ACTIVATION_RELU:
        kernels->relu_backward(count, y, dy, dx);
        break;
    case LS_ACTIVATION_SIGMOID:
        kernels->sigmoid_backward(count, y, dy, dx);
        break;
    case LS_ACTIVATION_TANH:
        kernels->tanh_backward(count, y, dy, dx);
        break;
    case LS_ACTIVATION_SOFTMAX:
        kernels->softmax_backward(count / width, width, y, dy, dx);
        break;
    case LS_ACTIVATION_LINEAR:
    case LS_ACTIVATION_COUNT:
        if (dy != dx) memcpy(dx, dy, (size_t)count * sizeof *dx);
    }
}

enum { BLOCK = 16384 };

typedef struct activation_run {
    ls_activation activation;
    int64_t width;
    const float *y, *dy; /* forward: y is what f is applied to, dy NULL */
    float *out;
} activation_run;

static void run_range(void *context, int64_t begin, int64_t end) {
    const activation_run *a = context;
    if (a->dy != NULL)
        apply_backward(a->activation, end - begin, a->width, a->y + begin, a->dy + begin, a->out + begin);
    else
        apply(a->activation, end - begin, a->width, a->y + begin, a->out + begin);
}

static void run(ls_pool *pool, int64_t count, activation_run a) {
    ls_pool_run_blocks(pool, count * a.width, ls_round_up(BLOCK, a.width), run_range, &a);
}

void ls_activation_forward(ls_pool *pool, ls_activation activation, int64_t count, int64_t width, const float *x,
                           float *y) {
    run(pool, count, (activation_run){.activation = activation, .width = width, .y = x, .out = y});
}

void ls_activation_backward(ls_pool *pool, ls_activation activation, int64_t count, int64_t width, const float *y,
                            const float *dy, float *dx) {
    run(pool, count, (activation_run){.activation = activation, .width = width, .y = y, .dy = dy, .out = dx});
}

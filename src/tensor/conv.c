/* conv.c - convolutions, their gradients and transposed convolutions as the passes that make them; see conv.h. A pass
 * is conv_pass_internal.h's; weight gradients are in conv_weight.c. */
#include "tensor/conv.h"

#include <string.h>

#include "tensor/activation_internal.h"
#include "tensor/conv_pass_internal.h"
#include "tensor/conv_weight_internal.h"
#include "tensor/kernels_internal.h"
#include "tensor/panels_internal.h"

ls_conv ls_conv_make(int64_t h, int64_t w, int64_t c, int64_t filters, int64_t kernel_h, int64_t kernel_w,
                     int64_t stride_h, int64_t stride_w, bool same) {
    ls_conv conv = {.h = h,
                    .w = w,
                    .c = c,
                    .o = filters,
                    .kernel_h = kernel_h,
                    .kernel_w = kernel_w,
                    .stride_h = stride_h,
                    .stride_w = stride_w,
                    .up_h = 1,
                    .up_w = 1};
    ls_outputs_fit(h, kernel_h, stride_h, same, &conv.out_h, &conv.pad_top);
    ls_outputs_fit(w, kernel_w, stride_w, same, &conv.out_w, &conv.pad_left);
    return conv;
}

ls_conv ls_conv_up_sampled(ls_conv conv, int64_t up_h, int64_t up_w) {
    conv.h /= up_h;
    conv.w /= up_w;
    conv.up_h = up_h;
    conv.up_w = up_w;
    return conv;
}

double ls_conv_flops(const ls_conv *conv) {
    return 2.0 * (double)(conv->out_h * conv->out_w * conv->o) * (double)(conv->kernel_h * conv->kernel_w * conv->c);
}

/* Each output is made of the patch of x under the kernel. */
static void patches_run(ls_pool *pool, const ls_conv *conv, bool swapped, int64_t rows, const float *x, const float *w,
                        const float *bias, ls_activation activation, float *y, float *scratch) {
    ls_conv_pass pass = ls_conv_pass_forward(conv, swapped);
    pass.x = x;
    pass.w = w;
    pass.bias = bias;
    pass.activation = activation;
    pass.y = y;
    ls_conv_pass_run(pool, &pass, rows, scratch);
    if (activation == LS_ACTIVATION_SOFTMAX)
        ls_activation_forward(pool, activation, rows * conv->out_h * conv->out_w, conv->o, y, y);
}

/* A transposed convolution, by phases or at once. Tiles apply the activation that they can; the others, to all phases
 * together. */
static void phases_run(ls_pool *pool, const ls_conv *conv, bool swapped, int64_t rows, const float *y, const float *w,
                       const float *bias, ls_activation activation, float *x, float *scratch) {
    bool few = ls_conv_few_suits(conv);
    bool fused = activation == LS_ACTIVATION_RELU || (few && ls_activation_is_late(activation));
    if (few) ls_conv_few_run(pool, conv, swapped, rows, y, w, bias, activation, x, scratch);
    for (int64_t i = 0; !few && i < conv->stride_h * conv->stride_w; i++) {
        ls_conv_pass pass = ls_conv_pass_phase(conv, swapped, i);
        pass.x = y;
        pass.w = w;
        pass.bias = bias;
        pass.activation = fused ? activation : LS_ACTIVATION_LINEAR;
        pass.y = x;
        if (ls_conv_pass_has_outputs(&pass)) ls_conv_pass_run(pool, &pass, rows, scratch);
    }
    if (activation != LS_ACTIVATION_LINEAR && !fused)
        ls_activation_forward(pool, activation, rows * conv->h * conv->w, conv->c, x, x);
}

/* ---- Up-sampling first. Column u of the outputs meets pixel y through the taps that see one of its up_w copies,
 * b = kernel_w - 1 - t + j for j = 0..up_w - 1, with t = u + pad - up_w y: tap t of the turned kernel is their sum. And
 * so for rows. ---- */

ls_conv ls_conv_turned(const ls_conv *conv) {
    return (ls_conv){.h = conv->out_h,
                     .w = conv->out_w,
                     .c = conv->o,
                     .out_h = conv->h,
                     .out_w = conv->w,
                     .o = conv->c,
                     .kernel_h = conv->kernel_h + conv->up_h - 1,
                     .kernel_w = conv->kernel_w + conv->up_w - 1,
                     .stride_h = conv->up_h,
                     .stride_w = conv->up_w,
                     .pad_top = conv->kernel_h - 1 - conv->pad_top,
                     .pad_left = conv->kernel_w - 1 - conv->pad_left,
                     .up_h = 1,
                     .up_w = 1};
}

typedef struct spreading {
    const ls_conv *conv;
    const float *w;
    float *out;
} spreading;

static void spread_tap(void *context, int64_t task, int thread) {
    (void)thread;
    const spreading *s = context;
    const ls_conv *conv = s->conv;
    int64_t columns = conv->kernel_w + conv->up_w - 1, tap_floats = conv->c * conv->o;
    float *out = s->out + task * tap_floats;
    memset(out, 0, (size_t)tap_floats * sizeof *out);
    for (int64_t j = 0; j < conv->up_h * conv->up_w; j++) {
        int64_t a = conv->kernel_h - 1 - task / columns + j / conv->up_w;
        int64_t b = conv->kernel_w - 1 - task % columns + j % conv->up_w;
        if (a >= 0 && a < conv->kernel_h && b >= 0 && b < conv->kernel_w)
            ls_vector_kernels_get()->add(tap_floats, s->w + (a * conv->kernel_w + b) * tap_floats, out);
    }
}

static int64_t spread_floats(const ls_conv *conv) {
    ls_conv turned = ls_conv_turned(conv);
    return ls_round_up(turned.kernel_h * turned.kernel_w * turned.c * turned.o, LS_COLUMNS_ALIGN);
}

/* Into scratch; returns what is left of that. */
static float *spread_kernel(ls_pool *pool, const ls_conv *conv, const float *w, float *scratch) {
    spreading s = {conv, w, scratch};
    ls_pool_run(pool, (conv->kernel_h + conv->up_h - 1) * (conv->kernel_w + conv->up_w - 1), spread_tap, &s);
    return scratch + spread_floats(conv);
}

/* ---- The doors. ---- */

void ls_conv_forward(ls_pool *pool, const ls_conv *conv, int64_t rows, const float *x, const float *w,
                     const float *bias, ls_activation activation, float *y, float *scratch) {
    ls_conv turned = ls_conv_turned(conv);
    if (!ls_conv_is_up_sampled(conv))
        patches_run(pool, conv, false, rows, x, w, bias, activation, y, scratch);
    else
        phases_run(pool, &turned, true, rows, x, scratch, bias, activation, y, spread_kernel(pool, conv, w, scratch));
}

void ls_conv_input_gradient(ls_pool *pool, const ls_conv *conv, int64_t rows, const float *dy, const float *w,
                            float *dx, float *scratch) {
    ls_conv turned = ls_conv_turned(conv);
    if (!ls_conv_is_up_sampled(conv))
        phases_run(pool, conv, false, rows, dy, w, NULL, LS_ACTIVATION_LINEAR, dx, scratch);
    else
        patches_run(pool, &turned, true, rows, dy, scratch, NULL, LS_ACTIVATION_LINEAR, dx,
                    spread_kernel(pool, conv, w, scratch));
}

void ls_conv_transposed(ls_pool *pool, const ls_conv *conv, int64_t rows, const float *y, const float *w,
                        const float *bias, ls_activation activation, float *x, float *scratch) {
    phases_run(pool, conv, false, rows, y, w, bias, activation, x, scratch);
}

/* Fewer rows make bands narrower, never wider; how taps lie does not matter. */
static int64_t passes_scratch(const ls_conv *conv, int64_t max_rows, int threads) {
    ls_conv_pass pass = ls_conv_pass_forward(conv, false);
    int64_t floats = ls_conv_pass_scratch(&pass, max_rows, threads);
    if (ls_conv_few_suits(conv)) floats = ls_max(floats, ls_conv_few_scratch(conv, max_rows, threads));
    for (int64_t i = 0; i < conv->stride_h * conv->stride_w; i++) {
        pass = ls_conv_pass_phase(conv, false, i);
        if (ls_conv_pass_has_outputs(&pass)) floats = ls_max(floats, ls_conv_pass_scratch(&pass, max_rows, threads));
    }
    return floats;
}

int64_t ls_conv_scratch(const ls_conv *conv, int64_t max_rows, int threads, int lanes) {
    int64_t gradient_floats = ls_conv_weight_gradient_scratch(conv, max_rows, threads, lanes);
    if (!ls_conv_is_up_sampled(conv)) return ls_max(passes_scratch(conv, max_rows, threads), gradient_floats);
    ls_conv turned = ls_conv_turned(conv);
    return ls_max(spread_floats(conv) + passes_scratch(&turned, max_rows, threads), gradient_floats);
}

#include "tensor/conv.h"

#include <string.h>

#include "tensor/activation_internal.h"
#include "tensor/conv_pass_internal.h"
#include "tensor/conv_weight_internal.h"
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
    ls_window_fit(h, kernel_h, stride_h, same, &conv.out_h, &conv.pad_top);
    ls_window_fit(w, kernel_w, stride_w, same, &conv.out_w, &conv.pad_left);
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

enum { PICTURE_FLOATS = 40960, TASKS = 64 };

int64_t ls_conv_band(const ls_conv_pass *pass, int64_t rows, int64_t row_floats) {
    int64_t spread = ls_ceil_div(pass->out_h, ls_ceil_div(TASKS, ls_max(1, rows)));
    int64_t band = ls_max(1, ls_min(PICTURE_FLOATS / ls_max(1, row_floats), spread));
    return ls_ceil_div(pass->out_h, ls_ceil_div(pass->out_h, band)); /* bands of about equal height */
}

static void pass_run(ls_pool *pool, const ls_conv_pass *pass, int64_t rows, float *scratch) {
    if (ls_conv_winograd_suits(pass))
        ls_conv_winograd_run(pool, pass, rows, scratch);
    else if (ls_conv_planes_suit(pass, ls_tile_kernels_get()->width))
        ls_conv_planes_run(pool, pass, rows, scratch);
    else
        ls_conv_tiles_run(pool, pass, rows, scratch);
}

/* Of either way where both may be taken, as the instruction set need not be chosen yet. */
static int64_t pass_scratch(const ls_conv_pass *pass, int64_t rows, int threads) {
    if (ls_conv_winograd_suits(pass)) return ls_conv_winograd_scratch(pass, threads);
    int64_t floats = ls_conv_tiles_scratch(pass, rows, threads);
    return ls_conv_planes_suit(pass, LS_COLUMNS_ALIGN) ? ls_max(floats, ls_conv_planes_scratch(pass, rows, threads))
                                                       : floats;
}

/* swapped: taps lie as [o][c], not [c][o]. */
static ls_conv_pass forward_pass(const ls_conv *conv, bool swapped) {
    int64_t tap_floats = conv->c * conv->o;
    return (ls_conv_pass){.picture = ls_picture_of(conv),
                          .tap_row = conv->kernel_w * tap_floats,
                          .tap_column = tap_floats,
                          .w_stride = swapped ? conv->c : conv->o,
                          .transposed = swapped,
                          .out_h = conv->out_h,
                          .out_w = conv->out_w,
                          .o = conv->o,
                          .out_picture = conv->out_h * conv->out_w * conv->o,
                          .out_row = conv->out_w * conv->o,
                          .out_column = conv->o};
}

static void window_run(ls_pool *pool, const ls_conv *conv, bool swapped, int64_t rows, const float *x, const float *w,
                       const float *bias, ls_activation activation, float *y, float *scratch) {
    ls_conv_pass pass = forward_pass(conv, swapped);
    pass.x = x;
    pass.w = w;
    pass.bias = bias;
    pass.activation = activation;
    pass.y = y;
    pass_run(pool, &pass, rows, scratch);
    if (activation == LS_ACTIVATION_SOFTMAX)
        ls_activation_forward(pool, activation, rows * conv->out_h * conv->out_w, conv->o, y, y);
}

/* ---- Transposed: with strides s_h x s_w, the pixels of dx fall into s_h s_w phases, each reached by other taps of the
 * kernel: a convolution of dy, stride 1, with those taps flipped. No zero is ever multiplied. ---- */

typedef struct phase {
    int64_t taps;         /* of the kernel that reach the phase: last, last - stride, ... */
    int64_t last;         /* 0 where there are none */
    int64_t begin, count; /* the phase's pixels: begin, begin + stride, ... */
    int64_t pad;
} phase;

/* Input pixel y with y + pad = q stride + remainder is reached through tap a = remainder + m stride from output q - m.
 */
static phase phase_of(int64_t remainder, int64_t in, int64_t kernel, int64_t stride, int64_t pad) {
    phase p = {.taps = remainder < kernel ? ls_ceil_div(kernel - remainder, stride) : 0};
    int64_t q = pad > remainder ? ls_ceil_div(pad - remainder, stride) : 0; /* of the first pixel in the picture */
    p.last = p.taps ? remainder + (p.taps - 1) * stride : 0;
    p.begin = q * stride + remainder - pad;
    p.count = p.begin < in ? ls_ceil_div(in - p.begin, stride) : 0;
    p.pad = p.taps - 1 - q;
    return p;
}

/* Phase number `index` of stride_h x stride_w. May be without pixels. */
static ls_conv_pass phase_pass(const ls_conv *conv, bool swapped, int64_t index) {
    phase v = phase_of(index / conv->stride_w, conv->h, conv->kernel_h, conv->stride_h, conv->pad_top);
    phase u = phase_of(index % conv->stride_w, conv->w, conv->kernel_w, conv->stride_w, conv->pad_left);
    int64_t tap_floats = conv->c * conv->o;
    ls_conv_pass pass = {.picture = {.h = conv->out_h,
                                     .w = conv->out_w,
                                     .channels = conv->o,
                                     .c = conv->o,
                                     .kernel_h = v.taps,
                                     .kernel_w = u.taps,
                                     .stride_h = 1,
                                     .stride_w = 1,
                                     .pad_top = v.pad,
                                     .pad_left = u.pad},
                         .w_begin = (v.last * conv->kernel_w + u.last) * tap_floats,
                         .tap_row = -conv->stride_h * conv->kernel_w * tap_floats,
                         .tap_column = -conv->stride_w * tap_floats,
                         .w_stride = swapped ? conv->c : conv->o,
                         .transposed = !swapped,
                         .out_h = v.count,
                         .out_w = u.count,
                         .o = conv->c,
                         .out_begin = (v.begin * conv->w + u.begin) * conv->c,
                         .out_picture = conv->h * conv->w * conv->c,
                         .out_row = conv->stride_h * conv->w * conv->c,
                         .out_column = conv->stride_w * conv->c};
    ls_picture_fit(&pass.picture, pass.out_h, pass.out_w);
    return pass;
}

static bool has_pixels(const ls_conv_pass *pass) { return pass->out_h > 0 && pass->out_w > 0; }

/* A transposed convolution, by phases or at once. Tiles apply the activation that they can; the others, to all phases
 * together. */
static void phases_run(ls_pool *pool, const ls_conv *conv, bool swapped, int64_t rows, const float *y, const float *w,
                       const float *bias, ls_activation activation, float *x, float *scratch) {
    bool few = ls_conv_few_suits(conv);
    bool fused = activation == LS_ACTIVATION_RELU || (few && ls_activation_is_late(activation));
    if (few) ls_conv_few_run(pool, conv, swapped, rows, y, w, bias, activation, x, scratch);
    for (int64_t i = 0; !few && i < conv->stride_h * conv->stride_w; i++) {
        ls_conv_pass pass = phase_pass(conv, swapped, i);
        pass.x = y;
        pass.w = w;
        pass.bias = bias;
        pass.activation = fused ? activation : LS_ACTIVATION_LINEAR;
        pass.y = x;
        if (has_pixels(&pass)) pass_run(pool, &pass, rows, scratch);
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

static bool window_is_winograd(const ls_conv *conv) {
    ls_conv_pass pass = forward_pass(conv, false);
    return ls_conv_winograd_suits(&pass);
}

static bool phases_are_winograd(const ls_conv *conv) {
    for (int64_t i = 0; i < conv->stride_h * conv->stride_w; i++) {
        ls_conv_pass pass = phase_pass(conv, false, i);
        if (has_pixels(&pass) && ls_conv_winograd_suits(&pass)) return true;
    }
    return false;
}

bool ls_conv_forward_is_few(const ls_conv *conv) {
    ls_conv turned = ls_conv_turned(conv);
    return ls_conv_is_up_sampled(conv) && ls_conv_few_suits(&turned);
}

bool ls_conv_input_gradient_is_few(const ls_conv *conv) {
    return !ls_conv_is_up_sampled(conv) && ls_conv_few_suits(conv);
}

bool ls_conv_forward_is_winograd(const ls_conv *conv) {
    ls_conv turned = ls_conv_turned(conv);
    return ls_conv_is_up_sampled(conv) ? phases_are_winograd(&turned) : window_is_winograd(conv);
}

bool ls_conv_input_gradient_is_winograd(const ls_conv *conv) {
    ls_conv turned = ls_conv_turned(conv);
    return ls_conv_is_up_sampled(conv) ? window_is_winograd(&turned) : phases_are_winograd(conv);
}

void ls_conv_forward(ls_pool *pool, const ls_conv *conv, int64_t rows, const float *x, const float *w,
                     const float *bias, ls_activation activation, float *y, float *scratch) {
    if (!ls_conv_is_up_sampled(conv)) {
        window_run(pool, conv, false, rows, x, w, bias, activation, y, scratch);
        return;
    }
    ls_conv turned = ls_conv_turned(conv);
    float *rest = spread_kernel(pool, conv, w, scratch);
    phases_run(pool, &turned, true, rows, x, scratch, bias, activation, y, rest);
}

void ls_conv_input_gradient(ls_pool *pool, const ls_conv *conv, int64_t rows, const float *dy, const float *w,
                            float *dx, float *scratch) {
    if (!ls_conv_is_up_sampled(conv)) {
        phases_run(pool, conv, false, rows, dy, w, NULL, LS_ACTIVATION_LINEAR, dx, scratch);
        return;
    }
    ls_conv turned = ls_conv_turned(conv);
    float *rest = spread_kernel(pool, conv, w, scratch);
    window_run(pool, &turned, true, rows, dy, scratch, NULL, LS_ACTIVATION_LINEAR, dx, rest);
}

void ls_conv_transposed(ls_pool *pool, const ls_conv *conv, int64_t rows, const float *y, const float *w,
                        const float *bias, ls_activation activation, float *x, float *scratch) {
    phases_run(pool, conv, false, rows, y, w, bias, activation, x, scratch);
}

static int64_t passes_scratch(const ls_conv *conv, int64_t max_rows, int threads) {
    /* Fewer rows make bands narrower, never wider; how taps lie does not matter. */
    ls_conv_pass pass = forward_pass(conv, false);
    int64_t floats = pass_scratch(&pass, max_rows, threads);
    if (ls_conv_few_suits(conv)) floats = ls_max(floats, ls_conv_few_scratch(conv, max_rows, threads));
    for (int64_t i = 0; i < conv->stride_h * conv->stride_w; i++) {
        pass = phase_pass(conv, false, i);
        if (has_pixels(&pass)) floats = ls_max(floats, pass_scratch(&pass, max_rows, threads));
    }
    return floats;
}

int64_t ls_conv_scratch(const ls_conv *conv, int64_t max_rows, int threads, int lanes) {
    int64_t gradient_floats = ls_conv_weight_gradient_scratch(conv, max_rows, threads, lanes);
    if (!ls_conv_is_up_sampled(conv)) return ls_max(passes_scratch(conv, max_rows, threads), gradient_floats);
    ls_conv turned = ls_conv_turned(conv);
    return ls_max(spread_floats(conv) + passes_scratch(&turned, max_rows, threads), gradient_floats);
}

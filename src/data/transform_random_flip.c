/* transform_random_flip.c - mirrors pictures, each with a chance of one half in every epoch; Keras' RandomFlip. */
#include "data/transforms_internal.h"

enum { HORIZONTAL = 1, VERTICAL = 2 };

typedef struct flip_options {
    int mode;
} flip_options;

static const char *const modes[] = {"horizontal_and_vertical", "horizontal", "vertical", NULL};
static const int directions[] = {HORIZONTAL | VERTICAL, HORIZONTAL, VERTICAL};

static const ls_option options[] = {{"mode", LS_OPTION_CHOICE, offsetof(flip_options, mode),
                                     .preset = "horizontal_and_vertical", .choices = modes,
                                     .help = "left to right, upside down, or both, each at random"},
                                    LS_OPTIONS_END};

static ls_status plan(const void *record, const ls_signal *in, ls_signal *out) {
    (void)record, (void)out;
    char text[LS_SHAPE_TEXT_MAX];
    if (in->shape.dims == 3) return LS_OK;
    return LS_RAISE(LS_INVALID, "needs pictures of height x width x channels, not %s", ls_shape_text(&in->shape, text));
}

static void swap(int64_t count, float *a, float *b) {
    for (int64_t i = 0; i < count; i++) {
        float x = a[i];
        a[i] = b[i];
        b[i] = x;
    }
}

/* Reverses the order of `count` runs of `floats` numbers. */
static void turn(int64_t count, int64_t floats, float *x) {
    for (int64_t i = 0; i < count / 2; i++) swap(floats, x + i * floats, x + (count - 1 - i) * floats);
}

static void apply(const void *record, const ls_signal *in, const ls_rng *rng, uint64_t sample, const float *x,
                  float *y) {
    (void)x; /* is y */
    const flip_options *o = record;
    int64_t h = in->shape.dim[0], w = in->shape.dim[1], c = in->shape.dim[2];
    uint32_t chance[4];
    ls_rng_bits(rng, sample, 0, chance);
    uint32_t flips = chance[0] & (uint32_t)directions[o->mode];
    if (flips & VERTICAL) turn(h, w * c, y);
    for (int64_t i = 0; flips & HORIZONTAL && i < h; i++) turn(w, c, y + i * w * c);
}

const ls_transform_type ls_transform_random_flip = {
    .name = "random_flip",
    .help = "mirrors pictures at random; for data.augment",
    .options = options,
    .options_bytes = sizeof(flip_options),
    .corrupts = true,
    .random = true,
    .augments = true,
    .plan = plan,
    .apply = apply,
};

/* pipeline.c - applies a list of transforms to a sample.
 *
 * A transform that is not apart works in place. The last transform that is apart writes to the output; those before it
 * write to the two halves of the scratch space in turn. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "data/transform.h"

typedef struct stage {
    const ls_transform_type *type;
    void *options;
    ls_signal in;
    bool augments;
} stage;

struct ls_pipeline {
    ls_element element;
    bool labels;
    stage stage[LS_TRANSFORMS_MAX];
    int stages;
    ls_signal out;       /* of the last stage; without stages, the stored sample */
    int apart;           /* how many stages are apart */
    int64_t half_floats; /* the largest output of a stage */
};

ls_status ls_pipeline_create(const ls_dataset_info *info, bool labels, ls_pipeline **out) {
    *out = NULL;
    if (labels && !info->labelled) return LS_RAISE(LS_INVALID, "the data has no labels");
    LS_TRY(ls_alloc(out, 1, sizeof **out, "a pipeline of transforms"));
    bool bytes = info->element == LS_ELEMENT_UINT8;
    ls_signal picture = {.shape = info->shape, .high = bytes ? 255.0f : 1.0f, .assumed = !bytes};
    ls_signal one_hot = {.shape = {.dims = 1, .dim = {info->classes}}, .high = 1.0f};
    (*out)->element = info->element;
    (*out)->labels = labels;
    (*out)->out = labels ? one_hot : picture;
    (*out)->half_floats = ls_align_floats(ls_shape_count(&(*out)->out.shape));
    return LS_OK;
}

void ls_pipeline_destroy(ls_pipeline *pipeline) {
    if (pipeline == NULL) return;
    for (int i = 0; i < pipeline->stages; i++) ls_free(pipeline->stage[i].options);
    ls_free(pipeline);
}

static bool is_like(const ls_signal *a, const ls_signal *b) {
    return ls_shape_equal(&a->shape, &b->shape) && a->low == b->low && a->high == b->high;
}

static ls_status add_stage(ls_pipeline *pipeline, const ls_transform_type *type, const void *options, bool augments) {
    if (pipeline->stages == LS_TRANSFORMS_MAX)
        return LS_RAISE(LS_INVALID, "there are more than %d transforms", LS_TRANSFORMS_MAX);
    stage *s = &pipeline->stage[pipeline->stages];
    ls_signal out = pipeline->out;
    if (type->plan != NULL) LS_TRY(type->plan(options, &pipeline->out, &out));
    assert(!type->random || is_like(&out, &pipeline->out));
    if (augments && (!is_like(&out, &pipeline->out) || (type->corrupts && !type->random)))
        return LS_RAISE(
            LS_INVALID,
            "belongs in data.input or data.target: data.augment is for training alone, and changes neither shape "
            "nor range nor colours");
    LS_TRY(ls_alloc(&s->options, (int64_t)type->options_bytes, 1, "the options of a transform"));
    memcpy(s->options, options, type->options_bytes);
    s->type = type;
    s->in = pipeline->out;
    s->augments = augments;
    pipeline->out = out;
    pipeline->stages++;
    if (type->apart) pipeline->apart++;
    int64_t floats = ls_align_floats(ls_shape_count(&out.shape));
    if (floats > pipeline->half_floats) pipeline->half_floats = floats;
    return LS_OK;
}

ls_status ls_pipeline_add(ls_pipeline *pipeline, const ls_transform_type *type, const void *options) {
    if (type->augments)
        return LS_RAISE(LS_INVALID, "belongs in data.augment, which changes input and target alike, in training alone");
    return add_stage(pipeline, type, options, false);
}

ls_status ls_pipeline_augment(ls_pipeline *pipeline, const ls_transform_type *type, const void *options) {
    if (pipeline->stages > 0 && !pipeline->stage[pipeline->stages - 1].augments)
        return LS_RAISE(LS_INVALID, "an augmentation must come first");
    return add_stage(pipeline, type, options, true);
}

ls_shape ls_pipeline_shape(const ls_pipeline *pipeline) { return pipeline->out.shape; }

bool ls_pipeline_range(const ls_pipeline *pipeline, float *low, float *high) {
    *low = pipeline->out.low;
    *high = pipeline->out.high;
    return !pipeline->out.assumed;
}

int64_t ls_pipeline_scratch(const ls_pipeline *pipeline) {
    return (pipeline->apart < 2 ? pipeline->apart : 2) * pipeline->half_floats;
}

/* The buffer of a stage; apart_after: how many stages after it are apart. */
static float *buffer(const ls_pipeline *pipeline, int apart_after, float *out, float *scratch) {
    if (apart_after == 0) return out;
    return apart_after % 2 == 1 ? scratch : scratch + pipeline->half_floats;
}

static void load(const ls_pipeline *pipeline, const ls_shape *shape, const void *stored, int32_t label, float *out) {
    int64_t count = ls_shape_count(shape);
    if (pipeline->labels) {
        assert(label >= 0 && label < count);
        memset(out, 0, (size_t)count * sizeof *out);
        out[label] = 1;
    } else if (pipeline->element == LS_ELEMENT_UINT8) {
        const uint8_t *bytes = stored;
        for (int64_t i = 0; i < count; i++) out[i] = bytes[i];
    } else {
        memcpy(out, stored, (size_t)count * sizeof *out);
    }
}

/* Input and target have different noise, but the same augmentation. */
static ls_rng stage_rng(const ls_pipeline_call *call, bool augments, int index) {
    if (augments) return ls_rng_stream(call->seed, LS_RNG_AUGMENT, (uint32_t)index, call->epoch);
    uint32_t instance = (call->target ? LS_TRANSFORMS_MAX : 0) + (uint32_t)index;
    if (call->use == LS_USE_TRAINING) return ls_rng_stream(call->seed, LS_RNG_NOISE, instance, call->epoch);
    return ls_rng_stream(call->seed, LS_RNG_NOISE_EVAL, instance, 0);
}

static bool runs(const stage *s, ls_use use) {
    if (use == LS_USE_APPLICATION && s->type->random) return false;
    return use == LS_USE_TRAINING || !s->augments;
}

static int count_apart(const ls_pipeline *pipeline, ls_use use) {
    int apart = 0;
    for (int i = 0; i < pipeline->stages; i++)
        apart += pipeline->stage[i].type->apart && runs(&pipeline->stage[i], use);
    return apart;
}

void ls_pipeline_apply(const ls_pipeline *pipeline, const ls_pipeline_call *call, int64_t sample, const void *stored,
                       int32_t label, float *out, float *scratch) {
    int apart_after = count_apart(pipeline, call->use);
    float *x = buffer(pipeline, apart_after, out, scratch);
    load(pipeline, pipeline->stages > 0 ? &pipeline->stage[0].in.shape : &pipeline->out.shape, stored, label, x);
    for (int i = 0; i < pipeline->stages; i++) {
        const stage *s = &pipeline->stage[i];
        if (!runs(s, call->use)) continue;
        if (s->type->apart) apart_after--;
        float *y = buffer(pipeline, apart_after, out, scratch);
        ls_rng rng = stage_rng(call, s->augments, i);
        s->type->apply(s->options, &s->in, &rng, (uint64_t)sample, x, y);
        x = y;
    }
}

/* transform.h - what happens to a sample between the file and the model: one file src/data/transform_<name>.c each, one
 * line in transforms.c.
 *
 * A pipeline is a list of transforms on one sample's floats; there is one for the input and one for the target, both
 * from the same stored sample. Random ones draw from (seed, epoch, sample), so a sample's noise is the same on any
 * rank; validation noise has no epoch. Local. */
#ifndef LOCKSTEP_TRANSFORM_H
#define LOCKSTEP_TRANSFORM_H

#include "lockstep/dataset.h"
#include "lockstep/options.h"
#include "lockstep/rng.h"

enum { LS_TRANSFORMS_MAX = 16 };

typedef struct ls_transform_type {
    const char *name;
    const char *help;
    const ls_option *options; /* written as a map, or its single main value: the first option */
    size_t options_bytes;
    bool corrupts; /* adds noise or takes away what the model is to restore: the target is not what it gives */
    /* The shape it gives for a shape it takes. Errors: LS_INVALID. NULL: unchanged. */
    ls_status (*shape)(const void *options, const ls_shape *in, ls_shape *out);
    /* x -> y for one sample; y may be x where the shape is unchanged. rng: this transform's own stream. */
    void (*apply)(const void *options, const ls_shape *in, const ls_rng *rng, uint64_t sample, const float *x,
                  float *y);
} ls_transform_type;

extern const ls_transform_type *const ls_transform_types[]; /* ended by NULL */
const ls_transform_type *ls_transform_find(const char *name);

typedef struct ls_pipeline ls_pipeline;

/* For samples of this shape and element. Owned: ls_pipeline_destroy. labels: the pipeline gives the one-hot label
 * [classes] instead of the picture. */
ls_status ls_pipeline_create(const ls_dataset_info *info, bool labels, ls_pipeline **out);
void ls_pipeline_destroy(ls_pipeline *pipeline);
/* Appends; options are copied. Errors: LS_INVALID, a shape it cannot take. */
ls_status ls_pipeline_add(ls_pipeline *pipeline, const ls_transform_type *type, const void *options);
ls_shape ls_pipeline_shape(const ls_pipeline *pipeline);

/* One stored sample to the model's floats. training: noise depends on the epoch. scratch: ls_pipeline_scratch floats.
 * Thread-safe. */
typedef struct ls_pipeline_call {
    uint64_t seed;
    uint32_t epoch;
    bool training;
} ls_pipeline_call;
void ls_pipeline_apply(const ls_pipeline *pipeline, const ls_pipeline_call *call, int64_t sample, const void *stored,
                       int32_t label, float *out, float *scratch);
int64_t ls_pipeline_scratch(const ls_pipeline *pipeline);

#endif

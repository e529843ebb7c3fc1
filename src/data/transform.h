/* transform.h - what happens to a sample between the file and the model: one file src/data/transform_<name>.c each, one
 * line in transforms.c.
 *
 * A pipeline is a list of transforms on one sample's floats; there is one for the input and one for the target, both
 * from the same stored sample; what augments comes first in both. Random ones draw from (seed, epoch, sample), so a
 * sample's noise is the same on any rank; validation noise has no epoch, and a trained model that is applied has none.
 * Local. */
#ifndef LS_DATA_TRANSFORM_H
#define LS_DATA_TRANSFORM_H

#include "base/options.h"
#include "base/rng.h"
#include "base/shape.h"
#include "data/dataset.h"

enum { LS_TRANSFORMS_MAX = 16 };

/* What flows from one transform to the next. */
typedef struct ls_signal {
    ls_shape shape;
    float low, high; /* what black and white are: 0 and 255 of stored uint8, 0 and 1 of stored float32 */
    bool assumed;    /* they are not known: of stored float32 */
} ls_signal;

typedef struct ls_transform_type {
    const char *name;
    const char *help;
    const ls_option *options; /* written as a map, or its single main value: the first option */
    size_t options_bytes;
    bool corrupts; /* adds noise or takes away what the model is to restore: the target is not what it gives */
    bool random;   /* draws from rng; changes neither shape nor range, for there are uses that leave it out */
    bool augments; /* input and target must see the same of it: only for ls_pipeline_augment */
    bool apart;    /* y is never x; only such a one may change the shape */
    /* What it makes of a signal. Errors: LS_INVALID: a shape it cannot take, options that do not fit together. NULL:
     * unchanged. */
    ls_status (*plan)(const void *options, const ls_signal *in, ls_signal *out);
    /* x -> y for one sample; y is x where it is not apart. rng: this transform's own stream. */
    void (*apply)(const void *options, const ls_signal *in, const ls_rng *rng, uint64_t sample, const float *x,
                  float *y);
} ls_transform_type;

extern const ls_transform_type *const ls_transform_types[]; /* ended by NULL */

typedef struct ls_pipeline ls_pipeline;

/* For samples of this shape and element. Owned: ls_pipeline_destroy. labels: the pipeline gives the one-hot label
 * [classes] instead of the picture. Errors: LS_INVALID, no labels. */
ls_status ls_pipeline_create(const ls_dataset_info *info, bool labels, ls_pipeline **out);
void ls_pipeline_destroy(ls_pipeline *pipeline); /* NULL is allowed */
/* Appends; options are copied. Errors: LS_INVALID: what its plan says, a type that only augments, or LS_TRANSFORMS_MAX
 * are there. */
ls_status ls_pipeline_add(ls_pipeline *pipeline, const ls_transform_type *type, const void *options);
/* The same, but it is passed over unless the use is training, and draws the same numbers in the pipelines of input and
 * target: both see one picture. Errors: LS_INVALID also where the type changes shape or range, or takes something away
 * that validation would still have, or other transforms are there already. */
ls_status ls_pipeline_augment(ls_pipeline *pipeline, const ls_transform_type *type, const void *options);
ls_shape ls_pipeline_shape(const ls_pipeline *pipeline);
/* What black and white have become; whether that is known of the data, and not assumed. */
bool ls_pipeline_range(const ls_pipeline *pipeline, float *low, float *high);

/* What samples are taken for. */
typedef enum ls_use {
    LS_USE_TRAINING,    /* all transforms; noise is another in every epoch */
    LS_USE_VALIDATION,  /* no augmentation; noise is always the same, so that losses can be compared */
    LS_USE_APPLICATION, /* nothing random: a trained model is given a sample as it is */
} ls_use;

typedef struct ls_pipeline_call {
    uint64_t seed;
    uint32_t epoch;
    ls_use use;
    bool target; /* noise of its own, not the input's */
} ls_pipeline_call;

/* One stored sample to the model's floats. scratch: ls_pipeline_scratch floats. Thread-safe. */
void ls_pipeline_apply(const ls_pipeline *pipeline, const ls_pipeline_call *call, int64_t sample, const void *stored,
                       int32_t label, float *out, float *scratch);
int64_t ls_pipeline_scratch(const ls_pipeline *pipeline);

#endif

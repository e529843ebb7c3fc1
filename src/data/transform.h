/* transform.h - transforms change a sample between the file and the model. Each transform is a file transform_<name>.c,
 * and a line in transforms.c.
 *
 * A pipeline is a list of transforms of one sample's floats. There is one for the input and one for the target, both
 * from the same stored sample; augmentations come first in both. Random transforms draw from (seed, epoch, sample), so
 * the noise of a sample is the same on any rank. The noise of validation does not depend on the epoch, and a trained
 * model gets no noise. Local. */
#ifndef LS_DATA_TRANSFORM_H
#define LS_DATA_TRANSFORM_H

#include "base/options.h"
#include "base/rng.h"
#include "base/shape.h"
#include "data/dataset.h"

enum { LS_TRANSFORMS_MAX = 16 };

/* What is known of the numbers between two transforms. */
typedef struct ls_signal {
    ls_shape shape;
    float low, high; /* black and white: 0 and 255 of stored uint8, 0 and 1 of stored float32 */
    bool assumed;    /* of stored float32, black and white are not known */
} ls_signal;

typedef struct ls_transform_type {
    const char *name;
    const char *help;
    const ls_option *options; /* a config may give the first one alone, as "name: value" */
    size_t options_bytes;
    bool corrupts; /* adds noise, or removes what the model should restore: its output cannot be the target */
    bool random;   /* draws from rng; changes neither shape nor range, since some uses leave it out */
    bool augments; /* for ls_pipeline_augment only: input and target must be changed alike */
    bool apart;    /* y is never x; only such a transform may change the shape */
    /* The signal that it makes of another. NULL: the same. Errors: LS_INVALID: a shape that it cannot take, or options
     * that do not fit together. */
    ls_status (*plan)(const void *options, const ls_signal *in, ls_signal *out);
    /* Transforms one sample from x to y; y is x unless it is apart. rng: the stream of this transform. */
    void (*apply)(const void *options, const ls_signal *in, const ls_rng *rng, uint64_t sample, const float *x,
                  float *y);
} ls_transform_type;

extern const ls_transform_type *const ls_transform_types[]; /* ended by NULL */

typedef struct ls_pipeline ls_pipeline;

/* For samples of this shape and element. labels: the pipeline gives the one-hot label [classes] in place of the sample.
 * *out is owned by the caller: ls_pipeline_destroy. Errors: LS_INVALID: the data has no labels. */
ls_status ls_pipeline_create(const ls_dataset_info *info, bool labels, ls_pipeline **out);
void ls_pipeline_destroy(ls_pipeline *pipeline); /* NULL is allowed */
/* Appends a transform; options are copied. Errors: LS_INVALID: those of its plan; a type that augments; more than
 * LS_TRANSFORMS_MAX. */
ls_status ls_pipeline_add(ls_pipeline *pipeline, const ls_transform_type *type, const void *options);
/* Appends a transform that only training applies, with the same random numbers in the pipelines of input and target.
 * Errors: as above; LS_INVALID: the type changes the shape or range, or removes something that validation would still
 * have; other transforms come before it. */
ls_status ls_pipeline_augment(ls_pipeline *pipeline, const ls_transform_type *type, const void *options);
ls_shape ls_pipeline_shape(const ls_pipeline *pipeline);
/* Black and white of the output; returns whether the data tells them (else they are assumed). */
bool ls_pipeline_range(const ls_pipeline *pipeline, float *low, float *high);

/* What samples are used for. */
typedef enum ls_use {
    LS_USE_TRAINING,    /* all transforms; each epoch has other noise */
    LS_USE_VALIDATION,  /* no augmentation; the noise is always the same, so that losses can be compared */
    LS_USE_APPLICATION, /* no random transforms: a trained model gets samples as they are */
} ls_use;

typedef struct ls_pipeline_call {
    uint64_t seed;
    uint32_t epoch;
    ls_use use;
    bool target; /* it is the pipeline of the target, whose noise differs from the input's */
} ls_pipeline_call;

/* Thread-safe. Turns a stored sample into the model's floats. scratch: ls_pipeline_scratch floats. */
void ls_pipeline_apply(const ls_pipeline *pipeline, const ls_pipeline_call *call, int64_t sample, const void *stored,
                       int32_t label, float *out, float *scratch);
int64_t ls_pipeline_scratch(const ls_pipeline *pipeline);

#endif

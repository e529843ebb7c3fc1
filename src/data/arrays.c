/* arrays.c - what pipelines make of samples in memory: a part of each. */
#include "data/arrays.h"

#include <string.h>

typedef struct part_options {
    int64_t first; /* number of the sample */
    ls_shape shape;
} part_options;

static ls_status plan(const void *record, const ls_signal *in, ls_signal *out) {
    const part_options *o = record;
    *out = *in;
    out->shape = o->shape;
    return LS_OK;
}

static void apply(const void *record, const ls_signal *in, const ls_rng *rng, uint64_t sample, const float *x,
                  float *y) {
    (void)in, (void)rng, (void)sample;
    const part_options *o = record;
    memcpy(y, x + o->first, (size_t)ls_shape_count(&o->shape) * sizeof *y);
}

/* Not one that a config can name: only arrays have parts. */
static const ls_transform_type part_type = {
    .name = "part", .options_bytes = sizeof(part_options), .apart = true, .plan = plan, .apply = apply};

static ls_status make_pipeline(const ls_dataset *dataset, const part_options *part, ls_pipeline **out) {
    LS_TRY(ls_pipeline_create(ls_dataset_get_info(dataset), false, out));
    return ls_pipeline_add(*out, &part_type, part);
}

ls_status ls_arrays_pipelines(const ls_dataset *dataset, const ls_arrays *arrays, ls_pipeline **input,
                              ls_pipeline **target) {
    part_options x = {.shape = arrays->x_shape}, y = x;
    if (arrays->y != NULL) y = (part_options){.first = ls_shape_count(&arrays->x_shape), .shape = arrays->y_shape};
    LS_TRY(make_pipeline(dataset, &x, input));
    return make_pipeline(dataset, &y, target);
}

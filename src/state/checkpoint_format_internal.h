/* checkpoint_format_internal.h - the names in a checkpoint, for who writes, reads and compares it.
 * Local. */
#ifndef LS_STATE_CHECKPOINT_FORMAT_INTERNAL_H
#define LS_STATE_CHECKPOINT_FORMAT_INTERNAL_H

#include <stddef.h>

#include "state/checkpoint.h"
#include "store/array_file.h"

#define LS_EPOCHS_MAX INT64_C(1000000000) /* as the config has it */
#define LS_STEPS_MAX  INT64_C(1000000000000000)

enum { LS_CHECKPOINT_FORMAT = 3, LS_POSITION_FIELDS = 16 + LS_METRICS_MAX, LS_ARRAY_NAME_MAX = 256 };

/* The fields of ls_position, stored as attributes of these names. */
typedef struct ls_position_field {
    const char *name;
    ls_number type;
    size_t offset;
    int64_t least, most; /* of an integer */
} ls_position_field;
extern const ls_position_field ls_position_fields[LS_POSITION_FIELDS];

/* A model's arrays in the order of its layers. */
typedef struct ls_model_array {
    const ls_layer *layer;
    const ls_param *param;
    int64_t count; /* its numbers */
} ls_model_array;

/* *arrays is the caller's (ls_free). */
ls_status ls_model_arrays(const ls_model *model, ls_model_array **arrays, int *count);

/* "/weights/dense/kernel"; "/optimizer/momentum/dense/kernel". name: LS_ARRAY_NAME_MAX; returns it. */
const char *ls_weights_name(const ls_model_array *array, char *name);
const char *ls_slot_name(const ls_model_array *array, const char *slot, char *name);

#endif

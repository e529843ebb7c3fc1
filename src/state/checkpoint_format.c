/* checkpoint_format.c - the table of the position's fields, and the names of arrays. */
#include "state/checkpoint_format_internal.h"

#include <stdio.h>

#include "base/memory.h"

#define INT64(field, least, most)                                                                                      \
    { #field, LS_NUMBER_INT64, offsetof(ls_position, field), least, most }
#define DOUBLE(field)                                                                                                  \
    { #field, LS_NUMBER_DOUBLE, offsetof(ls_position, field), 0, 0 }
#define METRIC(i)                                                                                                      \
    { "metric_sum_" #i, LS_NUMBER_DOUBLE, offsetof(ls_position, metric_sum[i]), 0, 0 }
const ls_position_field ls_position_fields[LS_POSITION_FIELDS] = {
    INT64(epoch, 0, LS_EPOCHS_MAX),
    INT64(epoch_step, 0, LS_STEPS_MAX),
    INT64(step, 0, LS_STEPS_MAX),
    DOUBLE(loss_sum),
    METRIC(0),
    METRIC(1),
    METRIC(2),
    INT64(loss_count, 0, LS_STEPS_MAX),
    DOUBLE(seconds),
    DOUBLE(best),
    INT64(best_epoch, -1, LS_EPOCHS_MAX),
    DOUBLE(stopping_best),
    INT64(wait, 0, LS_EPOCHS_MAX),
    DOUBLE(cycle_sum),
    INT64(lr_reductions, 0, LS_EPOCHS_MAX),
    DOUBLE(plateau_best),
    INT64(plateau_wait, 0, LS_EPOCHS_MAX),
    INT64(plateau_cooldown, 0, LS_EPOCHS_MAX),
    DOUBLE(plateau_sum),
};
_Static_assert(sizeof(ls_position) == LS_POSITION_FIELDS * 8, "every field of the position is stored");
_Static_assert(LS_CHECKPOINT_FORMAT == 3 && LS_POSITION_FIELDS == 19, "other fields are another format");

ls_status ls_model_arrays(const ls_model *model, ls_model_array **arrays, int *count) {
    int layers = ls_model_layers(model);
    LS_TRY(ls_alloc(arrays, (int64_t)layers * LS_PARAMS_MAX, sizeof **arrays, "a list of arrays"));
    *count = 0;
    for (int l = 0; l < layers; l++) {
        const ls_layer *layer = ls_model_layer(model, l);
        for (int p = 0; p < layer->params; p++)
            (*arrays)[(*count)++] = (ls_model_array){layer, &layer->param[p], ls_shape_count(&layer->param[p].shape)};
    }
    return LS_OK;
}

const char *ls_weights_name(const ls_model_array *array, char *name) {
    (void)snprintf(name, LS_ARRAY_NAME_MAX, "/weights/%s/%s", array->layer->name, array->param->name);
    return name;
}

const char *ls_slot_name(const ls_model_array *array, const char *slot, char *name) {
    (void)snprintf(name, LS_ARRAY_NAME_MAX, "/optimizer/%s/%s/%s", slot, array->layer->name, array->param->name);
    return name;
}

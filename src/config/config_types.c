/* config_types.c - the tables of layers, transforms, losses, metrics and optimizers, seen as names and options. */
#include "config/config_grammar.h"

static ls_named_type layer_at(int index) {
    const ls_layer_type *type = ls_layer_types[index];
    if (type == NULL) return (ls_named_type){0};
    return (ls_named_type){type->name, type->help, type->options, type->options_bytes};
}

static ls_named_type transform_at(int index) {
    const ls_transform_type *type = ls_transform_types[index];
    if (type == NULL) return (ls_named_type){0};
    return (ls_named_type){type->name, type->help, type->options, type->options_bytes};
}

static ls_named_type loss_at(int index) {
    const ls_loss_type *type = ls_loss_types[index];
    if (type == NULL) return (ls_named_type){0};
    return (ls_named_type){.name = type->name, .help = type->help};
}

static ls_named_type metric_at(int index) {
    const ls_metric_type *type = ls_metric_types[index];
    if (type == NULL) return (ls_named_type){0};
    return (ls_named_type){.name = type->name, .help = type->help};
}

static ls_named_type optimizer_at(int index) {
    const ls_optimizer_type *type = ls_optimizer_types[index];
    if (type == NULL) return (ls_named_type){0};
    return (ls_named_type){type->name, type->help, type->options, type->options_bytes};
}

static ls_named_type schedule_at(int index) {
    const ls_schedule_type *type = ls_schedule_types[index];
    if (type == NULL) return (ls_named_type){0};
    return (ls_named_type){type->name, type->help, type->options, type->options_bytes};
}

static const char *const layer_keys[] = {"name", "inputs", NULL};
static const char *const optimizer_keys[] = {"learning_rate", "global_clipnorm", NULL};

const ls_type_table ls_layer_table = {"layer", "layers", layer_at, layer_keys};
const ls_type_table ls_transform_table = {"transform", "transforms", transform_at, NULL};
const ls_type_table ls_loss_table = {"loss", "losses", loss_at, NULL};
const ls_type_table ls_metric_table = {"metric", "metrics", metric_at, NULL};
const ls_type_table ls_optimizer_table = {"optimizer", "optimizers", optimizer_at, optimizer_keys};
const ls_type_table ls_schedule_table = {"schedule", "schedules of learning rates", schedule_at, NULL};

/* config_types.c - the tables of layers, transforms, losses, metrics, optimizers and schedules, seen alike: as names
 * and options. The grammar and the help go over them without knowing what a type does. */
#include "config/config_grammar.h"

#define NAMED(type) ((type) == NULL ? (ls_named_type){0} : (ls_named_type){(type)->name, (type)->help, NULL, 0})
#define NAMED_WITH_OPTIONS(type)                                                                                       \
    ((type) == NULL ? (ls_named_type){0}                                                                               \
                    : (ls_named_type){(type)->name, (type)->help, (type)->options, (type)->options_bytes})

static ls_named_type layer_at(int i) { return NAMED_WITH_OPTIONS(ls_layer_types[i]); }
static ls_named_type transform_at(int i) { return NAMED_WITH_OPTIONS(ls_transform_types[i]); }
static ls_named_type optimizer_at(int i) { return NAMED_WITH_OPTIONS(ls_optimizer_types[i]); }
static ls_named_type schedule_at(int i) { return NAMED_WITH_OPTIONS(ls_schedule_types[i]); }
static ls_named_type loss_at(int i) { return NAMED(ls_loss_types[i]); }
static ls_named_type metric_at(int i) { return NAMED(ls_metric_types[i]); }

static const char *const layer_keys[] = {"name", "inputs", NULL};
static const char *const optimizer_keys[] = {"learning_rate", "global_clipnorm", NULL};

const ls_type_table ls_layer_table = {"layer", "layers", layer_at, layer_keys};
const ls_type_table ls_transform_table = {"transform", "transforms", transform_at, NULL};
const ls_type_table ls_loss_table = {"loss", "losses", loss_at, NULL};
const ls_type_table ls_metric_table = {"metric", "metrics", metric_at, NULL};
const ls_type_table ls_optimizer_table = {"optimizer", "optimizers", optimizer_at, optimizer_keys};
const ls_type_table ls_schedule_table = {"schedule", "schedules of learning rates", schedule_at, NULL};

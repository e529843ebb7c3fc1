/* config.h - the settings of a run: read from YAML, checked, completed by defaults, and printed again.
 *
 * All that can be checked without data is checked here: unknown keys (the nearest valid one is named), types, ranges,
 * names. Every message begins with file:line:column. The keys are tables (options.h), so that parsing, --help, the
 * resolved config.yaml and the comparison on resume cannot differ. Rank 0 reads the file, and all ranks parse the same
 * text. */
#ifndef LS_CONFIG_CONFIG_H
#define LS_CONFIG_CONFIG_H

#include <stdio.h>

#include "base/file.h"
#include "data/dataset.h"
#include "data/transform.h"
#include "nn/metric.h"
#include "nn/model.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "par/comm.h"
#include "par/exchange.h"
#include "report/callbacks.h"
#include "state/callback_checkpoint.h"
#include "train/early_stopping.h"
#include "train/plateau.h"

enum { LS_LAYERS_MAX = 256, LS_FILES_MAX = 64 };

/* A place in the config, for messages of later checks: "mnist.yaml:12:5". */
typedef struct ls_place {
    int line, column;  /* from 1; 0: it comes from --set */
    char setting[128]; /* the words of that --set; else "" */
    bool kept;         /* that --set was given when the run began */
} ls_place;

typedef struct ls_paths {
    int count;
    char *path[LS_FILES_MAX]; /* files or glob patterns; owned by the config */
    ls_place place;
} ls_paths;

typedef struct ls_transform_entry {
    const ls_transform_type *type;
    void *options;
    ls_place place;
} ls_transform_entry;

typedef struct ls_transform_list {
    int count;
    ls_transform_entry entry[LS_TRANSFORMS_MAX];
} ls_transform_list;

typedef struct ls_layer_entry {
    const ls_layer_type *type;
    void *options;
    char name[LS_NAME_MAX];
    int inputs; /* 0: its input is the layer before it */
    char input[LS_INPUTS_MAX][LS_NAME_MAX];
    ls_place place;
} ls_layer_entry;

typedef struct ls_data_settings {
    ls_paths train, validation; /* validation is empty where there is none, or a split */
    double split;               /* the share of train, at its end, that is held out; 0: none */
    int64_t parts;              /* an epoch is a pass over one of this many parts of the blocks */
    int64_t shuffle_window;
    int64_t cache_mb; /* memory of a host for decoded blocks; -1: half of the free memory */
    ls_transform_list augment, input, target;
    bool target_labels; /* the target is the one-hot label */
    ls_place input_place, target_place, parts_place, split_place;
} ls_data_settings;

typedef struct ls_training_settings {
    int64_t epochs, batch_size, lanes;
    int64_t threads; /* 0: OMP_NUM_THREADS, else the host's cores divided by its ranks */
    ls_early_stopping early_stopping;
    ls_plateau reduce_lr_on_plateau;
    ls_checkpoint_settings checkpoint;
    ls_exchange_settings exchange;
    double stall_timeout_s; /* the job is ended when nothing was finished for this long; 0: never */
    int64_t images;         /* samples in the picture of each epoch; 0: none */
    ls_tensorboard_settings tensorboard;
} ls_training_settings;

typedef struct ls_config {
    char path[LS_PATH_MAX]; /* of its file, for messages */
    int64_t seed;
    ls_data_settings data;
    int layers;
    ls_layer_entry *layer; /* [layers] */
    char code[LS_NAME_MAX];
    ls_paths initial_weights; /* runs or checkpoints; a new run begins with their layers of the same names */
    ls_place code_place, loss_place, model_place;
    const ls_loss_type *loss;
    int metrics;
    const ls_metric_type *metric[LS_METRICS_MAX];
    const ls_optimizer_type *optimizer;
    void *optimizer_options;
    const ls_schedule_type *schedule; /* of the learning rate; NULL: the optimizer's learning_rate stays */
    void *schedule_options;
    double clip_norm; /* the largest length of the whole gradient; 0: no limit */
    ls_training_settings training;
    /* All settings, with defaults, as YAML: it parses to this config again. A run's config.yaml and its checkpoints
     * hold it. It begins with a comment line for each key that --set gave. */
    char *text;
} ls_config;

/* Collective. settings[count]: the words of --set, "path.to.key=value", applied in order before the checks. Errors
 * (agreed): LS_INVALID with the place and what to do. */
ls_status ls_config_load(const ls_comm *comm, const char *path, const char *const *settings, int count,
                         ls_config **out);
/* Collective. The same for a run that is resumed, whose config so far is the file then_path ("": the run begins). A key
 * that --set gave when the run began (that file says which) keeps its value, unless settings give it again; where the
 * file of `path` has another value, the log says which one counts. */
ls_status ls_config_load_resumed(const ls_comm *comm, const char *path, const char *then_path,
                                 const char *const *settings, int count, ls_config **out);
/* Local. Parses a text, such as a checkpoint holds. name: the file, in messages. */
ls_status ls_config_parse(const char *name, const char *text, const char *const *settings, int count, ls_config **out);
void ls_config_destroy(ls_config *config); /* NULL is allowed */

/* Puts "file:line:column: " before the thread's failure, and returns its status. */
ls_status ls_config_prefix(const ls_config *config, const ls_place *place);

/* Whether a run with the config `then` may be resumed with `now`. These may change: paths, training.epochs, patience,
 * threads, checkpoint, exchange, stall_timeout, images, tensorboard; with tell the log says each such change. Errors:
 * LS_INVALID: another key differs; the message names it and both values. */
ls_status ls_config_compare(const ls_config *then, const ls_config *now, bool tell);

/* Prints all keys, layers, transforms, losses, metrics, optimizers and schedules with their options. */
void ls_config_help(FILE *out);

/* The names that ls_config_help_topic knows: keys, kinds of types ("layer", "layers"), types and their options. Returns
 * how many. */
enum { LS_TOPICS_MAX = 256 };
int ls_config_topics(const char *names[LS_TOPICS_MAX]);
/* Prints the part of ls_config_help that has this name. */
void ls_config_help_topic(const char *topic, FILE *out);

/* The same for programs: a row for each key ("key"), kind of types ("table"), type ("type") and option of a type
 * ("type_option"). Its nine columns are separated by tabs: kind, owner, name, letter, type of the value, choices,
 * default or "required", what is allowed in words, help. The columns that do not apply are empty. */
void ls_config_rows(FILE *out);
/* One such row for an option. */
void ls_option_row(const char *kind, const char *owner, const ls_option *option, FILE *out);

/* --- what a config describes; errors name the place in the config --- */

/* Local. The pipelines for samples of this kind, and the model for inputs and targets of these shapes. target NULL: the
 * shape of the model's output. */
ls_status ls_config_pipelines(const ls_config *config, const ls_dataset_info *info, ls_pipeline **input,
                              ls_pipeline **target);
ls_status ls_config_model(const ls_config *config, const ls_shape *input, const ls_shape *target, ls_model **out);

/* Raises that the model has no layer of this name, and names the nearest one or all. where: " as code" or "". */
ls_status ls_config_unknown_layer(const ls_model *model, const char *name, const char *where);

#endif

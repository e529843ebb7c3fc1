/* config.h - a run's settings: read from YAML, checked completely, resolved, printed again.
 *
 * Everything that can be known without data is checked here: unknown keys (with the nearest valid one), types, ranges,
 * names. Every message says file:line:column. Sections and their keys are tables (options.h), so that parsing, --help,
 * the resolved config.yaml and the comparison on resume are the same list. Local: each rank reads the same text (rank 0
 * reads the file and broadcasts it, see ls_config_load). */
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
#include "train/early_stopping.h"
#include "train/plateau.h"

enum { LS_LAYERS_MAX = 256, LS_FILES_MAX = 64 };

/* Where something stands in the config, for messages of later checks: "mnist.yaml:12:5". */
typedef struct ls_place {
    int line, column;  /* 0: from --set */
    char setting[128]; /* the --set it came from, else empty */
    bool kept;         /* that was when the run began, and it holds still */
} ls_place;

typedef struct ls_paths {
    int count;
    char *path[LS_FILES_MAX]; /* owned by the config; may be glob patterns */
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
    int inputs; /* 0: the previous layer */
    char input[LS_INPUTS_MAX][LS_NAME_MAX];
    ls_place place;
} ls_layer_entry;

typedef struct ls_data_settings {
    ls_paths train, validation; /* validation may be empty: none, or a split */
    double split;               /* fraction held out at the end; 0: none */
    int64_t parts;              /* an epoch is one of so many parts of the blocks */
    int64_t shuffle_window;
    int64_t cache_mb; /* memory for decoded blocks, a node; -1: half of what is free */
    ls_transform_list augment, input, target;
    bool target_labels; /* the target is the one-hot label */
    ls_place input_place, target_place, parts_place, split_place;
} ls_data_settings;

typedef struct ls_checkpoint_settings {
    int64_t every_epochs;   /* save each so many epochs (default 1); 0: only at the end and when stopped */
    int64_t every_steps;    /* and each so many steps; 0: not */
    int64_t keep;           /* numbered checkpoints kept */
    double best_interval_s; /* best is written at most once in so many seconds (and at the end) */
} ls_checkpoint_settings;

typedef struct ls_tensorboard_settings {
    bool enabled; /* false: "tensorboard: none" */
    bool images, histograms;
    int64_t projector; /* samples at most whose codes its projector gets; 0: none */
} ls_tensorboard_settings;

typedef struct ls_training_settings {
    int64_t epochs, batch_size, lanes;
    int64_t threads; /* 0: OMP_NUM_THREADS, else the node's cores divided by its ranks */
    ls_early_stopping early_stopping;
    ls_plateau reduce_lr_on_plateau;
    ls_checkpoint_settings checkpoint;
    ls_exchange_settings exchange;
    double stall_timeout_s; /* the job is ended when nothing has moved for so long; 0: never */
    int64_t images;         /* samples in the picture of each epoch; 0: none */
    ls_tensorboard_settings tensorboard;
} ls_training_settings;

typedef struct ls_config {
    char path[LS_PATH_MAX]; /* the file it came from, for messages */
    int64_t seed;
    ls_data_settings data;
    int layers;
    ls_layer_entry *layer; /* [layers] */
    char code[LS_NAME_MAX];
    ls_paths initial_weights; /* runs or checkpoints, whose layers of the same names a new run starts with */
    ls_place code_place, loss_place, model_place;
    const ls_loss_type *loss;
    int metrics;
    const ls_metric_type *metric[LS_METRICS_MAX];
    const ls_optimizer_type *optimizer;
    void *optimizer_options;
    const ls_schedule_type *schedule; /* of the learning rate; NULL: the optimizer's learning_rate at all times */
    void *schedule_options;
    double clip_norm; /* of the whole gradient at most; 0: any */
    ls_training_settings training;
    char *text; /* resolved and complete: parses to this config again; what config.yaml and checkpoints hold. It begins
                   with a comment line for each key that --set gave. */
} ls_config;

/* Collective. Rank 0 reads the file, all parse the same text. settings[count]: "path.to.key=value" words of --set,
 * applied in order before the checks. Errors (agreed): LS_INVALID with place and mend. */
ls_status ls_config_load(const ls_comm *comm, const char *path, const char *const *settings, int count,
                         ls_config **out);
/* Collective. The same for a run that goes on, whose config so far is in the file then_path ("": it begins). A key that
 * --set gave when the run began (that file says which) keeps the run's value, unless settings give it again; where the
 * file of `path` says something else, a line tells what was taken. */
ls_status ls_config_load_resumed(const ls_comm *comm, const char *path, const char *then_path,
                                 const char *const *settings, int count, ls_config **out);
/* Local. From text (of a checkpoint or a test); name stands for the file in messages. */
ls_status ls_config_parse(const char *name, const char *text, const char *const *settings, int count, ls_config **out);
void ls_config_destroy(ls_config *config); /* NULL is allowed */

/* Puts "file:line:column: " before the thread's failure. Returns its status. */
ls_status ls_config_prefix(const ls_config *config, const ls_place *place);

/* Errors: LS_INVALID, naming the first key on which `now` differs from `then` and that may not change on resume, with
 * both values. With tell a line tells of each that may and does. May change: training.epochs, patience, paths, threads,
 * how often to save, stall_timeout, pictures, how ranks exchange. */
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

/* --- from settings to objects; data errors name the place in the config too --- */

/* Local. The data, pipelines and model that a config describes, on open data sets. target NULL: of a shape like the
 * model's output. */
ls_status ls_config_pipelines(const ls_config *config, const ls_dataset_info *info, ls_pipeline **input,
                              ls_pipeline **target);
ls_status ls_config_model(const ls_config *config, const ls_shape *input, const ls_shape *target, ls_model **out);

/* Raises that the model has no layer of this name, with the nearest one or all; where: " as code" or "". */
ls_status ls_config_unknown_layer(const ls_model *model, const char *name, const char *where);

#endif

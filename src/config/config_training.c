/* config_training.c - the section `training` of a config: how long a run is, how it is watched, saved and shown. */
#include "base/lanes.h"
#include "config/config_grammar.h"

#define AT(field) offsetof(ls_config, training.field)

static const ls_config_key early_stopping_keys[] = {
    {.option = {"monitor", LS_OPTION_CHOICE, AT(early_stopping.monitor), .preset = "val_loss",
                .choices = ls_monitor_names, .help = "the loss to watch"}},
    {.option = {"patience", LS_OPTION_INT, AT(early_stopping.patience), .preset = "10", .min = 0, .max = 1e9,
                .help = "epochs (or cycles of the parts) without improvement before the run ends"},
     .may_change = true},
    {.option = {"min_delta", LS_OPTION_DOUBLE, AT(early_stopping.min_delta), .preset = "0", .min = 0, .max = 1e9,
                .help = "the least fall that counts as an improvement; the best epoch needs no such margin"}},
    {.option = {"restore_best", LS_OPTION_BOOL, AT(early_stopping.restore_best), .preset = "false",
                .help = "end with the weights of the best epoch; a run with more epochs continues from them"}},
    LS_CONFIG_KEYS_END};

static const ls_config_key plateau_keys[] = {
    {.option = {"monitor", LS_OPTION_CHOICE, AT(reduce_lr_on_plateau.monitor), .preset = "val_loss",
                .choices = ls_monitor_names, .help = "the loss to watch"}},
    {.option = {"factor", LS_OPTION_DOUBLE, AT(reduce_lr_on_plateau.factor), .preset = "0.1", .min = 0, .max = 1,
                .above_min = true, .below_max = true, .help = "what the learning rate is multiplied by"}},
    {.option = {"patience", LS_OPTION_INT, AT(reduce_lr_on_plateau.patience), .preset = "10", .min = 1, .max = 1e9,
                .help = "epochs (or cycles of the parts) without improvement before it is reduced"}},
    {.option = {"min_delta", LS_OPTION_DOUBLE, AT(reduce_lr_on_plateau.min_delta), .preset = "0.0001", .min = 0,
                .max = 1e9, .help = "the least fall that counts as an improvement"}},
    {.option = {"cooldown", LS_OPTION_INT, AT(reduce_lr_on_plateau.cooldown), .preset = "0", .min = 0, .max = 1e9,
                .help = "epochs (or cycles) to wait after a reduction before counting again"}},
    {.option = {"min_lr", LS_OPTION_DOUBLE, AT(reduce_lr_on_plateau.min_lr), .preset = "0", .min = 0, .max = 1e6,
                .help = "the lowest learning rate"}},
    LS_CONFIG_KEYS_END};

static const ls_config_key checkpoint_keys[] = {
    {.option = {"every_epochs", LS_OPTION_INT, AT(checkpoint.every_epochs), .preset = "1", .min = 0, .max = 1e9,
                .help = "epochs from one checkpoint to the next; 0: only at the end and when stopped"},
     .may_change = true},
    {.option = {"every_steps", LS_OPTION_INT, AT(checkpoint.every_steps), .preset = "0", .min = 0, .max = 1e12,
                .help = "also save after so many steps; 0: no"},
     .may_change = true},
    {.option = {"keep", LS_OPTION_INT, AT(checkpoint.keep), .preset = "2", .min = 1, .max = 1e6,
                .help = "how many numbered checkpoints to keep"},
     .may_change = true},
    {.option = {"best_interval_s", LS_OPTION_DOUBLE, AT(checkpoint.best_interval_s), .preset = "30", .min = 0,
                .max = 1e9,
                .help = "least seconds between two writes of the best weights; they are always written at the end"},
     .may_change = true},
    LS_CONFIG_KEYS_END};

static const ls_config_key exchange_keys[] = {
    {.option = {"mode", LS_OPTION_CHOICE, AT(exchange.mode), .preset = "auto", .choices = ls_exchange_mode_names,
                .help = "how the ranks of one host exchange gradients: in shared memory or by messages"},
     .may_change = true},
    {.option = {"bucket_mb", LS_OPTION_DOUBLE, AT(exchange.bucket_mb), .preset = "0", .min = 0, .max = 1024,
                .help =
                    "MiB of weights, over all ranks, that are exchanged at a time; 0: 1/8 for each rank, at most 16"},
     .may_change = true},
    LS_CONFIG_KEYS_END};

static const ls_config_key tensorboard_keys[] = {
    {.option = {"images", LS_OPTION_BOOL, AT(tensorboard.images), .preset = "true",
                .help = "the picture of each epoch"}},
    {.option = {"histograms", LS_OPTION_BOOL, AT(tensorboard.histograms), .preset = "true",
                .help =
                    "of each array of weights, and of the codes of the validation data, which takes a pass over it"}},
    {.option = {"projector", LS_OPTION_INT, AT(tensorboard.projector), .preset = "2000", .min = 0, .max = 1e5,
                .help =
                    "samples of the validation data for the projector, with their codes in the best epoch, labels and "
                    "pictures; their codes have at most two million numbers; 0: none"}},
    LS_CONFIG_KEYS_END};

const ls_config_key ls_config_training_keys[] = {
    {.option = {"epochs", LS_OPTION_INT, AT(epochs), .required = true, .min = 1, .max = 1e9,
                .help = "passes over the data"},
     .may_change = true},
    {.option = {"batch_size", LS_OPTION_INT, AT(batch_size), .required = true, .min = 1, .max = 1e9,
                .help = "samples in a step, over all ranks"}},
    {.option = {"lanes", LS_OPTION_INT, AT(lanes), .preset = "8", .min = 1, .max = LS_LANES_MAX,
                .help = "parts that a batch is divided into, a power of two; a run has at most as many ranks"}},
    {.option = {"threads", LS_OPTION_INT, AT(threads), .preset = "0", .min = 0, .max = 4096,
                .help = "threads of each rank; 0: OMP_NUM_THREADS, else the host's cores divided by its ranks"},
     .may_change = true},
    {.option = {"early_stopping", .help = "ends the run when there is no improvement: a map, or none"},
     .section = early_stopping_keys,
     .enabled = AT(early_stopping.enabled)},
    {.option = {"reduce_lr_on_plateau",
                .help = "lowers the learning rate when there is no improvement: a map, or none"},
     .section = plateau_keys,
     .enabled = AT(reduce_lr_on_plateau.enabled)},
    {.option = {"checkpoint", .help = "when to save"}, .section = checkpoint_keys},
    {.option = {"exchange", .help = "how ranks exchange gradients and weights; it changes no result"},
     .section = exchange_keys},
    {.option = {"stall_timeout", LS_OPTION_DOUBLE, AT(stall_timeout_s), .preset = "300", .min = 0, .max = 1e9,
                .help = "seconds without any progress (a step, a batch, a part of a checkpoint) after which the job is "
                        "ended; 0: never"},
     .may_change = true},
    {.option = {"images", LS_OPTION_INT, AT(images), .preset = "8", .min = 0, .max = 1000,
                .help = "samples in the picture that each epoch draws in RUN/images/; 0: no picture"},
     .may_change = true},
    {.option = {"tensorboard", .help = "also writes event files, in RUN/tensorboard/: a map, or none"},
     .section = tensorboard_keys,
     .enabled = AT(tensorboard.enabled),
     .may_change = true},
    LS_CONFIG_KEYS_END};

/* The place of a key of the section; of the section, where the key was left out. */
static const ls_place *place_in(const ls_yaml_node *training, const char *key) {
    const ls_yaml_node *child = ls_yaml_child(training, key);
    return child != NULL ? &child->place : &training->place;
}

/* A monitor of val_loss needs validation data. */
static ls_status check_monitor(const ls_config *config, const ls_yaml_node *training, const char *key, int monitor) {
    bool validated = config->data.split > 0 || config->data.validation.count > 0;
    if (validated || monitor != LS_MONITOR_VAL_LOSS) return LS_OK;
    return LS_INVALID_AT(config, place_in(training, key),
                         "%s watches val_loss, but there is no data.validation; give one, or monitor: loss", key);
}

ls_status ls_config_check_training(const ls_config *config, const ls_yaml_node *training) {
    static const char plateau_key[] = "reduce_lr_on_plateau";
    const ls_early_stopping *stopping = &config->training.early_stopping;
    const ls_plateau *plateau = &config->training.reduce_lr_on_plateau;
    ls_lanes lanes;
    if (ls_lanes_init(&lanes, (int)config->training.lanes, 0, 1) != LS_OK)
        return ls_config_prefix(config, place_in(training, "lanes"));
    if (stopping->enabled) LS_TRY(check_monitor(config, training, "early_stopping", stopping->monitor));
    if (!plateau->enabled) return LS_OK;
    LS_TRY(check_monitor(config, training, plateau_key, plateau->monitor));
    if (config->schedule == NULL) return LS_OK;
    return LS_INVALID_AT(config, place_in(training, plateau_key),
                         "reduce_lr_on_plateau needs a learning_rate that is a number; the optimizer's is %s",
                         config->schedule->name);
}

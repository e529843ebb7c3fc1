/* config.c - the top-level keys of a config, and the way from a file to a checked config: YAML text to nodes, --set on
 * the nodes, nodes to settings by the tables of keys, and the settings printed again as the resolved text. */
#include "config/config.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "config/config_grammar.h"

const ls_config_key ls_config_keys[] = {
    {.option = {"seed", LS_OPTION_INT, offsetof(ls_config, seed), .preset = "0", .min = 0, .max = 999999999999999,
                .help = "seed of all random numbers"}},
    {.option = {"data", .required = true, .help = "the data sets, and how input and target are made from a sample"},
     .section = ls_config_data_keys},
    {.option = {"model", .required = true, .help = "a list of layers"},
     .read = ls_config_read_model,
     .print = ls_config_print_model},
    {.option = {"code", LS_OPTION_STRING, offsetof(ls_config, code), .capacity = LS_NAME_MAX,
                .help = "the name of the layer that ends the encoder"}},
    {.option = {"initial_weights", .offset = offsetof(ls_config, initial_weights),
                .help = "a list of runs or checkpoints; a layer begins with the weights of the layer of its name"},
     .read = ls_config_read_initial_weights,
     .print = ls_config_print_initial_weights,
     .may_change = true},
    {.option = {"loss", .required = true, .help = "what training minimizes"},
     .read = ls_config_read_loss,
     .print = ls_config_print_loss},
    {.option = {"metrics",
                .help = "a list of what else to report; mse, mae, bce and acc are short names, here and for loss"},
     .read = ls_config_read_metrics,
     .print = ls_config_print_metrics},
    {.option = {"optimizer", .required = true, .help = "the optimizer, such as adam"},
     .read = ls_config_read_optimizer,
     .print = ls_config_print_optimizer},
    {.option = {"training", .required = true, .help = "how to train"}, .section = ls_config_training_keys},
    LS_CONFIG_KEYS_END};

ls_status ls_config_prefix(const ls_config *config, const ls_place *place) {
    return ls_place_prefix(config->path, place);
}

static ls_status print_text(ls_config *config, const char *const *settings, int count) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (out == NULL) return LS_RAISE(LS_ERROR, "cannot allocate memory for the settings");
    ls_config_print_set_keys(settings, count, out);
    ls_section_print(config, ls_config_keys, 0, out);
    fputc('\n', out);
    if (fclose(out) != 0) return LS_RAISE(LS_ERROR, "cannot allocate memory for the settings");
    config->text = text;
    return LS_OK;
}

static ls_status read_tree(ls_config *config, const ls_yaml_node *root) {
    ls_section_init(ls_config_keys, config);
    LS_TRY(ls_section_read(config, ls_config_keys, "", root));
    LS_TRY(ls_config_complete_data(config, ls_yaml_child(root, "data")));
    LS_TRY(ls_config_check_training(config, ls_yaml_child(root, "training")));
    const ls_yaml_node *code = ls_yaml_child(root, "code");
    if (code != NULL) config->code_place = code->place;
    return LS_OK;
}

static ls_status parse(ls_config *config, const char *text, const char *const *settings, int kept, int count) {
    ls_yaml_node *root;
    LS_TRY(ls_yaml_parse(config->path, text, &root));
    ls_status status = LS_OK;
    for (int i = 0; i < count && status == LS_OK; i++) status = ls_yaml_set(root, settings[i], i < kept);
    if (status == LS_OK) status = read_tree(config, root);
    if (status == LS_OK) status = print_text(config, settings, count);
    ls_yaml_destroy(root);
    return status;
}

ls_status ls_config_parse(const char *name, const char *text, const char *const *settings, int count, ls_config **out) {
    return ls_config_parse_kept(name, text, settings, 0, count, out);
}

ls_status ls_config_parse_kept(const char *name, const char *text, const char *const *settings, int kept, int count,
                               ls_config **out) {
    ls_config *config;
    *out = NULL;
    LS_TRY(ls_alloc(&config, 1, sizeof *config, "the settings"));
    snprintf(config->path, sizeof config->path, "%s", name);
    ls_status status = parse(config, text, settings, kept, count);
    if (status == LS_OK)
        *out = config;
    else
        ls_config_destroy(config);
    return status;
}

static void release_paths(ls_paths *paths) {
    for (int i = 0; i < paths->count; i++) ls_free(paths->path[i]);
}

static void release_transforms(ls_transform_list *list) {
    for (int i = 0; i < list->count; i++) ls_free(list->entry[i].options);
}

void ls_config_destroy(ls_config *config) {
    if (config == NULL) return;
    release_paths(&config->data.train);
    release_paths(&config->data.validation);
    release_paths(&config->initial_weights);
    release_transforms(&config->data.augment);
    release_transforms(&config->data.input);
    release_transforms(&config->data.target);
    for (int i = 0; i < config->layers; i++) ls_free(config->layer[i].options);
    ls_free(config->layer);
    ls_free(config->optimizer_options);
    ls_free(config->schedule_options);
    free(config->text);
    ls_free(config);
}

/* ---- the file ---- */

/* The config in the same directory whose name is most like that of path. */
static bool find_nearest(const char *path, char like[LS_PATH_MAX]) {
    glob_t found;
    const char *slash = strrchr(path, '/');
    snprintf(like, LS_PATH_MAX, "%.*s*.yaml", slash != NULL ? (int)(slash - path) + 1 : 0, path);
    if (glob(like, 0, NULL, &found) != 0) return false;
    const char *nearest = ls_nearest(path, (const char *const *)found.gl_pathv, (int)found.gl_pathc);
    if (nearest != NULL) snprintf(like, LS_PATH_MAX, "%s", nearest);
    globfree(&found);
    return nearest != NULL;
}

/* Whether there is a config whose name is the path with a part left out, or much like it. */
static bool find_like(const char *path, char like[LS_PATH_MAX]) {
    static const char *const forms[] = {"%s.yaml", "configs/%s", "configs/%s.yaml"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        snprintf(like, LS_PATH_MAX, forms[i], path);
        if (access(like, F_OK) == 0) return true;
    }
    return find_nearest(path, like);
}

/* Adds to a failure what the path may have meant. */
static ls_status explain_file(const char *path) {
    char like[LS_PATH_MAX];
    const ls_failure *failure = ls_failure_get();
    if (access(path, F_OK) != 0 && find_like(path, like))
        return LS_RAISE(failure->status, "%s; did you mean %s?", failure->message, like);
    if (ls_file_is_directory(path))
        return LS_RAISE(failure->status, "%s; the config of a run is config.yaml in it", failure->message);
    return failure->status;
}

/* Binary files that users often have: a checkpoint, a data set. */
static ls_status refuse_text(const char *path, const char *text) {
    if (memcmp(text, "LOCKSTEP", 8) == 0)
        return LS_RAISE(LS_INVALID, "%s: is a checkpoint, not a config; name its run's directory", path);
    if (memcmp(text, "\x89HDF\r\n\x1a\n", 8) == 0)
        return LS_RAISE(LS_INVALID, "%s: is a data set, not a config; 'lockstep init %s -o NEW.yaml' writes one for it",
                        path, path);
    return LS_RAISE(LS_INVALID, "%s: this is not a config in YAML", path);
}

ls_status ls_config_read_file(const char *path, char text[LS_CONFIG_BYTES_MAX]) {
    if (ls_file_check_regular(path) != LS_OK) return explain_file(path);
    FILE *file = fopen(path, "r");
    if (file == NULL) return LS_RAISE(ls_fault_of(errno), "%s: cannot open the config: %s", path, strerror(errno));
    size_t bytes = fread(text, 1, LS_CONFIG_BYTES_MAX, file);
    int error = ferror(file) ? errno : 0;
    fclose(file);
    if (error != 0) return LS_RAISE(LS_ERROR, "%s: cannot read the config: %s", path, strerror(error));
    if (memchr(text, '\0', bytes) != NULL) return refuse_text(path, text);
    if (bytes < LS_CONFIG_BYTES_MAX) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: a config is smaller than %d KiB, and this file is not", path,
                    LS_CONFIG_BYTES_MAX >> 10);
}

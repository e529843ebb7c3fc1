/* config_data.c - the section `data` of a config: its files, and its pipelines of transforms, which turn a stored
 * sample into the model's input and target. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "config/config_grammar.h"

/* ---- files ---- */

static ls_status add_path(ls_config *config, ls_paths *paths, const ls_yaml_node *node) {
    if (node->kind != LS_YAML_SCALAR || ls_yaml_is_null(node) || node->text[0] == '\0')
        return LS_INVALID_AT(config, &node->place, "expected the name of a file");
    if (paths->count == LS_FILES_MAX)
        return LS_INVALID_AT(config, &node->place, "more than %d files; name them by a pattern like 'data/*.h5'",
                             LS_FILES_MAX);
    size_t bytes = strlen(node->text) + 1;
    char **path = &paths->path[paths->count];
    LS_TRY(ls_alloc(path, (int64_t)bytes, 1, "the settings"));
    memcpy(*path, node->text, bytes);
    paths->count++;
    return LS_OK;
}

/* The field of the config that a key is about: its option's offset says where. */
#define FIELD(type, config, key)       ((type *)((char *)(config) + (key)->option.offset))
#define CONST_FIELD(type, config, key) ((const type *)((const char *)(config) + (key)->option.offset))

static ls_status read_paths(ls_config *config, const ls_config_key *key, const ls_yaml_node *value) {
    ls_paths *paths = FIELD(ls_paths, config, key);
    paths->place = value->place;
    if (value->kind == LS_YAML_SCALAR) return add_path(config, paths, value);
    if (value->kind == LS_YAML_MAP || value->count == 0)
        return LS_INVALID_AT(config, &value->place, "%s must be a file, a list of files or a pattern", value->key);
    for (const ls_yaml_node *child = value->first; child != NULL; child = child->next)
        LS_TRY(add_path(config, paths, child));
    return LS_OK;
}

static void print_paths(const ls_config *config, const ls_config_key *key, int indent, FILE *out) {
    const ls_paths *paths = CONST_FIELD(ls_paths, config, key);
    (void)indent;
    fputs(" [", out);
    for (int i = 0; i < paths->count; i++) {
        if (i > 0) fputs(", ", out);
        ls_text_print(paths->path[i], out);
    }
    fputc(']', out);
}

ls_status ls_config_read_initial_weights(ls_config *config, const ls_config_key *key, const ls_yaml_node *value) {
    bool none = value->kind == LS_YAML_LIST && value->count == 0;
    return none ? LS_OK : read_paths(config, key, value);
}

void ls_config_print_initial_weights(const ls_config *config, const ls_config_key *key, int indent, FILE *out) {
    print_paths(config, key, indent, out);
}

static const ls_config_key split_keys[] = {
    {.option = {"split", LS_OPTION_DOUBLE, offsetof(ls_config, data.split), .required = true, .min = 0, .max = 1,
                .above_min = true, .below_max = true,
                .help = "the share of the samples, at the end, that is held out"}},
    LS_CONFIG_KEYS_END};

/* Whether a value is a share of the samples, as in "validation: 0.1", which should be written with split. */
static bool is_share(const ls_yaml_node *value) {
    if (value->kind != LS_YAML_SCALAR || value->quoted) return false;
    char *end;
    double share = strtod(value->text, &end);
    return end != value->text && *end == '\0' && share > 0 && share < 1;
}

static ls_status read_validation(ls_config *config, const ls_config_key *key, const ls_yaml_node *value) {
    if (ls_yaml_is_text(value, "none")) return LS_OK;
    if (is_share(value))
        return LS_INVALID_AT(config, &value->place, "a share of the samples is written validation: {split: %s}",
                             value->text);
    if (value->kind == LS_YAML_SCALAR && strcasecmp(value->text, "none") == 0)
        return LS_INVALID_AT(config, &value->place, "where there is no validation data, write none");
    if (value->kind == LS_YAML_MAP) {
        LS_TRY(ls_section_read(config, split_keys, "validation", value));
        config->data.split_place = ls_yaml_child(value, "split")->place;
        return LS_OK;
    }
    return read_paths(config, key, value);
}

static void print_validation(const ls_config *config, const ls_config_key *key, int indent, FILE *out) {
    if (config->data.split > 0)
        ls_section_print(config, split_keys, indent + 2, out);
    else if (config->data.validation.count > 0)
        print_paths(config, key, indent, out);
    else
        fputs(" none", out);
}

/* ---- transforms ---- */

static ls_status read_transforms(ls_config *config, const ls_config_key *key, const ls_yaml_node *value) {
    ls_transform_list *list = FIELD(ls_transform_list, config, key);
    if (value->kind != LS_YAML_LIST)
        return LS_INVALID_AT(config, &value->place, "%s must be a list of transforms, like [{rescale: [0, 1]}]",
                             value->key);
    for (const ls_yaml_node *child = value->first; child != NULL; child = child->next) {
        if (list->count == LS_TRANSFORMS_MAX)
            return LS_INVALID_AT(config, &child->place, "more than %d transforms", LS_TRANSFORMS_MAX);
        ls_entry entry;
        LS_TRY(ls_entry_read(config, &ls_transform_table, child, &entry));
        list->entry[list->count++] = (ls_transform_entry){ls_transform_types[entry.index], entry.options, entry.place};
    }
    return LS_OK;
}

static void print_transforms(const ls_config *config, const ls_config_key *key, int indent, FILE *out) {
    const ls_transform_list *list = CONST_FIELD(ls_transform_list, config, key);
    if (list->count == 0) fputs(" []", out);
    for (int i = 0; i < list->count; i++) {
        const ls_transform_entry *entry = &list->entry[i];
        fprintf(out, "\n%*s- ", indent + 2, "");
        ls_entry_printer printer = ls_entry_print(entry->type->name, entry->type->options, entry->options, out);
        ls_entry_print_end(&printer);
    }
}

static ls_status read_input(ls_config *config, const ls_config_key *key, const ls_yaml_node *value) {
    config->data.input_place = value->place;
    return read_transforms(config, key, value);
}

static ls_status read_target(ls_config *config, const ls_config_key *key, const ls_yaml_node *value) {
    config->data.target_place = value->place;
    config->data.target_labels = ls_yaml_is_text(value, "labels");
    return config->data.target_labels ? LS_OK : read_transforms(config, key, value);
}

static void print_target(const ls_config *config, const ls_config_key *key, int indent, FILE *out) {
    if (config->data.target_labels)
        fputs(" labels", out);
    else
        print_transforms(config, key, indent, out);
}

/* ---- the section ---- */

#define AT(field) offsetof(ls_config, data.field)

const ls_config_key ls_config_data_keys[] = {
    {.option = {"train", .offset = AT(train), .required = true, .help = "a file, a list of files, or a pattern"},
     .read = read_paths,
     .print = print_paths,
     .may_change = true},
    {.option = {"validation", .offset = AT(validation),
                .help = "the same, or {split: 0.3} (the last 30 % of train), or none"},
     .read = read_validation,
     .print = print_validation,
     .may_change = true},
    {.option = {"parts", LS_OPTION_INT, AT(parts), .preset = "1", .min = 1, .max = 1e6,
                .help = "for large data: parts that it is divided into; an epoch goes over one of them, in turn"}},
    {.option = {"shuffle_window", LS_OPTION_INT, AT(shuffle_window), .preset = "16384", .min = 1, .max = 1e9,
                .help = "samples in a window of the shuffle; a larger one mixes better and needs more memory"}},
    {.option = {"cache_mb", LS_OPTION_INT, AT(cache_mb), .preset = "-1", .min = -1, .max = 1e9,
                .help = "MiB of each host for decoded samples; -1: half of what is free; 0: only shuffle windows"},
     .may_change = true},
    {.option = {"augment", .offset = AT(augment),
                .help = "random changes of the samples for training alone, the same for input and target: a list of "
                        "transforms (default: [])"},
     .read = read_transforms,
     .print = print_transforms},
    {.option = {"input", .offset = AT(input), .required = true,
                .help = "makes the model's input from a sample: a list of transforms; []: the sample as stored"},
     .read = read_input,
     .print = print_transforms},
    {.option = {"target", .offset = AT(target),
                .help = "makes the target from the same sample: a list of transforms; or labels (default: the input)"},
     .read = read_target,
     .print = print_target},
    LS_CONFIG_KEYS_END};

static const ls_transform_entry *find_noise(const ls_transform_list *list) {
    for (int i = 0; i < list->count; i++)
        if (list->entry[i].type->random && !list->entry[i].type->augments) return &list->entry[i];
    return NULL;
}

/* From noisy inputs a model can learn noisy targets (Noise2Noise); from clean inputs it cannot. */
static ls_status check_target(const ls_config *config) {
    const ls_transform_entry *noise = find_noise(&config->data.target);
    if (noise == NULL || find_noise(&config->data.input) != NULL) return LS_OK;
    return LS_INVALID_AT(config, &noise->place,
                         "%s is in data.target and nothing like it in data.input: no model can predict random noise "
                         "from input without noise; move it to data.input",
                         noise->type->name);
}

/* Without a target of its own the input is the target, unless a transform corrupts it: then the model needs the clean
 * sample. */
ls_status ls_config_complete_data(ls_config *config, const ls_yaml_node *data) {
    const ls_yaml_node *parts = ls_yaml_child(data, "parts");
    if (parts != NULL) config->data.parts_place = parts->place;
    if (ls_yaml_child(data, "target") != NULL) return check_target(config);
    for (int i = 0; i < config->data.input.count; i++) {
        const ls_transform_entry *entry = &config->data.input.entry[i];
        if (entry->type->corrupts && !entry->type->augments) /* an augmentation is refused later, by name */
            return LS_INVALID_AT(config, &entry->place, "data needs 'target': after %s the input cannot serve as one",
                                 entry->type->name);
    }
    return read_target(config, &(ls_config_key){.option.offset = AT(target)}, ls_yaml_child(data, "input"));
}

/* ---- from settings to pipelines ---- */

typedef ls_status append(ls_pipeline *pipeline, const ls_transform_type *type, const void *options);

static ls_status append_all(const ls_config *config, const ls_transform_list *list, append *to, ls_pipeline *pipeline) {
    for (int i = 0; i < list->count; i++) {
        const ls_transform_entry *entry = &list->entry[i];
        if (to(pipeline, entry->type, entry->options) == LS_OK) continue;
        ls_failure_prefix("%s: ", entry->type->name);
        return ls_config_prefix(config, &entry->place);
    }
    return LS_OK;
}

/* Labels are not augmented: the class of a mirrored picture is the same. */
static ls_status make_pipeline(const ls_config *config, const ls_dataset_info *info, const ls_transform_list *list,
                               bool labels, const ls_place *place, ls_pipeline **out) {
    if (ls_pipeline_create(info, labels, out) != LS_OK) return ls_config_prefix(config, place);
    if (!labels) LS_TRY(append_all(config, &config->data.augment, ls_pipeline_augment, *out));
    return append_all(config, list, ls_pipeline_add, *out);
}

ls_status ls_config_pipelines(const ls_config *config, const ls_dataset_info *info, ls_pipeline **input,
                              ls_pipeline **target) {
    const ls_data_settings *data = &config->data;
    *input = *target = NULL;
    ls_status status = make_pipeline(config, info, &data->input, false, &data->input_place, input);
    if (status == LS_OK)
        status = make_pipeline(config, info, &data->target, data->target_labels, &data->target_place, target);
    if (status == LS_OK) return LS_OK;
    ls_pipeline_destroy(*input);
    ls_pipeline_destroy(*target);
    *input = *target = NULL;
    return status;
}

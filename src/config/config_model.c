/* config_model.c - the keys `model`, `loss`, `metrics` and `optimizer` of a config, and the model that they describe.
 */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "config/config_grammar.h"

/* ---- layers ---- */

static ls_status read_name(const ls_config *config, const ls_yaml_node *node, char name[LS_NAME_MAX]) {
    size_t length = node->kind == LS_YAML_SCALAR ? strlen(node->text) : 0;
    if (length == 0 || length >= LS_NAME_MAX)
        return LS_INVALID_AT(config, &node->place, "expected the name of a layer, at most %d letters long",
                             LS_NAME_MAX - 1);
    memcpy(name, node->text, length + 1);
    return LS_OK;
}

static ls_status read_inputs(const ls_config *config, const ls_yaml_node *node, ls_layer_entry *layer) {
    if (node->kind != LS_YAML_LIST) {
        layer->inputs = 1;
        return read_name(config, node, layer->input[0]);
    }
    if (node->count < 1 || node->count > LS_INPUTS_MAX)
        return LS_INVALID_AT(config, &node->place, "inputs takes 1 to %d names of layers", LS_INPUTS_MAX);
    for (const ls_yaml_node *child = node->first; child != NULL; child = child->next)
        LS_TRY(read_name(config, child, layer->input[layer->inputs++]));
    return LS_OK;
}

static ls_status read_layer(ls_config *config, const ls_yaml_node *node) {
    ls_entry entry;
    LS_TRY(ls_entry_read(config, &ls_layer_table, node, &entry));
    ls_layer_entry *layer = &config->layer[config->layers++];
    *layer = (ls_layer_entry){.type = ls_layer_types[entry.index], .options = entry.options, .place = entry.place};
    const ls_yaml_node *name = ls_yaml_child(entry.value, "name"), *inputs = ls_yaml_child(entry.value, "inputs");
    if (name != NULL) LS_TRY(read_name(config, name, layer->name));
    return inputs != NULL ? read_inputs(config, inputs, layer) : LS_OK;
}

ls_status ls_config_read_model(ls_config *config, const ls_config_key *key, const ls_yaml_node *value) {
    (void)key;
    config->model_place = value->place;
    if (value->kind != LS_YAML_LIST || value->count < 1 || value->count > LS_LAYERS_MAX)
        return LS_INVALID_AT(config, &value->place, "model must be a list of 1 to %d layers", LS_LAYERS_MAX);
    LS_TRY(ls_alloc(&config->layer, value->count, sizeof *config->layer, "the settings"));
    for (const ls_yaml_node *child = value->first; child != NULL; child = child->next)
        LS_TRY(read_layer(config, child));
    return LS_OK;
}

static void print_layer(const ls_layer_entry *layer, FILE *out) {
    ls_entry_printer printer = ls_entry_print(layer->type->name, layer->type->options, layer->options, out);
    if (layer->name[0] != '\0') {
        ls_entry_print_key(&printer, "name");
        ls_text_print(layer->name, out);
    }
    for (int i = 0; i < layer->inputs; i++) {
        if (i == 0) ls_entry_print_key(&printer, "inputs");
        fputs(i == 0 ? "[" : ", ", out);
        ls_text_print(layer->input[i], out);
        if (i == layer->inputs - 1) fputc(']', out);
    }
    ls_entry_print_end(&printer);
}

void ls_config_print_model(const ls_config *config, const ls_config_key *key, int indent, FILE *out) {
    (void)key;
    for (int i = 0; i < config->layers; i++) {
        fprintf(out, "\n%*s- ", indent + 2, "");
        print_layer(&config->layer[i], out);
    }
}

/* ---- loss, metrics and optimizer ---- */

ls_status ls_config_read_loss(ls_config *config, const ls_config_key *key, const ls_yaml_node *value) {
    ls_entry entry;
    (void)key;
    config->loss_place = value->place;
    LS_TRY(ls_entry_read(config, &ls_loss_table, value, &entry));
    config->loss = ls_loss_types[entry.index];
    ls_free(entry.options);
    return LS_OK;
}

void ls_config_print_loss(const ls_config *config, const ls_config_key *key, int indent, FILE *out) {
    (void)key, (void)indent;
    fprintf(out, " %s", config->loss->name);
}

ls_status ls_config_read_metrics(ls_config *config, const ls_config_key *key, const ls_yaml_node *value) {
    (void)key;
    if (value->kind == LS_YAML_SCALAR)
        return LS_INVALID_AT(config, &value->place, "metrics must be a list: write metrics: [%s]",
                             ls_full_name(value->text));
    if (value->kind != LS_YAML_LIST || value->count > LS_METRICS_MAX)
        return LS_INVALID_AT(config, &value->place, "metrics must be a list of at most %d names", LS_METRICS_MAX);
    for (const ls_yaml_node *child = value->first; child != NULL; child = child->next) {
        ls_entry entry;
        LS_TRY(ls_entry_read(config, &ls_metric_table, child, &entry));
        config->metric[config->metrics++] = ls_metric_types[entry.index];
        ls_free(entry.options);
    }
    return LS_OK;
}

void ls_config_print_metrics(const ls_config *config, const ls_config_key *key, int indent, FILE *out) {
    (void)key, (void)indent;
    fputs(" [", out);
    for (int i = 0; i < config->metrics; i++) fprintf(out, "%s%s", i > 0 ? ", " : "", config->metric[i]->name);
    fputc(']', out);
}

static const ls_option clip_option = {"global_clipnorm",
                                      LS_OPTION_DOUBLE,
                                      offsetof(ls_config, clip_norm),
                                      .preset = "0",
                                      .min = 0,
                                      .max = 1e30,
                                      .help = "largest norm of the gradient of all weights; 0: no limit"};

/* learning_rate as a map, {cosine_decay: {...}}, in place of a number. */
static ls_status read_schedule(ls_config *config, const ls_yaml_node *value) {
    ls_entry entry;
    LS_TRY(ls_entry_read(config, &ls_schedule_table, value, &entry));
    config->schedule = ls_schedule_types[entry.index];
    config->schedule_options = entry.options;
    if (config->schedule->check == NULL || config->schedule->check(entry.options) == LS_OK) return LS_OK;
    return ls_config_prefix(config, &entry.place);
}

ls_status ls_config_read_optimizer(ls_config *config, const ls_config_key *key, const ls_yaml_node *value) {
    ls_entry entry;
    (void)key;
    LS_TRY(ls_entry_read(config, &ls_optimizer_table, value, &entry));
    config->optimizer = ls_optimizer_types[entry.index];
    config->optimizer_options = entry.options;
    const ls_yaml_node *rate = ls_yaml_child(entry.value, "learning_rate");
    const ls_yaml_node *clip = ls_yaml_child(entry.value, clip_option.name);
    if (rate != NULL && rate->kind == LS_YAML_MAP) LS_TRY(read_schedule(config, rate));
    return clip != NULL ? ls_config_set(config, &clip_option, config, clip) : LS_OK;
}

static void print_schedule(const ls_config *config, ls_entry_printer *optimizer, FILE *out) {
    ls_entry_print_key(optimizer, "learning_rate");
    fputc('{', out);
    ls_entry_printer printer =
        ls_entry_print(config->schedule->name, config->schedule->options, config->schedule_options, out);
    ls_entry_print_end(&printer);
    fputc('}', out);
}

/* A schedule is printed in place of the option learning_rate. */
static void print_options(const ls_config *config, FILE *out) {
    enum { OPTIONS_MAX = 16 };
    ls_option shown[OPTIONS_MAX];
    int count = 0;
    for (const ls_option *option = config->optimizer->options; option->name != NULL; option++) {
        assert(count < OPTIONS_MAX - 1);
        if (config->schedule == NULL || strcmp(option->name, "learning_rate") != 0) shown[count++] = *option;
    }
    shown[count] = (ls_option)LS_OPTIONS_END;
    ls_entry_printer printer = ls_entry_print(config->optimizer->name, shown, config->optimizer_options, out);
    if (config->schedule != NULL) print_schedule(config, &printer, out);
    ls_entry_print_key(&printer, clip_option.name);
    ls_option_print(&clip_option, config, out);
    ls_entry_print_end(&printer);
}

void ls_config_print_optimizer(const ls_config *config, const ls_config_key *key, int indent, FILE *out) {
    (void)key;
    fprintf(out, "\n%*s", indent + 2, "");
    print_options(config, out);
}

/* ---- the model ---- */

static ls_status add_layer(const ls_config *config, const ls_layer_entry *layer, ls_model *model) {
    const char *inputs[LS_INPUTS_MAX];
    for (int i = 0; i < layer->inputs; i++) inputs[i] = layer->input[i];
    if (ls_model_add(model, layer->type, layer->options, layer->name, inputs, layer->inputs) == LS_OK) return LS_OK;
    return ls_config_prefix(config, &layer->place);
}

ls_status ls_config_unknown_layer(const ls_model *model, const char *name, const char *where) {
    const char *names[LS_LAYERS_MAX];
    int count = ls_model_layers(model);
    for (int i = 0; i < count; i++) names[i] = ls_model_layer(model, i)->name;
    return ls_unknown("layer", name, where, names, count);
}

static ls_status check_code(const ls_config *config, const ls_model *model) {
    if (config->code[0] == '\0' || ls_model_find(model, config->code) >= 0) return LS_OK;
    ls_config_unknown_layer(model, config->code, " as code");
    return ls_config_prefix(config, &config->code_place);
}

static ls_status build(const ls_config *config, const ls_shape *target, ls_model *model) {
    for (int i = 0; i < config->layers; i++) LS_TRY(add_layer(config, &config->layer[i], model));
    LS_TRY(check_code(config, model));
    ls_shape output = ls_model_output_shape(model);
    if (ls_model_set_loss(model, config->loss, target != NULL ? target : &output) == LS_OK) return LS_OK;
    return ls_config_prefix(config, &config->loss_place);
}

ls_status ls_config_model(const ls_config *config, const ls_shape *input, const ls_shape *target, ls_model **out) {
    if (ls_model_create(input, out) != LS_OK) return ls_config_prefix(config, &config->model_place);
    ls_status status = build(config, target, *out);
    if (status == LS_OK) return LS_OK;
    ls_model_destroy(*out);
    *out = NULL;
    return status;
}

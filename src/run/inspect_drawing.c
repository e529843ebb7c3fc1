/* inspect_drawing.c - a model as a drawing: text in Graphviz' language (https://graphviz.org/doc/info/lang.html). The
 * layers as the config has them, also where the model lets one do another's work. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "run/inspect_kinds.h"

/* The option as YAML has it; the caller frees it. NULL: no memory. */
static char *option_text(const ls_option *option, const void *record) {
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    if (out == NULL) return NULL;
    ls_option_print(option, record, out);
    (void)fclose(out);
    return text;
}

static void print_option(const ls_option *option, const void *record, const void *presets, FILE *out) {
    char *text = option_text(option, record), *preset = option_text(option, presets);
    if (text && preset && (option->required || strcmp(text, preset) != 0))
        fprintf(out, "\\n%s: %s", option->name, text);
    free(text);
    free(preset);
}

/* Those that are not what they are by default. */
static ls_status print_options(const ls_layer_entry *entry, FILE *out) {
    const ls_option *table = entry->type->options;
    void *presets;
    LS_TRY(ls_alloc(&presets, 1, entry->type->options_bytes, "the options of a layer"));
    ls_options_init(table, presets);
    for (; table->name; table++) print_option(table, entry->options, presets, out);
    ls_free(presets);
    return LS_OK;
}

static ls_status print_layer(const ls_config *config, int index, const ls_layer *layer, FILE *out) {
    char shape[LS_SHAPE_TEXT_MAX], count[LS_FIGURE_MAX];
    int64_t parameters = 0;
    for (int i = 0; i < layer->params; i++) parameters += ls_shape_count(&layer->param[i].shape);
    fprintf(out, "  layer%d [label=\"%s", index, layer->name);
    if (strcmp(layer->name, layer->type->name) != 0) fprintf(out, ": %s", layer->type->name);
    LS_TRY(print_options(&config->layer[index], out));
    fprintf(out, "\\noutput: %s", ls_shape_text(&layer->out, shape));
    if (parameters > 0) fprintf(out, "\\n%s parameters", ls_count_text(parameters, count));
    fprintf(out, "\"%s];\n", strcmp(layer->name, config->code) == 0 ? ", fillcolor=lightblue" : "");
    return LS_OK;
}

static void print_edge(int from, int to, FILE *out) {
    if (from == LS_MODEL_INPUT)
        fprintf(out, "  input -> layer%d;\n", to);
    else
        fprintf(out, "  layer%d -> layer%d;\n", from, to);
}

static void print_edges(const ls_model *model, const ls_layer_entry *entry, int index, FILE *out) {
    if (entry->inputs == 0) print_edge(index > 0 ? index - 1 : LS_MODEL_INPUT, index, out);
    for (int i = 0; i < entry->inputs; i++) print_edge(ls_model_find(model, entry->input[i]), index, out);
}

ls_status ls_inspect_drawing(const ls_config *config, const ls_model *model, FILE *out) {
    char shape[LS_SHAPE_TEXT_MAX];
    ls_shape input = ls_model_input_shape(model);
    fprintf(out,
            "digraph model {\n  node [shape=box, style=filled, fillcolor=white];\n"
            "  input [label=\"input\\n%s\", shape=ellipse];\n",
            ls_shape_text(&input, shape));
    for (int i = 0; i < config->layers; i++) {
        LS_TRY(print_layer(config, i, ls_model_layer(model, i), out));
        print_edges(model, &config->layer[i], i, out);
    }
    fputs("}\n", out);
    return LS_OK;
}

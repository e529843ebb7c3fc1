/* config_help.c - `lockstep help config`: the grammar, printed. */
#include "config_grammar.h"

/* "  data:" and what is in it, or one plain key. */
static void print_keys(const ls_config_key *keys, int indent, FILE *out) {
    char prefix[16];
    snprintf(prefix, sizeof prefix, "%*s", indent, "");
    for (const ls_config_key *key = keys; key->option.name != NULL; key++) {
        if (key->section == NULL && key->read == NULL) {
            ls_options_help((ls_option[]){key->option, LS_OPTIONS_END}, prefix, out);
            continue;
        }
        fprintf(out, "  %s%-*s  %s%s\n", prefix, 20 - indent, key->option.name, key->option.help,
                key->option.required ? " (required)" : "");
        if (key->section != NULL) print_keys(key->section, indent + 2, out);
    }
}

static void print_types(const ls_type_table *table, FILE *out) {
    fprintf(out, "\n%s\n", table->plural);
    for (int i = 0; table->at(i).name != NULL; i++) {
        ls_named_type type = table->at(i);
        fprintf(out, "  %-20s  %s\n", type.name, type.help);
        if (type.options != NULL) ls_options_help(type.options, "  ", out);
    }
}

void ls_config_help(FILE *out) {
    fputs("A run is described by a YAML file with these keys:\n\n", out);
    print_keys(ls_config_keys, 0, out);
    fputs("\nWhat follows is written as 'name', 'name: {option: value}', or 'name: value' for its first option.\n",
          out);
    print_types(&ls_transform_table, out);
    fputs("\nEvery layer also takes 'name', and 'inputs': the layers whose outputs it takes (default: the one before "
          "it).\n",
          out);
    print_types(&ls_layer_table, out);
    print_types(&ls_loss_table, out);
    print_types(&ls_metric_table, out);
    fputs(
        "\nEvery optimizer also takes 'global_clipnorm', the length that the gradient of all weights has at most, and "
        "as\n'learning_rate' a number or a schedule: 'learning_rate: {cosine_decay: {...}}'.\n",
        out);
    print_types(&ls_optimizer_table, out);
    print_types(&ls_schedule_table, out);
}

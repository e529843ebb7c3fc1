/* config_help.c - `lockstep help config`: the grammar, printed; `lockstep help NAME`: what of it has that name. */
#include <assert.h>
#include <string.h>

#include "config/config_grammar.h"

/* A table of types, and what holds for all of them. */
typedef struct chapter {
    const ls_type_table *table;
    const char *remark;
} chapter;

static const chapter chapters[] = {
    {&ls_transform_table, ""},
    {&ls_layer_table, "\nEvery layer also takes 'name', and 'inputs': the layers whose outputs it takes (default: the "
                      "one before it).\n"},
    {&ls_loss_table, ""},
    {&ls_metric_table, ""},
    {&ls_optimizer_table,
     "\nEvery optimizer also takes 'global_clipnorm', the length that the gradient of all weights has at most, and as\n"
     "'learning_rate' a number or a schedule: 'learning_rate: {cosine_decay: {...}}'.\n"},
    {&ls_schedule_table, ""},
};
enum { CHAPTERS = sizeof chapters / sizeof *chapters, PREFIX_MAX = 64 };

/* A key behind the prefix, and below it the keys of the map that is its value. */
static void print_key(const ls_config_key *key, const char *prefix, FILE *out) {
    if (key->section == NULL && key->read == NULL) {
        ls_options_help((ls_option[]){key->option, LS_OPTIONS_END}, prefix, out);
        return;
    }
    fprintf(out, "  %s%-*s  %s%s\n", prefix, strlen(prefix) < 20 ? 20 - (int)strlen(prefix) : 0, key->option.name,
            key->option.help, key->option.required ? " (required)" : "");
    if (key->section == NULL) return;
    char below[PREFIX_MAX];
    snprintf(below, sizeof below, "%*s", (int)strspn(prefix, " ") + 2, "");
    for (const ls_config_key *child = key->section; child->option.name != NULL; child++) print_key(child, below, out);
}

/* Keys of that name, behind those that they stand under: "training.checkpoint.". */
static void print_keys_named(const ls_config_key *keys, char path[PREFIX_MAX], const char *topic, FILE *out) {
    size_t length = strlen(path);
    for (const ls_config_key *key = keys; key->option.name != NULL; key++) {
        if (strcmp(key->option.name, topic) == 0) print_key(key, path, out);
        if (key->section == NULL) continue;
        snprintf(path + length, PREFIX_MAX - length, "%s.", key->option.name);
        print_keys_named(key->section, path, topic, out);
        path[length] = '\0';
    }
}

static bool is_about(const char *topic, const char *name) { return topic == NULL || strcmp(topic, name) == 0; }

/* The types of that name; all of them where it is the table's, or NULL. False: none. */
static bool print_types(const ls_type_table *table, const char *topic, FILE *out) {
    bool all = is_about(topic, table->kind) || is_about(topic, table->plural), begun = false;
    for (int i = 0; table->at(i).name != NULL; i++) {
        ls_named_type type = table->at(i);
        if (!all && !is_about(topic, type.name)) continue;
        if (!begun) fprintf(out, "%s\n", all ? table->plural : table->kind);
        begun = true;
        fprintf(out, "  %-20s  %s\n", type.name, type.help);
        if (type.options != NULL) ls_options_help(type.options, "  ", out);
    }
    return begun;
}

/* An option of types: each of those, with that option alone. */
static void print_options_named(const ls_type_table *table, const char *topic, FILE *out) {
    bool begun = false;
    for (int i = 0; table->at(i).name != NULL; i++) {
        ls_named_type type = table->at(i);
        const ls_option *option = type.options != NULL ? ls_options_find(type.options, topic) : NULL;
        if (option == NULL) continue;
        if (!begun) fprintf(out, "%s\n", table->kind);
        begun = true;
        fprintf(out, "  %s\n", type.name);
        ls_options_help((ls_option[]){*option, LS_OPTIONS_END}, "  ", out);
    }
}

static int add_keys(const ls_config_key *keys, const char **names, int count) {
    for (const ls_config_key *key = keys; key->option.name != NULL; key++) {
        assert(count < LS_TOPICS_MAX);
        names[count++] = key->option.name;
        if (key->section != NULL) count = add_keys(key->section, names, count);
    }
    return count;
}

static int add_types(const ls_type_table *table, const char **names, int count) {
    names[count++] = table->kind;
    names[count++] = table->plural;
    for (int i = 0; table->at(i).name != NULL; i++) {
        assert(count < LS_TOPICS_MAX);
        names[count++] = table->at(i).name;
    }
    return count;
}

/* Types share names of options; each is added once. */
static int add_options(const ls_option *options, const char **names, int count) {
    for (const ls_option *option = options; option != NULL && option->name != NULL; option++) {
        int known = 0;
        while (known < count && strcmp(names[known], option->name) != 0) known++;
        assert(known < LS_TOPICS_MAX);
        names[known] = option->name;
        if (known == count) count++;
    }
    return count;
}

int ls_config_topics(const char *names[LS_TOPICS_MAX]) {
    int count = add_keys(ls_config_keys, names, 0);
    for (int c = 0; c < CHAPTERS; c++) count = add_types(chapters[c].table, names, count);
    for (int c = 0; c < CHAPTERS; c++)
        for (int i = 0; chapters[c].table->at(i).name != NULL; i++)
            count = add_options(chapters[c].table->at(i).options, names, count);
    return count;
}

void ls_config_help_topic(const char *topic, FILE *out) {
    char path[PREFIX_MAX] = "";
    print_keys_named(ls_config_keys, path, topic, out);
    for (int c = 0; c < CHAPTERS; c++)
        if (print_types(chapters[c].table, topic, out)) fputs(chapters[c].remark, out);
    for (int c = 0; c < CHAPTERS; c++) print_options_named(chapters[c].table, topic, out);
}

void ls_config_help(FILE *out) {
    fputs("A run is described by a YAML file with these keys:\n\n", out);
    for (const ls_config_key *key = ls_config_keys; key->option.name != NULL; key++) print_key(key, "", out);
    fputs("\nWhat follows is written as 'name', 'name: {option: value}', or 'name: value' for its first option.\n",
          out);
    for (int c = 0; c < CHAPTERS; c++) {
        fprintf(out, "%s\n", chapters[c].remark);
        print_types(chapters[c].table, NULL, out);
    }
}

/* config_help.c - the tables of keys and types, printed: all of them for `lockstep help config`, what has one name for
 * `lockstep help NAME`, and a row each for `lockstep --tables`, which docs/reference.md and the completions are made
 * from. */
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
    {&ls_layer_table,
     "Every layer also takes 'name', and 'inputs': the layers whose outputs it takes (default: the layer "
     "before it)."},
    {&ls_loss_table, ""},
    {&ls_metric_table, ""},
    {&ls_optimizer_table,
     "Every optimizer also takes 'global_clipnorm', the largest length of the gradient of all weights, and as\n"
     "'learning_rate' a number or a schedule: 'learning_rate: {cosine_decay: {...}}'."},
    {&ls_schedule_table, ""},
};
enum { CHAPTERS = sizeof chapters / sizeof *chapters, PREFIX_MAX = 64 };

/* ---- help ---- */

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

/* The keys of that name, each with its whole path: "training.checkpoint.keep". */
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

/* The types of that name, or all of them where it is the table's name or NULL; then the chapter's remark. */
static void print_types(const chapter *c, const char *topic, FILE *out) {
    const ls_type_table *table = c->table;
    bool all = topic == NULL || strcmp(topic, table->kind) == 0 || strcmp(topic, table->plural) == 0, begun = false;
    for (int i = 0; table->at(i).name != NULL; i++) {
        ls_named_type type = table->at(i);
        if (topic != NULL && !all && strcmp(topic, type.name) != 0) continue;
        if (!begun) fprintf(out, "%s\n", all ? table->plural : table->kind);
        begun = true;
        fprintf(out, "  %-20s  %s\n", type.name, type.help);
        if (type.options != NULL) ls_options_help(type.options, "  ", out);
    }
    if (begun && c->remark[0] != '\0') fprintf(out, "\n%s\n", c->remark);
}

/* The types that have an option of that name, each with that option alone. */
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

void ls_config_help_topic(const char *topic, FILE *out) {
    char path[PREFIX_MAX] = "";
    print_keys_named(ls_config_keys, path, topic, out);
    for (int c = 0; c < CHAPTERS; c++) print_types(&chapters[c], topic, out);
    for (int c = 0; c < CHAPTERS; c++) print_options_named(chapters[c].table, topic, out);
}

void ls_config_help(FILE *out) {
    fputs("A run is described by a YAML file with these keys:\n\n", out);
    for (const ls_config_key *key = ls_config_keys; key->option.name != NULL; key++) print_key(key, "", out);
    fputs("\nWhat follows is written as 'name', 'name: {option: value}', or 'name: value' for its first option.\n",
          out);
    for (int c = 0; c < CHAPTERS; c++) {
        fputc('\n', out);
        print_types(&chapters[c], NULL, out);
    }
}

/* ---- topics ---- */

typedef struct name_list {
    const char **name;
    int count;
} name_list;

static void add_name(name_list *list, const char *name) {
    for (int i = 0; i < list->count; i++)
        if (strcmp(list->name[i], name) == 0) return;
    assert(list->count < LS_TOPICS_MAX);
    list->name[list->count++] = name;
}

static void add_keys(name_list *list, const ls_config_key *keys) {
    for (const ls_config_key *key = keys; key->option.name != NULL; key++) {
        add_name(list, key->option.name);
        if (key->section != NULL) add_keys(list, key->section);
    }
}

static void add_types(name_list *list, const ls_type_table *table) {
    add_name(list, table->kind);
    add_name(list, table->plural);
    for (int i = 0; table->at(i).name != NULL; i++) add_name(list, table->at(i).name);
}

static void add_options(name_list *list, const ls_type_table *table) {
    for (int i = 0; table->at(i).name != NULL; i++)
        for (const ls_option *option = table->at(i).options; option != NULL && option->name != NULL; option++)
            add_name(list, option->name);
}

int ls_config_topics(const char *names[LS_TOPICS_MAX]) {
    name_list list = {.name = names};
    add_keys(&list, ls_config_keys);
    for (int c = 0; c < CHAPTERS; c++) add_types(&list, chapters[c].table);
    for (int c = 0; c < CHAPTERS; c++) add_options(&list, chapters[c].table);
    return list.count;
}

/* ---- rows ---- */

static void print_row(const char *kind, const char *owner, const ls_option *option, bool plain, FILE *out) {
    static const char *const types[] = {
        [LS_OPTION_INT] = "integer",    [LS_OPTION_DOUBLE] = "number", [LS_OPTION_BOOL] = "switch",
        [LS_OPTION_STRING] = "text",    [LS_OPTION_CHOICE] = "choice", [LS_OPTION_INTS] = "integers",
        [LS_OPTION_DOUBLES] = "numbers"};
    char allowed[512] = "";
    bool path = option->type == LS_OPTION_STRING && option->capacity >= LS_PATH_MAX;
    if (plain) ls_option_describe(option, allowed, sizeof allowed);
    fprintf(out, "%s\t%s\t%s\t%.1s\t%s\t", kind, owner, option->name, &option->letter,
            !plain ? ""
            : path ? "path"
                   : types[option->type]);
    for (int i = 0; plain && option->type == LS_OPTION_CHOICE && option->choices[i] != NULL; i++)
        fprintf(out, "%s%s", i > 0 ? " " : "", option->choices[i]);
    const char *preset = option->preset != NULL ? option->preset : "";
    fprintf(out, "\t%s\t%s\t%s\n", option->required ? "required" : preset, allowed, option->help);
}

void ls_option_row(const char *kind, const char *owner, const ls_option *option, FILE *out) {
    print_row(kind, owner, option, true, out);
}

static void print_key_rows(const ls_config_key *keys, const char *path, FILE *out) {
    for (const ls_config_key *key = keys; key->option.name != NULL; key++) {
        char name[PREFIX_MAX];
        ls_option option = key->option;
        snprintf(name, sizeof name, "%s%s", path, option.name);
        option.name = name;
        print_row("key", "", &option, key->section == NULL && key->read == NULL, out);
        if (key->section == NULL) continue;
        snprintf(name, sizeof name, "%s%s.", path, key->option.name);
        print_key_rows(key->section, name, out);
    }
}

void ls_config_rows(FILE *out) {
    print_key_rows(ls_config_keys, "", out);
    for (int c = 0; c < CHAPTERS; c++) {
        const ls_type_table *table = chapters[c].table;
        fprintf(out, "table\t%s\t%s\t\t\t\t\t\t", table->kind, table->plural);
        for (const char *letter = chapters[c].remark; *letter != '\0'; letter++)
            fputc(*letter == '\n' ? ' ' : *letter, out);
        fputc('\n', out);
        for (int i = 0; table->at(i).name != NULL; i++) {
            ls_named_type type = table->at(i);
            fprintf(out, "type\t%s\t%s\t\t\t\t\t\t%s\n", table->kind, type.name, type.help);
            for (const ls_option *option = type.options; option != NULL && option->name != NULL; option++)
                ls_option_row("type_option", type.name, option, out);
        }
    }
}

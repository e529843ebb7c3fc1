/* config_grammar.c - reads and prints a config by its tables of keys and of types. A wrong key or name is answered by
 * the nearest right one, and by the place where it belongs. */
#include "config/config_grammar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { NAMES_MAX = 128, VALUES_MAX = 64 };

static const ls_option no_options[] = {LS_OPTIONS_END};

/* ---- plain values ---- */

static ls_status set_texts(const ls_option *option, void *record, const ls_yaml_node *node) {
    const char *texts[VALUES_MAX] = {node->text};
    if (node->kind == LS_YAML_SCALAR) return ls_option_set(option, record, texts, 1, false);
    if (node->kind == LS_YAML_MAP || node->count > VALUES_MAX)
        return LS_RAISE(LS_INVALID, "%s takes a value, not a %s", option->name,
                        node->kind == LS_YAML_MAP ? "map" : "list as long as this");
    int count = 0;
    for (const ls_yaml_node *child = node->first; child != NULL; child = child->next) {
        if (child->kind != LS_YAML_SCALAR) return LS_RAISE(LS_INVALID, "%s takes a list of plain values", option->name);
        texts[count++] = child->text;
    }
    return ls_option_set(option, record, texts, count, true);
}

ls_status ls_config_set(const ls_config *config, const ls_option *option, void *record, const ls_yaml_node *node) {
    if (ls_yaml_is_null(node)) return LS_INVALID_AT(config, &node->place, "%s has no value", option->name);
    return set_texts(option, record, node) == LS_OK ? LS_OK : ls_config_prefix(config, &node->place);
}

static ls_status refuse_key(const ls_config *config, const ls_yaml_node *child, const char *where,
                            const char *const *names, int count) {
    char in[LS_NAME_MAX + 8] = "";
    if (where[0] != '\0') snprintf(in, sizeof in, " in %s", where);
    if (strchr(child->key, ':') != NULL)
        return LS_INVALID_AT(config, &child->key_place, "unknown key '%s'%s; a colon needs a space behind it",
                             child->key, in);
    ls_unknown("key", child->key, in, names, count);
    return ls_config_prefix(config, &child->key_place);
}

static ls_status refuse_missing(const ls_config *config, const ls_place *place, const char *where,
                                const ls_option *option) {
    return LS_INVALID_AT(config, place, "%s needs '%s': %s", where[0] != '\0' ? where : "the file", option->name,
                         option->help);
}

/* ---- sections: defaults and reading ---- */

void ls_section_init(const ls_config_key *keys, ls_config *config) {
    for (const ls_config_key *key = keys; key->option.name != NULL; key++) {
        if (key->section != NULL)
            ls_section_init(key->section, config);
        else if (key->read == NULL)
            ls_options_init((ls_option[]){key->option, LS_OPTIONS_END}, config);
    }
}

static ls_status read_subsection(ls_config *config, const ls_config_key *key, const ls_yaml_node *value) {
    bool on = key->enabled == 0 || !ls_yaml_is_text(value, "none");
    if (key->enabled != 0) *(bool *)((char *)config + key->enabled) = on;
    if (on && key->enabled != 0 && value->kind != LS_YAML_MAP)
        return LS_INVALID_AT(config, &value->place, "%s must be a map of keys and values, {} for all defaults, or none",
                             key->option.name);
    return on ? ls_section_read(config, key->section, key->option.name, value) : LS_OK;
}

static ls_status read_value(ls_config *config, const ls_config_key *key, const ls_yaml_node *value) {
    if (key->section != NULL) return read_subsection(config, key, value);
    if (key->read == NULL) return ls_config_set(config, &key->option, config, value);
    bool optional = strcmp(key->option.name, "validation") == 0;
    if (ls_yaml_is_null(value))
        return LS_INVALID_AT(config, &value->place, "%s has no value%s", key->option.name,
                             optional ? "; where there is no such data, write none" : "");
    return key->read(config, key, value);
}

static const ls_config_key *find_key(const ls_config_key *keys, const char *name) {
    for (const ls_config_key *key = keys; key->option.name != NULL; key++)
        if (strcmp(key->option.name, name) == 0) return key;
    return NULL;
}

/* The section of `keys` that has a key of this name; NULL: none. */
static const ls_config_key *find_section_with(const ls_config_key *keys, const char *name) {
    for (const ls_config_key *key = keys; key->option.name != NULL; key++)
        if (key->section != NULL && find_key(key->section, name) != NULL) return key;
    return NULL;
}

/* Of a learning rate, under any of its names, that is not written under the optimizer. */
static ls_status refuse_rate(const ls_config *config, const ls_yaml_node *child, const char *where,
                             const char *option) {
    const char *name = config->optimizer != NULL ? config->optimizer->name : "adam";
    const char *value = child->kind == LS_YAML_SCALAR ? child->text : "...";
    const char *in = where[0] != '\0' ? " in " : "";
    if (child->key_place.setting[0] != '\0')
        return LS_INVALID_AT(config, &child->key_place,
                             "unknown key '%s'%s%s; it belongs to the optimizer: write --set optimizer.%s.%s=%s",
                             child->key, in, where, name, option, value);
    return LS_INVALID_AT(config, &child->key_place,
                         "unknown key '%s'%s%s; it belongs under optimizer: write optimizer: {%s: {%s: %s}}",
                         child->key, in, where, name, option, value);
}

static ls_status refuse_section_key(const ls_config *config, const ls_config_key *keys, const char *where,
                                    const ls_yaml_node *child) {
    const char *names[NAMES_MAX];
    int count = 0;
    const ls_config_key *section = find_section_with(keys, child->key);
    if (section != NULL)
        return LS_INVALID_AT(config, &child->key_place, "unknown key '%s'; did you mean '%s.%s'?", child->key,
                             section->option.name, child->key);
    for (const ls_config_key *key = keys; key->option.name != NULL; key++) names[count++] = key->option.name;
    static const char *const rate[] = {"learning_rate"};
    bool is_rate = ls_nearest(child->key, names, count) == NULL && ls_nearest(child->key, rate, 1) != NULL;
    return is_rate ? refuse_rate(config, child, where, rate[0]) : refuse_key(config, child, where, names, count);
}

ls_status ls_section_read(ls_config *config, const ls_config_key *keys, const char *where, const ls_yaml_node *node) {
    if (node->kind != LS_YAML_MAP)
        return LS_INVALID_AT(config, &node->place, "%s must be a map of keys and values",
                             where[0] != '\0' ? where : "the file");
    for (const ls_yaml_node *child = node->first; child != NULL; child = child->next) {
        const ls_config_key *key = find_key(keys, child->key);
        if (key == NULL) return refuse_section_key(config, keys, where, child);
        LS_TRY(read_value(config, key, child));
    }
    for (const ls_config_key *key = keys; key->option.name != NULL; key++)
        if (key->option.required && ls_yaml_child(node, key->option.name) == NULL)
            return refuse_missing(config, node->key != NULL ? &node->key_place : &node->place, where, &key->option);
    return LS_OK;
}

/* ---- sections: printing ---- */

void ls_section_print(const ls_config *config, const ls_config_key *keys, int indent, FILE *out) {
    for (const ls_config_key *key = keys; key->option.name != NULL; key++) {
        fprintf(out, "%s%*s%s:", indent > 0 || key != keys ? "\n" : "", indent, "", key->option.name);
        if (key->enabled != 0 && !*(const bool *)((const char *)config + key->enabled)) {
            fputs(" none", out);
        } else if (key->section != NULL) {
            ls_section_print(config, key->section, indent + 2, out);
        } else if (key->print != NULL) {
            key->print(config, key, indent, out);
        } else {
            fputc(' ', out);
            ls_option_print(&key->option, config, out);
        }
    }
}

/* ---- entries ---- */

static const ls_option *options_of(const ls_named_type *type) {
    return type->options != NULL ? type->options : no_options;
}

static int option_names(const ls_named_type *type, const char *names[NAMES_MAX]) {
    int count = 0;
    for (const ls_option *option = options_of(type); option->name != NULL; option++) names[count++] = option->name;
    return count;
}

/* The number of a type by its name or a short name; -1: there is none. */
static int find_type(const ls_type_table *table, const char *name) {
    const char *full = ls_full_name(name);
    for (int i = 0; table->at(i).name != NULL; i++)
        if (strcmp(table->at(i).name, name) == 0 || strcmp(table->at(i).name, full) == 0) return i;
    return -1;
}

/* "optimizer.lr=0.1" is answered by "optimizer.adam.learning_rate=0.1". */
static ls_status refuse_short_path(const ls_config *config, const ls_type_table *table, const ls_yaml_node *first) {
    const char *setting = first->next->key_place.setting, *word = first->next->key, *option = NULL;
    const char *names[NAMES_MAX];
    size_t path = strcspn(setting, "="), letters = strlen(word);
    int index = find_type(table, first->key);
    ls_named_type type = index >= 0 ? table->at(index) : (ls_named_type){0};
    if (index >= 0) option = ls_nearest(word, names, option_names(&type, names));
    const char *found = strstr(setting, word);
    if (found == NULL || found >= setting + path)
        return LS_INVALID_AT(config, &first->next->key_place, "'%s' belongs under '%s': {%s: {%s: ...}}", word,
                             first->key, first->key, option != NULL ? option : word);
    return LS_INVALID_AT(config, &first->next->key_place, "the path leaves out '%s': write --set %.*s%s.%s%s",
                         first->key, (int)(found - setting), setting, first->key, option != NULL ? option : word,
                         found + letters);
}

/* Of an entry that --set gave a second key: "model.1.units=5" beside dense, "optimizer.sgd.momentum=0.9" beside adam.
 */
static ls_status refuse_second_entry(const ls_config *config, const ls_type_table *table, const ls_yaml_node *first) {
    const ls_yaml_node *second = first->next;
    if (find_type(table, second->key) >= 0)
        return LS_INVALID_AT(config, &second->key_place,
                             "'%s' is there already; to replace it by '%s', set the %s itself to %s before", first->key,
                             second->key, table->kind, second->key);
    return refuse_short_path(config, table, first);
}

/* Takes an entry apart: its name, place and value. */
static ls_status split_entry(const ls_config *config, const ls_type_table *table, const ls_yaml_node *node,
                             const char **name, ls_entry *out) {
    const ls_yaml_node *child = node->first;
    if (node->kind == LS_YAML_SCALAR && !ls_yaml_is_null(node)) {
        *name = node->text;
        *out = (ls_entry){.place = node->place};
        return LS_OK;
    }
    if (node->kind == LS_YAML_MAP && node->count == 1) {
        *name = child->key;
        *out = (ls_entry){.place = child->key_place, .value = ls_yaml_is_null(child) ? NULL : child};
        return LS_OK;
    }
    if (node->kind == LS_YAML_MAP && node->count > 1 && child->next->key_place.setting[0] != '\0')
        return refuse_second_entry(config, table, child);
    if (node->kind == LS_YAML_MAP && node->count > 1)
        return LS_INVALID_AT(config, &child->next->key_place,
                             "'%s' stands beside '%s', not under it; indent it, or write '%s: {%s: ...}'",
                             child->next->key, child->key, child->key, child->next->key);
    return LS_INVALID_AT(config, &node->place, "expected one %s: 'name' or 'name: {option: value}'", table->kind);
}

static ls_status choose_type(const ls_config *config, const ls_type_table *table, const char *name, ls_entry *entry) {
    const char *names[NAMES_MAX];
    int count = 0;
    entry->index = find_type(table, name);
    if (entry->index >= 0) return LS_OK;
    for (; table->at(count).name != NULL; count++) names[count] = table->at(count).name;
    if (table == &ls_loss_table && find_type(&ls_metric_table, name) >= 0)
        return LS_INVALID_AT(config, &entry->place,
                             "'%s' is a metric, not a loss here; 'lockstep help losses' lists those", name);
    ls_unknown(table->kind, name, "", names, count);
    return ls_config_prefix(config, &entry->place);
}

static bool is_also(const ls_type_table *table, const char *key) {
    for (const char *const *also = table->also; also != NULL && *also != NULL; also++)
        if (strcmp(*also, key) == 0) return true;
    return false;
}

static ls_status refuse_entry_key(const ls_config *config, const ls_type_table *table, const ls_named_type *type,
                                  const ls_yaml_node *child) {
    const char *names[NAMES_MAX];
    int count = option_names(type, names);
    for (const char *const *also = table->also; also != NULL && *also != NULL; also++)
        if (ls_options_find(options_of(type), *also) == NULL) names[count++] = *also;
    if (count == 0) return LS_INVALID_AT(config, &child->key_place, "%s has no options", type->name);
    return refuse_key(config, child, type->name, names, count);
}

/* "dropout: 0.4" sets the first option. */
static ls_status set_main_value(const ls_config *config, const ls_named_type *type, const ls_entry *entry) {
    const ls_option *first = options_of(type);
    if (first->name == NULL) return LS_INVALID_AT(config, &entry->value->place, "%s has no options", type->name);
    return ls_config_set(config, first, entry->options, entry->value);
}

/* The length of the group's name in an option "group.key", which is written "group: {key: value}"; 0: no group. */
static size_t group_length(const ls_option *option) {
    const char *point = option->name != NULL ? strchr(option->name, '.') : NULL;
    return point != NULL ? (size_t)(point - option->name) : 0;
}

static bool is_in_group(const ls_option *option, const char *group, size_t length) {
    return length > 0 && group_length(option) == length && strncmp(option->name, group, length) == 0;
}

static bool has_group(const ls_named_type *type, const char *group) {
    for (const ls_option *option = options_of(type); option->name != NULL; option++)
        if (is_in_group(option, group, strlen(group))) return true;
    return false;
}

static ls_status set_grouped_option(const ls_config *config, const ls_named_type *type, const ls_entry *entry,
                                    const ls_yaml_node *node, const char *group) {
    const char *names[NAMES_MAX];
    int count = 0;
    for (const ls_option *option = options_of(type); option->name != NULL; option++) {
        if (!is_in_group(option, group, strlen(group))) continue;
        const char *key = option->name + strlen(group) + 1;
        if (strcmp(key, node->key) == 0) return ls_config_set(config, option, entry->options, node);
        names[count++] = key;
    }
    return refuse_key(config, node, group, names, count);
}

static ls_status set_group(const ls_config *config, const ls_named_type *type, const ls_entry *entry,
                           const ls_yaml_node *map) {
    for (const ls_yaml_node *child = map->first; child != NULL; child = child->next)
        LS_TRY(set_grouped_option(config, type, entry, child, map->key));
    return LS_OK;
}

static ls_status set_options(const ls_config *config, const ls_type_table *table, const ls_named_type *type,
                             const ls_entry *entry) {
    for (const ls_yaml_node *child = entry->value->first; child != NULL; child = child->next) {
        const ls_option *option = ls_options_find(options_of(type), child->key);
        if (is_also(table, child->key) && (option == NULL || child->kind == LS_YAML_MAP)) continue;
        if (child->kind == LS_YAML_MAP && has_group(type, child->key)) {
            LS_TRY(set_group(config, type, entry, child));
            continue;
        }
        if (option == NULL) return refuse_entry_key(config, table, type, child);
        LS_TRY(ls_config_set(config, option, entry->options, child));
    }
    return LS_OK;
}

static ls_status check_required(const ls_config *config, const ls_named_type *type, const ls_entry *entry) {
    const ls_option *first = options_of(type);
    bool main_value = entry->value != NULL && entry->value->kind != LS_YAML_MAP;
    for (const ls_option *option = first; option->name != NULL; option++) {
        if (!option->required || ls_yaml_child(entry->value, option->name) != NULL) continue;
        if (!main_value || option != first) return refuse_missing(config, &entry->place, type->name, option);
    }
    return LS_OK;
}

static ls_status read_options(const ls_config *config, const ls_type_table *table, const ls_named_type *type,
                              const ls_entry *entry) {
    ls_options_init(options_of(type), entry->options);
    if (entry->value != NULL)
        LS_TRY(entry->value->kind == LS_YAML_MAP ? set_options(config, table, type, entry)
                                                 : set_main_value(config, type, entry));
    return check_required(config, type, entry);
}

ls_status ls_entry_read(const ls_config *config, const ls_type_table *table, const ls_yaml_node *node, ls_entry *out) {
    const char *name = NULL;
    LS_TRY(split_entry(config, table, node, &name, out));
    LS_TRY(choose_type(config, table, name, out));
    ls_named_type type = table->at(out->index);
    LS_TRY(ls_alloc(&out->options, (int64_t)type.options_bytes, 1, "the settings"));
    ls_status status = read_options(config, table, &type, out);
    if (status != LS_OK) ls_free(out->options);
    return status;
}

static void print_grouped_key(ls_entry_printer *printer, const char *name, size_t group) {
    fprintf(printer->out, "%s%.*s", printer->open ? ", " : ": {", (int)group, name);
    fprintf(printer->out, "%s%s: ", group > 0 ? ": {" : "", group > 0 ? name + group + 1 : name);
    printer->open = true;
}

ls_entry_printer ls_entry_print(const char *name, const ls_option *options, const void *record, FILE *out) {
    ls_entry_printer printer = {.out = out};
    fputs(name, out);
    size_t open = 0; /* the length of the open group's name */
    for (const ls_option *option = options != NULL ? options : no_options; option->name != NULL; option++) {
        size_t group = group_length(option);
        if (open > 0)
            fprintf(out, ", %s: ", option->name + group + 1);
        else
            print_grouped_key(&printer, option->name, group);
        ls_option_print(option, record, out);
        open = is_in_group(option + 1, option->name, group) ? group : 0;
        if (group > 0 && open == 0) fputc('}', out);
    }
    return printer;
}

void ls_entry_print_key(ls_entry_printer *printer, const char *key) { print_grouped_key(printer, key, 0); }

void ls_entry_print_end(ls_entry_printer *printer) {
    if (printer->open) fputc('}', printer->out);
}

void ls_text_print(const char *text, FILE *out) { ls_option_print(&(ls_option){.type = LS_OPTION_STRING}, text, out); }

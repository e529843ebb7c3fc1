/* config_grammar.h - the grammar of a config as tables of keys and of types. config_data.c, config_model.c and
 * config_training.c hold the tables; one reader, one printer, one help and one comparison go over them. Local. */
#ifndef LS_CONFIG_CONFIG_GRAMMAR_H
#define LS_CONFIG_CONFIG_GRAMMAR_H

#include <stdio.h>

#include "config/config.h"
#include "config/yaml_node_internal.h"

/* Raises a failure with the place in the config. */
#define LS_INVALID_AT(config, place, ...) (LS_RAISE(LS_INVALID, __VA_ARGS__), ls_config_prefix((config), (place)))

/* A key of a section. A plain key is an option with a field in ls_config. A section has keys of its own. Any other key
 * has functions that read and print its value; they find its field by the option's offset. */
typedef struct ls_config_key ls_config_key;
struct ls_config_key {
    ls_option option;             /* the offset is in ls_config */
    const ls_config_key *section; /* of a section: its keys, ended by LS_CONFIG_KEYS_END */
    size_t enabled;               /* of a section that may be "none": the offset of a bool in ls_config; else 0 */
    ls_status (*read)(ls_config *config, const ls_config_key *key, const ls_yaml_node *value);
    /* Prints what follows "key:", without the last newline. */
    void (*print)(const ls_config *config, const ls_config_key *key, int indent, FILE *out);
    bool may_change; /* when a run is resumed: a section freely, another key within its kind (list, map, scalar) */
};
#define LS_CONFIG_KEYS_END                                                                                             \
    {                                                                                                                  \
        .option = {.name = NULL }                                                                                      \
    }

/* Reads the text of a config's file. Errors: LS_INVALID: it cannot be read, is too long, or is not text. */
enum { LS_CONFIG_BYTES_MAX = 1 << 20 };
ls_status ls_config_read_file(const char *path, char text[LS_CONFIG_BYTES_MAX]);

/* ls_config_parse; the first `kept` settings are those that --set gave the run when it began, and messages say so. */
ls_status ls_config_parse_kept(const char *name, const char *text, const char *const *settings, int kept, int count,
                               ls_config **out);

/* Prints a comment line for each key that --set gave. The resolved config begins with them; ls_config_load_resumed
 * reads them. */
void ls_config_print_set_keys(const char *const *settings, int count, FILE *out);

/* The sections, and the checks that need all keys. */
extern const ls_config_key ls_config_keys[]; /* the whole file */
extern const ls_config_key ls_config_data_keys[], ls_config_training_keys[];
ls_status ls_config_complete_data(ls_config *config, const ls_yaml_node *data);
ls_status ls_config_check_training(const ls_config *config, const ls_yaml_node *training);
/* The keys of the top level that have functions. */
ls_status ls_config_read_model(ls_config *config, const ls_config_key *key, const ls_yaml_node *value);
ls_status ls_config_read_initial_weights(ls_config *config, const ls_config_key *key, const ls_yaml_node *value);
ls_status ls_config_read_loss(ls_config *config, const ls_config_key *key, const ls_yaml_node *value);
ls_status ls_config_read_metrics(ls_config *config, const ls_config_key *key, const ls_yaml_node *value);
ls_status ls_config_read_optimizer(ls_config *config, const ls_config_key *key, const ls_yaml_node *value);
void ls_config_print_model(const ls_config *config, const ls_config_key *key, int indent, FILE *out);
void ls_config_print_initial_weights(const ls_config *config, const ls_config_key *key, int indent, FILE *out);
void ls_config_print_loss(const ls_config *config, const ls_config_key *key, int indent, FILE *out);
void ls_config_print_metrics(const ls_config *config, const ls_config_key *key, int indent, FILE *out);
void ls_config_print_optimizer(const ls_config *config, const ls_config_key *key, int indent, FILE *out);

/* Sets an option's field from a scalar or a list of them. Errors: LS_INVALID, with the place. */
ls_status ls_config_set(const ls_config *config, const ls_option *option, void *record, const ls_yaml_node *node);

/* Sets the plain keys to their defaults, also those of inner sections. */
void ls_section_init(const ls_config_key *keys, ls_config *config);
/* where: the name of the section in messages; "": the whole file. */
ls_status ls_section_read(ls_config *config, const ls_config_key *keys, const char *where, const ls_yaml_node *node);
void ls_section_print(const ls_config *config, const ls_config_key *keys, int indent, FILE *out);

/* --- entries: layers, transforms, losses, metrics, optimizers and schedules. An entry is written as "name", as
 * "name: value" for the first option of its type, or as "name: {option: value}". --- */

typedef struct ls_named_type {
    const char *name, *help;
    const ls_option *options; /* NULL: none */
    size_t options_bytes;
} ls_named_type;

/* A table of types, seen as names and options. */
typedef struct ls_type_table {
    const char *kind, *plural;      /* "layer", "layers" */
    ls_named_type (*at)(int index); /* past the end its name is NULL */
    /* Keys that the caller reads beside the type's options, ended by NULL; or NULL. A key that is an option too is the
     * caller's if its value is a map. */
    const char *const *also;
} ls_type_table;
extern const ls_type_table ls_layer_table, ls_transform_table, ls_schedule_table, ls_loss_table, ls_metric_table,
    ls_optimizer_table;

typedef struct ls_entry {
    int index; /* in the table */
    ls_place place;
    const ls_yaml_node *value; /* NULL: only the name was written */
    void *options;             /* owned by the caller: ls_free */
} ls_entry;

ls_status ls_entry_read(const ls_config *config, const ls_type_table *table, const ls_yaml_node *node, ls_entry *out);

/* Prints "name" or "name: {option: value, ...}". More pairs may follow until ls_entry_print_end. */
typedef struct ls_entry_printer {
    FILE *out;
    bool open; /* a brace was printed */
} ls_entry_printer;
ls_entry_printer ls_entry_print(const char *name, const ls_option *options, const void *record, FILE *out);
void ls_entry_print_key(ls_entry_printer *printer, const char *key);
void ls_entry_print_end(ls_entry_printer *printer);

void ls_text_print(const char *text, FILE *out); /* with quotes where YAML needs them */

#endif

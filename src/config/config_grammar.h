/* config_grammar.h - how settings are written, as tables: what config_data.c, config_model.c and config_training.c are
 * made of, and the one reader, printer and comparison that go over them. Private to run. Local. */
#ifndef LS_CONFIG_CONFIG_GRAMMAR_H
#define LS_CONFIG_CONFIG_GRAMMAR_H

#include <stdio.h>

#include "config/config.h"
#include "config/yaml_node_internal.h"

/* Originates a failure at a place of the config. */
#define LS_INVALID_AT(config, place, ...) (LS_RAISE(LS_INVALID, __VA_ARGS__), ls_config_prefix((config), (place)))

/* A key of a section. A plain key is an option whose field is in ls_config; others say what to do with their value. */
typedef struct ls_config_key ls_config_key;
struct ls_config_key {
    ls_option option;             /* name, help, required; of a plain key all the rest, with its offset in ls_config */
    const ls_config_key *section; /* the keys of the map that is its value */
    size_t enabled;               /* of a section that may also be "none": where ls_config's bool is; else 0 */
    ls_status (*read)(ls_config *config, const ls_yaml_node *value);
    void (*print)(const ls_config *config, int indent, FILE *out); /* what follows "key:", without the last newline */
    bool may_change; /* on resume: a section at will, others as long as they stay of the same kind */
};
#define LS_CONFIG_KEYS_END                                                                                             \
    {                                                                                                                  \
        .option = {.name = NULL }                                                                                      \
    }

/* Local. The text of a config's file. Errors: LS_INVALID: it cannot be read, is too long, or is no text. */
enum { LS_CONFIG_BYTES_MAX = 1 << 20 };
ls_status ls_config_read_file(const char *path, char text[LS_CONFIG_BYTES_MAX]);

/* ls_config_parse, where the first `kept` settings are what --set gave a run when it began: messages say so. */
ls_status ls_config_parse_kept(const char *name, const char *text, const char *const *settings, int kept, int count,
                               ls_config **out);

/* The keys that --set has given, a comment line each, before the resolved config: what ls_config_load_resumed looks
 * for. */
#define LS_CONFIG_SET_LINE "# from --set: "
void ls_config_print_set_keys(const char *const *settings, int count, FILE *out);

/* The sections, and what is left to do when all keys have been read. */
extern const ls_config_key ls_config_keys[]; /* the whole file */
extern const ls_config_key ls_config_data_keys[], ls_config_training_keys[];
ls_status ls_config_complete_data(ls_config *config, const ls_yaml_node *data);
ls_status ls_config_check_training(const ls_config *config, const ls_yaml_node *training);
/* Values of top-level keys. */
ls_status ls_config_read_model(ls_config *config, const ls_yaml_node *value);
ls_status ls_config_read_initial_weights(ls_config *config, const ls_yaml_node *value);
ls_status ls_config_read_loss(ls_config *config, const ls_yaml_node *value);
ls_status ls_config_read_metrics(ls_config *config, const ls_yaml_node *value);
ls_status ls_config_read_optimizer(ls_config *config, const ls_yaml_node *value);
void ls_config_print_model(const ls_config *config, int indent, FILE *out);
void ls_config_print_initial_weights(const ls_config *config, int indent, FILE *out);
void ls_config_print_loss(const ls_config *config, int indent, FILE *out);
void ls_config_print_metrics(const ls_config *config, int indent, FILE *out);
void ls_config_print_optimizer(const ls_config *config, int indent, FILE *out);

/* Sets an option's field from a scalar or a list of them. Errors: LS_INVALID, with the place. */
ls_status ls_config_set(const ls_config *config, const ls_option *option, void *record, const ls_yaml_node *node);

/* Sets the plain keys to their defaults, those of sections below too. */
void ls_section_init(const ls_config_key *keys, ls_config *config);
/* where names the section in messages; "" is the whole file. */
ls_status ls_section_read(ls_config *config, const ls_config_key *keys, const char *where, const ls_yaml_node *node);
void ls_section_print(const ls_config *config, const ls_config_key *keys, int indent, FILE *out);

/* --- entries: "name", "name: main value" or "name: {option: value}"; so layers, transforms, losses and optimizers are
 * written --- */

typedef struct ls_named_type {
    const char *name, *help;
    const ls_option *options; /* NULL: none */
    size_t options_bytes;
} ls_named_type;

/* One of the tables of types, seen as names and options. */
typedef struct ls_type_table {
    const char *kind, *plural;      /* "layer" */
    ls_named_type (*at)(int index); /* name NULL: past the end */
    const char *const *also;        /* keys that the caller reads beside the type's options, ended by NULL; or NULL.
                                       One that is an option too is the caller's where its value is a map */
} ls_type_table;
extern const ls_type_table ls_layer_table, ls_transform_table, ls_schedule_table, ls_loss_table, ls_metric_table,
    ls_optimizer_table;

typedef struct ls_entry {
    int index; /* in the table */
    ls_place place;
    const ls_yaml_node *value; /* NULL: the name stands alone */
    void *options;             /* the caller's: ls_free */
} ls_entry;

ls_status ls_entry_read(const ls_config *config, const ls_type_table *table, const ls_yaml_node *node, ls_entry *out);

/* Prints "name" or "name: {option: value, ...}", open for more pairs until the end. */
typedef struct ls_entry_printer {
    FILE *out;
    bool open; /* the brace */
} ls_entry_printer;
ls_entry_printer ls_entry_print(const char *name, const ls_option *options, const void *record, FILE *out);
void ls_entry_print_key(ls_entry_printer *printer, const char *key);
void ls_entry_print_end(ls_entry_printer *printer);

void ls_text_print(const char *text, FILE *out); /* quoted where YAML needs it */

#endif

/* yaml_node_internal.h - YAML text as a tree of nodes that know their line and column.
 *
 * Only the part of YAML that settings need is read: maps, lists and scalars. Anchors, aliases, tags, several documents
 * and a repeated key are refused, so that the text means what it says. More entries than any config has are refused
 * too, so that time and memory stay small for any text. Local. */
#ifndef LS_CONFIG_YAML_NODE_INTERNAL_H
#define LS_CONFIG_YAML_NODE_INTERNAL_H

#include "config/config.h"

typedef enum ls_yaml_kind { LS_YAML_SCALAR, LS_YAML_LIST, LS_YAML_MAP } ls_yaml_kind;

typedef struct ls_yaml_node ls_yaml_node;
struct ls_yaml_node {
    ls_yaml_kind kind;
    ls_place place;
    char *key; /* of an entry of a map; else NULL */
    ls_place key_place;
    char *text;  /* of a scalar; else NULL */
    bool quoted; /* a scalar in quotes is a text, never null */
    int count;   /* entries of a list or map */
    ls_yaml_node *first, *last, *next;
};

/* name: the file, in messages. *out is owned by the caller: ls_yaml_destroy. Errors: LS_INVALID "name:line:column:
 * ...".
 */
ls_status ls_yaml_parse(const char *name, const char *text, ls_yaml_node **out);
void ls_yaml_destroy(ls_yaml_node *node); /* NULL is allowed */

/* Applies "path.to.key=value", with the value in YAML: "training.lanes=16", "model.0.dense.units=64". A number in the
 * path is the index of a list's entry; the number of entries appends one. A missing path is made, but it replaces no
 * value on the way. kept: the setting was given when the run began, not now. Errors: LS_INVALID "--set ...: ...". */
ls_status ls_yaml_set(ls_yaml_node *root, const char *setting, bool kept);

/* The entry of a map; NULL: there is none, or the node is not a map or NULL. */
ls_yaml_node *ls_yaml_child(const ls_yaml_node *node, const char *key);
/* An empty value, ~ or null. */
bool ls_yaml_is_null(const ls_yaml_node *node);
bool ls_yaml_is_text(const ls_yaml_node *node, const char *text);

/* Puts "file:line:column: " or "--set ...: " before the thread's failure, and returns its status. */
ls_status ls_place_prefix(const char *file, const ls_place *place);

#endif

/* yaml_node_internal.h - YAML text as a tree of nodes that know where they stand. Private to run.
 *
 * The part of YAML that settings need: maps, lists and scalars. Anchors, aliases, tags, several documents and a key
 * given twice are refused, so that what a file says is what stands there. So are more entries than any run has: time
 * and memory stay small whatever the text is. Local. */
#ifndef LS_CONFIG_YAML_NODE_INTERNAL_H
#define LS_CONFIG_YAML_NODE_INTERNAL_H

#include "config/config.h"

typedef enum ls_yaml_kind { LS_YAML_SCALAR, LS_YAML_LIST, LS_YAML_MAP } ls_yaml_kind;

typedef struct ls_yaml_node ls_yaml_node;
struct ls_yaml_node {
    ls_yaml_kind kind;
    ls_place place;
    char *key; /* the name of this entry of a map; else NULL */
    ls_place key_place;
    char *text;  /* of a scalar; else NULL */
    bool quoted; /* a quoted scalar is a text, never null */
    int count;   /* entries of a list or map */
    ls_yaml_node *first, *last, *next;
};

/* name stands for the file in messages. Errors: LS_INVALID "name:line:column: ...". The tree is the caller's:
 * ls_yaml_destroy. */
ls_status ls_yaml_parse(const char *name, const char *text, ls_yaml_node **out);
void ls_yaml_destroy(ls_yaml_node *node); /* NULL is allowed */

/* Applies "path.to.key=value", the value in YAML: "training.lanes=16", "model.0.dense.units=64". Numbers in the path
 * count list entries from 0, and the number after the last one appends. A path that is not there is made, but
 * a value on the way is not replaced by it. kept: it was given when the run began, and not now. Errors:
 * LS_INVALID "--set ...: ...". */
ls_status ls_yaml_set(ls_yaml_node *root, const char *setting, bool kept);

/* The entry of a map, or NULL (also where the node is no map, or NULL). */
ls_yaml_node *ls_yaml_child(const ls_yaml_node *node, const char *key);
/* An empty value, ~ or null. */
bool ls_yaml_is_null(const ls_yaml_node *node);
bool ls_yaml_is_text(const ls_yaml_node *node, const char *text);

/* Puts "file:line:column: ", or "--set ...: ", before the thread's failure. Returns its status. */
ls_status ls_place_prefix(const char *file, const ls_place *place);

#endif

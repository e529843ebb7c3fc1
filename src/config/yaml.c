/* yaml.c - YAML text as a tree of nodes, and --set on such a tree. Only this file knows libyaml. */
#include "config/yaml_node_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/memory.h"

/* Limits of the depth, of the entries of a list or a map, and of all nodes: a config has some hundred nodes. Each key
 * of a map is compared with all others, so a map may not be long. */
enum { DEPTH_MAX = 32, ENTRIES_MAX = 4096, NODES_MAX = 65536 };

/* ---- nodes ---- */

/* A quoted text may contain "\0", where C ends it: refused, so that we read what a person reads. */
static ls_status copy_text(const char *text, size_t length, char **out) {
    if (memchr(text, '\0', length) != NULL) return LS_RAISE(LS_INVALID, "a text cannot have a zero byte in it");
    LS_TRY(ls_alloc(out, (int64_t)length + 1, 1, "the settings"));
    memcpy(*out, text, length);
    return LS_OK;
}

static ls_status new_node(ls_yaml_kind kind, const ls_place *place, ls_yaml_node **out) {
    LS_TRY(ls_alloc(out, 1, sizeof **out, "the settings"));
    (*out)->kind = kind;
    (*out)->place = *place;
    return LS_OK;
}

static void append(ls_yaml_node *parent, ls_yaml_node *child) {
    *(parent->last != NULL ? &parent->last->next : &parent->first) = child;
    parent->last = child;
    parent->count++;
}

static ls_status check_room(const ls_yaml_node *parent) {
    if (parent->count < ENTRIES_MAX) return LS_OK;
    return LS_RAISE(LS_INVALID, "a %s has at most %d entries, and this one has more",
                    parent->kind == LS_YAML_LIST ? "list" : "map", ENTRIES_MAX);
}

/* Empties a node; its key and its place in the parent stay. */
static void clear_content(ls_yaml_node *node) {
    for (ls_yaml_node *child = node->first, *next; child != NULL; child = next) {
        next = child->next;
        ls_yaml_destroy(child);
    }
    ls_free(node->text);
    node->first = node->last = NULL;
    node->text = NULL;
    node->quoted = false;
    node->count = 0;
}

void ls_yaml_destroy(ls_yaml_node *node) {
    if (node == NULL) return;
    clear_content(node);
    ls_free(node->key);
    ls_free(node);
}

ls_yaml_node *ls_yaml_child(const ls_yaml_node *node, const char *key) {
    if (node == NULL || node->kind != LS_YAML_MAP) return NULL;
    for (ls_yaml_node *child = node->first; child != NULL; child = child->next)
        if (strcmp(child->key, key) == 0) return child;
    return NULL;
}

bool ls_yaml_is_text(const ls_yaml_node *node, const char *text) {
    return node->kind == LS_YAML_SCALAR && strcmp(node->text, text) == 0;
}

bool ls_yaml_is_null(const ls_yaml_node *node) {
    if (node->quoted) return false;
    return ls_yaml_is_text(node, "") || ls_yaml_is_text(node, "~") || ls_yaml_is_text(node, "null");
}

ls_status ls_place_prefix(const char *file, const ls_place *place) {
    if (place->kept) return ls_failure_prefix("%s, which --set gave this run before: ", place->setting);
    if (place->setting[0] != '\0') return ls_failure_prefix("--set %s: ", place->setting);
    return ls_failure_prefix("%s:%d:%d: ", file, place->line, place->column);
}

/* ---- text to nodes ---- */

typedef struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    ls_place place;     /* of the event, or of the error */
    int nodes;          /* read so far */
} reader;

static ls_place place_of(const yaml_mark_t *mark) {
    return (ls_place){.line = (int)mark->line + 1, .column = (int)mark->column + 1};
}

static ls_status next_event(reader *r) {
    yaml_event_delete(&r->event);
    if (yaml_parser_parse(&r->parser, &r->event)) {
        r->place = place_of(&r->event.start_mark);
        return LS_OK;
    }
    if (r->parser.error == YAML_MEMORY_ERROR) return LS_RAISE(LS_ERROR, "cannot allocate memory to read YAML");
    bool marked = r->parser.error != YAML_READER_ERROR; /* that error has no line: the last event's is near */
    if (marked) r->place = place_of(&r->parser.problem_mark);
    if (strstr(r->parser.problem, "alphabetic or numeric") != NULL) /* libyaml's words about an alias */
        return LS_RAISE(LS_INVALID, "a text that begins with * or & needs quotes around it");
    return LS_RAISE(LS_INVALID, "this is not YAML: %s", r->parser.problem);
}

/* Refuses anchors, aliases and tags. */
static ls_status refuse_extras(const reader *r) {
    const yaml_event_t *event = &r->event;
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_ALIAS_EVENT) anchor = event->data.alias.anchor;
    if (event->type == YAML_SCALAR_EVENT) anchor = event->data.scalar.anchor, tag = event->data.scalar.tag;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        anchor = event->data.sequence_start.anchor, tag = event->data.sequence_start.tag;
    if (event->type == YAML_MAPPING_START_EVENT)
        anchor = event->data.mapping_start.anchor, tag = event->data.mapping_start.tag;
    if (anchor != NULL)
        return LS_RAISE(LS_INVALID,
                        "anchors and aliases are not supported; write '%s' out (a text that begins with * or "
                        "& needs quotes)",
                        anchor);
    if (tag != NULL) return LS_RAISE(LS_INVALID, "tags are not supported; leave '%s' out", tag);
    return LS_OK;
}

static ls_status read_node(reader *r, int depth, ls_yaml_node **out);

static ls_status read_scalar(reader *r, ls_yaml_node *node) {
    node->quoted = r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return copy_text((const char *)r->event.data.scalar.value, r->event.data.scalar.length, &node->text);
}

static ls_status read_list(reader *r, int depth, ls_yaml_node *list) {
    LS_TRY(next_event(r));
    while (r->event.type != YAML_SEQUENCE_END_EVENT) {
        ls_yaml_node *child;
        LS_TRY(check_room(list));
        LS_TRY(read_node(r, depth + 1, &child));
        append(list, child);
        LS_TRY(next_event(r));
    }
    return LS_OK;
}

/* Copies the current event as a new key of the map. */
static ls_status read_key(const reader *r, const ls_yaml_node *map, char **key) {
    LS_TRY(refuse_extras(r));
    if (r->event.type != YAML_SCALAR_EVENT) return LS_RAISE(LS_INVALID, "a key must be a plain word");
    const char *word = (const char *)r->event.data.scalar.value;
    const ls_yaml_node *twin = ls_yaml_child(map, word);
    if (twin == NULL) return copy_text(word, r->event.data.scalar.length, key);
    return LS_RAISE(LS_INVALID, "'%s' is given twice; the first is in line %d", word, twin->key_place.line);
}

static ls_status read_entry(reader *r, int depth, ls_yaml_node *map) {
    char *key = NULL;
    LS_TRY(read_key(r, map, &key));
    ls_place place = r->place;
    ls_yaml_node *child;
    ls_status status;
    if (LS_FAILED(status = next_event(r)) || LS_FAILED(status = read_node(r, depth + 1, &child))) {
        ls_free(key);
        return status;
    }
    child->key = key;
    child->key_place = place;
    append(map, child);
    return LS_OK;
}

static ls_status read_map(reader *r, int depth, ls_yaml_node *map) {
    LS_TRY(next_event(r));
    while (r->event.type != YAML_MAPPING_END_EVENT) {
        LS_TRY(check_room(map));
        LS_TRY(read_entry(r, depth, map));
        LS_TRY(next_event(r));
    }
    return LS_OK;
}

/* Reads the node that begins with the current event; afterwards its last event is the current one. */
static ls_status read_node(reader *r, int depth, ls_yaml_node **out) {
    LS_TRY(refuse_extras(r));
    if (depth > DEPTH_MAX) return LS_RAISE(LS_INVALID, "nested too deeply");
    if (r->nodes++ == NODES_MAX)
        return LS_RAISE(LS_INVALID, "a config has at most %d values, and this one has more", NODES_MAX);
    yaml_event_type_t type = r->event.type;
    ls_yaml_kind kind = type == YAML_SEQUENCE_START_EVENT  ? LS_YAML_LIST
                        : type == YAML_MAPPING_START_EVENT ? LS_YAML_MAP
                                                           : LS_YAML_SCALAR;
    ls_yaml_node *node;
    LS_TRY(new_node(kind, &r->place, &node));
    ls_status status = kind == LS_YAML_LIST  ? read_list(r, depth, node)
                       : kind == LS_YAML_MAP ? read_map(r, depth, node)
                                             : read_scalar(r, node);
    if (status == LS_OK)
        *out = node;
    else
        ls_yaml_destroy(node);
    return status;
}

/* The events are: stream start, document start, those of a node, document end, stream end. */
static ls_status read_document(reader *r, ls_yaml_node **out) {
    LS_TRY(next_event(r));
    LS_TRY(next_event(r));
    if (r->event.type == YAML_STREAM_END_EVENT) return LS_RAISE(LS_INVALID, "there is nothing here");
    LS_TRY(next_event(r));
    LS_TRY(read_node(r, 0, out));
    LS_TRY(next_event(r));
    LS_TRY(next_event(r));
    if (r->event.type == YAML_STREAM_END_EVENT) return LS_OK;
    return LS_RAISE(LS_INVALID, "a second YAML document begins here; a config is one document");
}

static ls_status parse(const char *text, ls_yaml_node **out, ls_place *place) {
    reader r = {.place = {.line = 1, .column = 1}};
    *out = NULL;
    if (!yaml_parser_initialize(&r.parser)) return LS_RAISE(LS_ERROR, "cannot allocate memory to read YAML");
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, strlen(text));
    ls_status status = read_document(&r, out);
    if (status != LS_OK) {
        ls_yaml_destroy(*out);
        *out = NULL;
    }
    *place = r.place;
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return status;
}

static bool is_indented_by_tab(const char *text, int line) {
    while (--line > 0 && text != NULL) text = (text = strchr(text, '\n')) != NULL ? text + 1 : NULL;
    return text != NULL && text[strspn(text, " ")] == '\t';
}

ls_status ls_yaml_parse(const char *name, const char *text, ls_yaml_node **out) {
    ls_place place;
    ls_status status = parse(text, out, &place);
    if (status == LS_INVALID && is_indented_by_tab(text, place.line))
        status = LS_RAISE(LS_INVALID, "the line is indented by a tab, which YAML does not allow; put spaces there");
    return status == LS_OK ? LS_OK : ls_place_prefix(name, &place);
}

/* ---- --set ---- */

static void mark_setting(ls_yaml_node *node, const ls_place *place) {
    node->place = *place;
    if (node->key != NULL) node->key_place = *place;
    for (ls_yaml_node *child = node->first; child != NULL; child = child->next) mark_setting(child, place);
}

static ls_status list_entry(ls_yaml_node *list, const char *word, const ls_place *place, ls_yaml_node **out) {
    char *end;
    long index = strtol(word, &end, 10);
    if (end == word || *end != '\0' || index < 0 || index > list->count)
        return LS_RAISE(LS_INVALID, "'%s' must be the number of an entry of the list, from 0 to %d (%d appends one)",
                        word, list->count, list->count);
    if (index == list->count) {
        LS_TRY(check_room(list));
        LS_TRY(new_node(LS_YAML_MAP, place, out));
        append(list, *out);
        return LS_OK;
    }
    *out = list->first;
    while (index-- > 0) *out = (*out)->next;
    return LS_OK;
}

/* Whether a scalar at that path is the name of a type: the optimizer, or an entry of a list (layer, transform). */
static bool names_type(const ls_yaml_node *node, const char *path) {
    const char *last = strrchr(path, '.');
    bool place = strcmp(path, "optimizer") == 0 || (last != NULL && isdigit((unsigned char)last[1]));
    return place && node->kind == LS_YAML_SCALAR && isalpha((unsigned char)node->text[0]);
}

/* "adam" becomes "{adam: null}", which means the same. Whether a second key may follow is for the grammar to say. */
static ls_status open_type(ls_yaml_node *node) {
    ls_yaml_node *child;
    LS_TRY(new_node(LS_YAML_SCALAR, &node->place, &child));
    child->key_place = node->place;
    child->key = node->text;
    node->text = NULL;
    node->kind = LS_YAML_MAP;
    append(node, child);
    return copy_text("", 0, &child->text);
}

/* Makes a scalar on the path a map, if that loses nothing: "optimizer: adam" is short for "optimizer: {adam: {}}", and
 * null and none are empty. */
static ls_status open_map(ls_yaml_node *node, const char *path, const char *word) {
    if (node->kind == LS_YAML_MAP) return LS_OK;
    bool none = ls_yaml_is_null(node) || ls_yaml_is_text(node, "none");
    if (!none && !ls_yaml_is_text(node, word) && names_type(node, path)) return open_type(node);
    bool number = node->text != NULL && strspn(node->text, "+-.0123456789") > 0;
    if (!none && number) return LS_RAISE(LS_INVALID, "%s is '%s' and has no '%s'", path, node->text, word);
    if (!none && !ls_yaml_is_text(node, word))
        return LS_RAISE(LS_INVALID, "%s is '%s' and has no '%s'; to replace it, write --set '%s={%s: ...}'", path,
                        node->text, word, path, word);
    clear_content(node);
    node->kind = LS_YAML_MAP;
    return LS_OK;
}

static ls_status map_entry(ls_yaml_node *map, const char *path, const char *word, const ls_place *place,
                           ls_yaml_node **out) {
    if ((*out = ls_yaml_child(map, word)) != NULL) return LS_OK;
    LS_TRY(open_map(map, path, word));
    LS_TRY(check_room(map));
    ls_yaml_node *child;
    LS_TRY(new_node(LS_YAML_MAP, place, &child));
    append(map, child);
    child->key_place = *place;
    *out = child;
    return copy_text(word, strlen(word), &child->key);
}

/* Finds the node at a path, or makes it. The path is cut at its dots, and put together again as far as it is walked,
 * for messages. */
static ls_status walk(ls_yaml_node *root, char *path, const ls_place *place, ls_yaml_node **out) {
    *out = root;
    char *rest = path;
    for (char *word; (word = strsep(&rest, ".")) != NULL;) {
        if (*word == '\0') return LS_RAISE(LS_INVALID, "a name is missing before or after a dot");
        ls_yaml_node *at = *out;
        LS_TRY(at->kind == LS_YAML_LIST ? list_entry(at, word, place, out) : map_entry(at, path, word, place, out));
        if (word > path) word[-1] = '.';
    }
    return LS_OK;
}

/* Moves value's content into target, and frees value. */
static void replace_content(ls_yaml_node *target, ls_yaml_node *value) {
    clear_content(target);
    target->kind = value->kind;
    target->place = value->place;
    target->text = value->text;
    target->quoted = value->quoted;
    target->count = value->count;
    target->first = value->first;
    target->last = value->last;
    ls_free(value);
}

static ls_status set(ls_yaml_node *root, const char *setting, const ls_place *place) {
    const char *equals = strchr(setting, '=');
    if (equals == NULL || equals == setting) return LS_RAISE(LS_INVALID, "expected path.to.key=value");
    ls_yaml_node *value = NULL, *target;
    char *path = NULL;
    ls_place ignored; /* line and column within one word of the command line help nobody */
    if (equals[1] == '\0')
        return LS_RAISE(LS_INVALID, "a value is missing; null stands for none, \"\" for an empty text");
    if (strchr("*&!%@`", equals[1]) != NULL)
        return LS_RAISE(LS_INVALID, "a text that begins with '%c' needs quotes: write --set '%.*s=\"%s\"'", equals[1],
                        (int)(equals - setting), setting, equals + 1);
    LS_TRY(parse(equals + 1, &value, &ignored));
    mark_setting(value, place);
    ls_status status;
    if (LS_FAILED(status = copy_text(setting, (size_t)(equals - setting), &path))) goto done;
    if (LS_FAILED(status = walk(root, path, place, &target))) goto done;
    replace_content(target, value);
    value = NULL;
done:
    ls_free(path);
    ls_yaml_destroy(value);
    return status;
}

ls_status ls_yaml_set(ls_yaml_node *root, const char *setting, bool kept) {
    ls_place place = {.kept = kept};
    snprintf(place.setting, sizeof place.setting, "%s", setting);
    ls_status status = set(root, setting, &place);
    return status == LS_OK ? LS_OK : ls_place_prefix("", &place);
}

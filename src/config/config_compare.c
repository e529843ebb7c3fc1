/* config_compare.c - the settings of a run that goes on beside those it was started with: which may change, and which
 * must not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/config_grammar.h"

enum { VALUE_TEXT_MAX = 512, KEY_PATH_MAX = 1024 };

/* ---- values in words ---- */

static void print_node(const ls_yaml_node *node, FILE *out) {
    static const char *const brackets[] = {[LS_YAML_SCALAR] = "", [LS_YAML_LIST] = "[]", [LS_YAML_MAP] = "{}"};
    if (node->kind == LS_YAML_SCALAR) {
        fputs(node->text, out);
        return;
    }
    fputc(brackets[node->kind][0], out);
    for (const ls_yaml_node *child = node->first; child != NULL; child = child->next) {
        if (child->key != NULL) fprintf(out, "%s: ", child->key);
        print_node(child, out);
        if (child->next != NULL) fputs(", ", out);
    }
    fputc(brackets[node->kind][1], out);
}

/* What does not fit ends in "...", between two characters of UTF-8. */
static void shorten(const char *whole, char *text, size_t capacity) {
    static const char more[] = "...";
    if ((size_t)snprintf(text, capacity, "%s", whole) < capacity) return;
    size_t end = capacity - sizeof more;
    while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80) end--;
    memcpy(text + end, more, sizeof more);
}

static void describe_node(const ls_yaml_node *node, char *text, size_t capacity) {
    char *whole = NULL;
    size_t bytes = 0;
    text[0] = '\0';
    FILE *out = open_memstream(&whole, &bytes);
    if (out == NULL) return;
    print_node(node, out);
    if (fclose(out) == 0) shorten(whole, text, capacity);
    free(whole);
}

/* ---- the comparison ---- */

typedef struct comparison {
    const ls_config *then, *now;
    bool tell; /* what may change, and does */
    char path[KEY_PATH_MAX];
} comparison;

/* Whether one key is the other, or stands above it. */
static bool is_above(const char *above, size_t length, const char *key, size_t key_length) {
    return length <= key_length && strncmp(above, key, length) == 0 && (length == key_length || key[length] == '.');
}

/* The next key that --set gave a config, from its text; NULL: there is no more. */
static const char *next_set_key(const char **text, size_t *length) {
    size_t prefix = sizeof LS_CONFIG_SET_LINE - 1;
    if (strncmp(*text, LS_CONFIG_SET_LINE, prefix) != 0) return NULL;
    const char *key = *text + prefix;
    *length = strcspn(key, "\n");
    *text = key + *length + (key[*length] == '\n');
    return key;
}

static bool has_set(const ls_config *config, const char *key, size_t length) {
    size_t other = 0;
    const char *text = config->text;
    for (const char *k; (k = next_set_key(&text, &other)) != NULL;)
        if (other == length && strncmp(k, key, length) == 0) return true;
    return false;
}

/* The key of a --set that is to blame for a difference; NULL: the file is. What the run has kept is as it was, so that
 * a key at the path or above has been given now; of one below that is only known where the run did not have it. */
static const char *blamed_key(const comparison *c, size_t *length) {
    size_t path = strlen(c->path);
    const char *text = c->now->text;
    for (const char *key; (key = next_set_key(&text, length)) != NULL;) {
        if (is_above(key, *length, c->path, path)) return key;
        if (is_above(c->path, path, key, *length) && !has_set(c->then, key, *length)) return key;
    }
    return NULL;
}

static ls_status refuse_change(const comparison *c, const ls_yaml_node *then, const ls_yaml_node *now) {
    char a[VALUE_TEXT_MAX], b[VALUE_TEXT_MAX];
    size_t length = 0;
    const char *key = blamed_key(c, &length);
    describe_node(then, a, sizeof a);
    describe_node(now, b, sizeof b);
    bool value = key != NULL && strlen(c->path) == length && now->kind == LS_YAML_SCALAR;
    if (then->kind == LS_YAML_LIST && now->kind == LS_YAML_LIST && then->count != now->count) {
        snprintf(a, sizeof a, "a list of %d", then->count);
        snprintf(b, sizeof b, "a list of %d", now->count);
    }
    (void)LS_RAISE(LS_INVALID,
                   "%s is %s here, but the run was started with %s, which cannot change when it is resumed; %s, or "
                   "train in another directory with --run",
                   c->path, b, a, key != NULL ? "leave it out" : "put it back");
    if (key == NULL) return ls_failure_prefix("%s: ", c->now->path);
    return ls_failure_prefix("--set %.*s%s%s: ", (int)length, key, value ? "=" : "", value ? b : "");
}

/* Whether both have entries that can be compared one by one. */
static bool same_frame(const ls_yaml_node *a, const ls_yaml_node *b) {
    if (a->kind != b->kind || a->kind == LS_YAML_SCALAR || a->count != b->count) return false;
    for (a = a->first, b = b->first; a != NULL; a = a->next, b = b->next)
        if (a->key != NULL && strcmp(a->key, b->key) != 0) return false;
    return true;
}

/* Appends ".name" or ".3" to a path of `length` letters. */
static void extend_path(char *path, size_t capacity, size_t length, const char *key, int index) {
    const char *dot = length > 0 ? "." : "";
    if (key != NULL)
        snprintf(path + length, capacity - length, "%s%s", dot, key);
    else
        snprintf(path + length, capacity - length, "%s%d", dot, index);
}

static ls_status compare_nodes(comparison *c, const ls_yaml_node *then, const ls_yaml_node *now) {
    if (!same_frame(then, now)) {
        bool equal = now->kind == LS_YAML_SCALAR && ls_yaml_is_text(then, now->text);
        return equal ? LS_OK : refuse_change(c, then, now);
    }
    size_t length = strlen(c->path);
    int index = 0;
    for (const ls_yaml_node *a = then->first, *b = now->first; a != NULL; a = a->next, b = b->next) {
        extend_path(c->path, KEY_PATH_MAX, length, a->key, index++);
        LS_TRY(compare_nodes(c, a, b));
    }
    c->path[length] = '\0';
    return LS_OK;
}

/* A change that is allowed is told. */
static void tell_change(const comparison *c, const ls_yaml_node *then, const ls_yaml_node *now) {
    char a[VALUE_TEXT_MAX], b[VALUE_TEXT_MAX];
    describe_node(then, a, sizeof a);
    describe_node(now, b, sizeof b);
    if (c->tell && strcmp(a, b) != 0) ls_log_info("%s is %s from now on; the run had %s", c->path, b, a);
}

/* The nodes are resolved configs, which have all keys. */
static ls_status compare_section(comparison *c, const ls_config_key *keys, const ls_yaml_node *then,
                                 const ls_yaml_node *now) {
    size_t length = strlen(c->path);
    for (const ls_config_key *key = keys; key->option.name != NULL; key++) {
        const ls_yaml_node *a = ls_yaml_child(then, key->option.name), *b = ls_yaml_child(now, key->option.name);
        extend_path(c->path, KEY_PATH_MAX, length, key->option.name, 0);
        bool maps = a->kind == LS_YAML_MAP && b->kind == LS_YAML_MAP;
        if (key->section != NULL && !key->may_change && maps)
            LS_TRY(compare_section(c, key->section, a, b));
        else if (key->may_change && (key->section != NULL || (a->kind == b->kind && !maps)))
            tell_change(c, a, b);
        else /* paths may change, a split not */
            LS_TRY(compare_nodes(c, a, b));
    }
    c->path[length] = '\0';
    return LS_OK;
}

ls_status ls_config_compare(const ls_config *then, const ls_config *now, bool tell) {
    comparison c = {.then = then, .now = now, .tell = tell};
    ls_yaml_node *a = NULL, *b = NULL;
    ls_status status = ls_yaml_parse(then->path, then->text, &a);
    if (status == LS_OK) status = ls_yaml_parse(now->path, now->text, &b);
    if (status == LS_OK) status = compare_section(&c, ls_config_keys, a, b);
    ls_yaml_destroy(a);
    ls_yaml_destroy(b);
    return status;
}

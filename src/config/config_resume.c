/* config_resume.c - the settings of a run that is resumed, beside those that it had so far.
 *
 * A key that --set gave when the run began holds until --set gives it again: the run's config.yaml begins with a line
 * for each such key. All other keys are as the file says now. Most keys may not change at all; ls_config_compare
 * refuses a change of these, and says what the other changes are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/config_grammar.h"

enum { VALUE_TEXT_MAX = 512, KEY_PATH_MAX = 1024 };

/* ---- the keys that --set gave ---- */

static const char key_line[] = "# from --set: ";

static size_t key_length(const char *setting) { return strcspn(setting, "="); }

/* Whether a key is the other one, or a key above it: "training" is above "training.epochs". */
static bool covers(const char *above, size_t length, const char *key, size_t whole) {
    return length <= whole && strncmp(above, key, length) == 0 && (length == whole || key[length] == '.');
}

static bool is_replaced(const char *key, size_t length, const char *const *settings, int count) {
    for (int i = 0; i < count; i++)
        if (covers(settings[i], key_length(settings[i]), key, length)) return true;
    return false;
}

void ls_config_print_set_keys(const char *const *settings, int count, FILE *out) {
    for (int i = 0; i < count; i++) {
        size_t length = key_length(settings[i]);
        if (!is_replaced(settings[i], length, settings + i + 1, count - i - 1))
            fprintf(out, "%s%.*s\n", key_line, (int)length, settings[i]);
    }
}

/* The next of the keys at the beginning of a config's text; NULL: there is no more. */
static const char *next_set_key(const char **text, size_t *length) {
    size_t prefix = sizeof key_line - 1;
    if (strncmp(*text, key_line, prefix) != 0) return NULL;
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

/* ---- values as text ---- */

/* As in the file where that is safe on one line. */
static void print_scalar(const ls_yaml_node *node, FILE *out) {
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-./";
    if (!node->quoted && node->text[0] != '\0' && node->text[strspn(node->text, safe)] == '\0')
        fputs(node->text, out);
    else
        ls_quoted_print(node->text, out);
}

/* On one line: as YAML with quotes where it needs them, or for people without. */
static void print_flow(const ls_yaml_node *node, bool quotes, FILE *out) {
    if (node->kind == LS_YAML_SCALAR) {
        if (quotes)
            print_scalar(node, out);
        else
            fputs(node->text, out);
        return;
    }
    fputc(node->kind == LS_YAML_LIST ? '[' : '{', out);
    for (const ls_yaml_node *child = node->first; child != NULL; child = child->next) {
        if (child->key != NULL) fprintf(out, "%s: ", child->key);
        print_flow(child, quotes, out);
        if (child->next != NULL) fputs(", ", out);
    }
    fputc(node->kind == LS_YAML_LIST ? ']' : '}', out);
}

/* "training.epochs=20" as --set takes it; the value for people where key is NULL. *text is owned by the caller: free.
 */
static ls_status print_setting(const char *key, size_t length, const ls_yaml_node *value, char **text) {
    size_t bytes = 0;
    FILE *out = open_memstream(text, &bytes);
    if (out == NULL) return LS_RAISE(LS_ERROR, "cannot allocate memory for the settings");
    if (key != NULL) fprintf(out, "%.*s=", (int)length, key);
    print_flow(value, key != NULL, out);
    return fclose(out) == 0 ? LS_OK : LS_RAISE(LS_ERROR, "cannot allocate memory for the settings");
}

/* A value for a message. A long one ends in "...", between two characters of UTF-8. */
static void describe(const ls_yaml_node *node, char text[VALUE_TEXT_MAX]) {
    static const char more[] = "...";
    char *whole = NULL;
    text[0] = '\0';
    if (print_setting(NULL, 0, node, &whole) == LS_OK &&
        snprintf(text, VALUE_TEXT_MAX, "%s", whole) >= VALUE_TEXT_MAX) {
        size_t end = VALUE_TEXT_MAX - sizeof more;
        while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80) end--;
        memcpy(text + end, more, sizeof more);
    }
    free(whole);
}

/* ---- what may change ---- */

typedef struct comparison {
    const ls_config *then, *now;
    bool tell;               /* log the changes that are allowed */
    char path[KEY_PATH_MAX]; /* of the key that is compared */
} comparison;

/* The key of the --set that changes the compared key; NULL: the file changes it. What the run keeps is as it was, so a
 * key at the path or above it was given now. A key below it was given now if the run did not have it. */
static const char *blamed_key(const comparison *c, size_t *length) {
    size_t path = strlen(c->path);
    const char *text = c->now->text;
    for (const char *key; (key = next_set_key(&text, length)) != NULL;) {
        if (covers(key, *length, c->path, path)) return key;
        if (covers(c->path, path, key, *length) && !has_set(c->then, key, *length)) return key;
    }
    return NULL;
}

static ls_status refuse_change(const comparison *c, const ls_yaml_node *then, const ls_yaml_node *now) {
    char a[VALUE_TEXT_MAX], b[VALUE_TEXT_MAX];
    size_t length = 0;
    const char *key = blamed_key(c, &length);
    describe(then, a);
    describe(now, b);
    bool value = key != NULL && strlen(c->path) == length && now->kind == LS_YAML_SCALAR;
    if (then->kind == LS_YAML_LIST && now->kind == LS_YAML_LIST && then->count != now->count) {
        snprintf(a, sizeof a, "a list of %d", then->count);
        snprintf(b, sizeof b, "a list of %d", now->count);
    }
    LS_RAISE(LS_INVALID,
             "%s is %s here, but the run was started with %s, which cannot change when it is resumed; %s, or train in "
             "another directory with --run",
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

/* Appends ".name", or ".3" for an entry of a list, to the path's first `length` letters. */
static void extend_path(comparison *c, size_t length, const char *key, int index) {
    const char *dot = length > 0 ? "." : "";
    if (key != NULL)
        snprintf(c->path + length, KEY_PATH_MAX - length, "%s%s", dot, key);
    else
        snprintf(c->path + length, KEY_PATH_MAX - length, "%s%d", dot, index);
}

static ls_status compare_nodes(comparison *c, const ls_yaml_node *then, const ls_yaml_node *now) {
    if (!same_frame(then, now)) {
        bool equal = now->kind == LS_YAML_SCALAR && ls_yaml_is_text(then, now->text);
        return equal ? LS_OK : refuse_change(c, then, now);
    }
    size_t length = strlen(c->path);
    int index = 0;
    for (const ls_yaml_node *a = then->first, *b = now->first; a != NULL; a = a->next, b = b->next) {
        extend_path(c, length, a->key, index++);
        LS_TRY(compare_nodes(c, a, b));
    }
    c->path[length] = '\0';
    return LS_OK;
}

static void tell_change(const comparison *c, const ls_yaml_node *then, const ls_yaml_node *now) {
    char a[VALUE_TEXT_MAX], b[VALUE_TEXT_MAX];
    describe(then, a);
    describe(now, b);
    if (c->tell && strcmp(a, b) != 0) ls_log_info("%s is %s from now on; the run had %s", c->path, b, a);
}

/* Both nodes are of resolved configs, which have all keys. Of data.validation paths may change, but not a split: its
 * two kinds of value are told apart as list and map. */
static ls_status compare_section(comparison *c, const ls_config_key *keys, const ls_yaml_node *then,
                                 const ls_yaml_node *now) {
    size_t length = strlen(c->path);
    for (const ls_config_key *key = keys; key->option.name != NULL; key++) {
        const ls_yaml_node *a = ls_yaml_child(then, key->option.name), *b = ls_yaml_child(now, key->option.name);
        extend_path(c, length, key->option.name, 0);
        bool maps = a->kind == LS_YAML_MAP && b->kind == LS_YAML_MAP;
        if (key->section != NULL && !key->may_change && maps)
            LS_TRY(compare_section(c, key->section, a, b));
        else if (key->may_change && (key->section != NULL || (a->kind == b->kind && !maps)))
            tell_change(c, a, b);
        else
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

/* ---- what is kept ---- */

/* The entry of a list or a map that a word of a key names; NULL: none. */
static const ls_yaml_node *find_child(const ls_yaml_node *node, const char *word, size_t letters) {
    const ls_yaml_node *child = node->kind == LS_YAML_SCALAR ? NULL : node->first;
    char *end = NULL;
    long index = strtol(word, &end, 10);
    if (node->kind == LS_YAML_LIST && (letters == 0 || index < 0 || end != word + letters)) return NULL;
    for (; child != NULL; child = child->next)
        if (node->kind == LS_YAML_LIST ? index-- == 0
                                       : strlen(child->key) == letters && strncmp(child->key, word, letters) == 0)
            break;
    return child;
}

/* The node at "model.1.dense.units"; NULL: there is none. */
static const ls_yaml_node *find_node(const ls_yaml_node *root, const char *key, size_t length) {
    const ls_yaml_node *at = root;
    for (const char *word = key; at != NULL && word <= key + length;) {
        size_t letters = strcspn(word, ".");
        if (word + letters > key + length) letters = (size_t)(key + length - word);
        at = find_child(at, word, letters);
        word += letters + 1;
    }
    return at;
}

/* Words of --set: those that the run keeps, then those that are given now. */
typedef struct words {
    const char *path; /* of the run's config.yaml */
    const char **word;
    int count, kept; /* the first `kept` are allocated */
} words;

static ls_status keep(words *w, const char *key, size_t length, const ls_yaml_node *then) {
    const ls_yaml_node *value = find_node(then, key, length);
    char *setting = NULL;
    if (value == NULL) {
        ls_log_warn("%s no longer holds what --set %.*s gave this run before: the file's value is used, unless another "
                    "--set gives one",
                    w->path, (int)length, key);
        return LS_OK;
    }
    ls_status status = print_setting(key, length, value, &setting);
    if (status == LS_OK)
        w->word[w->kept++] = setting;
    else
        free(setting);
    return status;
}

static int count_lines(const char *text) {
    int lines = 0;
    for (; *text != '\0'; text++) lines += *text == '\n';
    return lines;
}

/* then: the text of the run's config.yaml, root: the same as nodes. settings: what is given now. */
static ls_status gather(words *w, const char *then, const ls_yaml_node *root, const char *const *settings, int count) {
    size_t length = 0;
    LS_TRY(ls_alloc(&w->word, count_lines(then) + count, sizeof *w->word, "the settings"));
    for (const char *key; (key = next_set_key(&then, &length)) != NULL;)
        if (!is_replaced(key, length, settings, count)) LS_TRY(keep(w, key, length, root));
    w->count = w->kept;
    for (int i = 0; i < count; i++) w->word[w->count++] = settings[i];
    return LS_OK;
}

static void release_words(words *w) {
    for (int i = 0; i < w->kept; i++) free((char *)w->word[i]);
    ls_free(w->word);
}

/* Logs each kept setting that the file, with what is given now, would not have given. */
static ls_status tell_kept(const words *w, const char *path, const char *text, const char *const *settings, int count) {
    ls_config *config = NULL;
    ls_yaml_node *root = NULL;
    bool known = ls_config_parse(path, text, settings, count, &config) == LS_OK;
    ls_status status = known ? ls_yaml_parse(path, config->text, &root) : LS_OK;
    for (int i = 0; i < w->kept && status == LS_OK; i++) {
        size_t length = key_length(w->word[i]);
        const ls_yaml_node *value = root != NULL ? find_node(root, w->word[i], length) : NULL;
        char *setting = NULL;
        if (value != NULL) status = print_setting(w->word[i], length, value, &setting);
        if (setting == NULL || strcmp(setting, w->word[i]) != 0)
            ls_log_info("kept: %s, which --set gave this run before; another --set changes it", w->word[i]);
        free(setting);
    }
    ls_yaml_destroy(root);
    ls_config_destroy(config);
    return status;
}

static ls_status parse_resumed(const char *path, const char *text, const char *then_path, const char *then,
                               const char *const *settings, int count, ls_config **out) {
    words w = {.path = then_path};
    ls_yaml_node *root = NULL;
    ls_status status = ls_yaml_parse(then_path, then, &root);
    if (status == LS_OK) status = gather(&w, then, root, settings, count);
    if (status == LS_OK) status = tell_kept(&w, path, text, settings, count);
    if (status == LS_OK) status = ls_config_parse_kept(path, text, w.word, w.kept, w.count, out);
    ls_yaml_destroy(root);
    release_words(&w);
    return status;
}

static ls_status load(const ls_comm *comm, const char *path, const char *then_path, char *text, char *then,
                      const char *const *settings, int count, ls_config **out) {
    bool resumed = then_path[0] != '\0';
    ls_status status = comm->rank == 0 ? ls_config_read_file(path, text) : LS_OK;
    if (comm->rank == 0 && resumed && status == LS_OK) status = ls_config_read_file(then_path, then);
    LS_TRY(ls_agree(comm, status));
    ls_comm_broadcast(comm, text, LS_CONFIG_BYTES_MAX, 0);
    ls_comm_broadcast(comm, then, resumed ? LS_CONFIG_BYTES_MAX : 0, 0);
    return ls_agree(comm, then[0] == '\0' ? ls_config_parse(path, text, settings, count, out)
                                          : parse_resumed(path, text, then_path, then, settings, count, out));
}

ls_status ls_config_load_resumed(const ls_comm *comm, const char *path, const char *then_path,
                                 const char *const *settings, int count, ls_config **out) {
    char *texts;
    *out = NULL;
    LS_TRY(ls_agree(comm, ls_alloc(&texts, 2, LS_CONFIG_BYTES_MAX, "the config")));
    ls_status status = load(comm, path, then_path, texts, texts + LS_CONFIG_BYTES_MAX, settings, count, out);
    if (status != LS_OK) {
        ls_config_destroy(*out);
        *out = NULL;
    }
    ls_free(texts);
    return status;
}

ls_status ls_config_load(const ls_comm *comm, const char *path, const char *const *settings, int count,
                         ls_config **out) {
    return ls_config_load_resumed(comm, path, "", settings, count, out);
}

/* config_resume.c - what a run that goes on keeps of its settings: keys that --set gave when it began hold until they
 * are given again; other keys are as the file says, as far as they may change. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/config_grammar.h"

/* ---- the keys that --set gave, in the run's config.yaml ---- */

static const char key_line[] = LS_CONFIG_SET_LINE;

static size_t key_length(const char *setting) { return strcspn(setting, "="); }

/* Whether a --set of `later` takes the place of all that one of `key` has set: it is the same key, or one above it. */
static bool replaces(const char *later, size_t later_length, const char *key, size_t length) {
    if (later_length > length || strncmp(later, key, later_length) != 0) return false;
    return later_length == length || key[later_length] == '.';
}

static bool is_replaced(const char *key, size_t length, const char *const *settings, int count) {
    for (int i = 0; i < count; i++)
        if (replaces(settings[i], key_length(settings[i]), key, length)) return true;
    return false;
}

void ls_config_print_set_keys(const char *const *settings, int count, FILE *out) {
    for (int i = 0; i < count; i++) {
        size_t length = key_length(settings[i]);
        if (!is_replaced(settings[i], length, settings + i + 1, count - i - 1))
            fprintf(out, "%s%.*s\n", key_line, (int)length, settings[i]);
    }
}

/* ---- what they were set to ---- */

/* What the word of a key names in a list or a map; NULL: nothing. */
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

/* As it stands in the file where that is safe on one line. */
static void print_scalar(const ls_yaml_node *node, FILE *out) {
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-./";
    if (!node->quoted && node->text[0] != '\0' && node->text[strspn(node->text, safe)] == '\0')
        fputs(node->text, out);
    else
        ls_quoted_print(node->text, out);
}

/* As YAML on one line. */
static void print_flow(const ls_yaml_node *node, FILE *out) {
    if (node->kind == LS_YAML_SCALAR) {
        print_scalar(node, out);
    } else {
        fputc(node->kind == LS_YAML_LIST ? '[' : '{', out);
        for (const ls_yaml_node *child = node->first; child != NULL; child = child->next) {
            if (child->key != NULL) fprintf(out, "%s: ", child->key);
            print_flow(child, out);
            if (child->next != NULL) fputs(", ", out);
        }
        fputc(node->kind == LS_YAML_LIST ? ']' : '}', out);
    }
}

/* "training.epochs=20"; *setting is the caller's: free. */
static ls_status print_setting(const char *key, size_t length, const ls_yaml_node *value, char **setting) {
    size_t bytes = 0;
    FILE *out = open_memstream(setting, &bytes);
    if (out == NULL) return LS_RAISE(LS_ERROR, "cannot allocate memory for the settings");
    fprintf(out, "%.*s=", (int)length, key);
    print_flow(value, out);
    return fclose(out) == 0 ? LS_OK : LS_RAISE(LS_ERROR, "cannot allocate memory for the settings");
}

/* ---- a run that goes on ---- */

typedef struct words {
    const char *path; /* of the run's config.yaml */
    const char **word;
    int count, held; /* the first `held` are the run's, and owned */
} words;

static ls_status hold(words *w, const char *key, size_t length, const ls_yaml_node *then) {
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
        w->word[w->held++] = setting;
    else
        free(setting);
    return status;
}

static int count_lines(const char *text) {
    int lines = 0;
    for (; *text != '\0'; text++) lines += *text == '\n';
    return lines;
}

/* The settings of `then`, a run's config.yaml, that still hold beside those that are given now; then these. */
static ls_status gather(words *w, const char *then, const ls_yaml_node *root, const char *const *settings, int count) {
    LS_TRY(ls_alloc(&w->word, count_lines(then) + count, sizeof *w->word, "the settings"));
    size_t prefix = sizeof key_line - 1;
    for (const char *line = then; strncmp(line, key_line, prefix) == 0;) {
        const char *key = line + prefix;
        size_t length = strcspn(key, "\n");
        if (!is_replaced(key, length, settings, count)) LS_TRY(hold(w, key, length, root));
        line = key + length + (key[length] == '\n');
    }
    w->count = w->held;
    for (int i = 0; i < count; i++) w->word[w->count++] = settings[i];
    return LS_OK;
}

static void release_words(words *w) {
    for (int i = 0; i < w->held; i++) free((char *)w->word[i]);
    ls_free(w->word);
}

/* A line for each that the file, and what is set now, would not have given. */
static ls_status tell(const words *w, const char *path, const char *text, const char *const *settings, int count) {
    ls_config *config = NULL;
    ls_yaml_node *root = NULL;
    bool known = ls_config_parse(path, text, settings, count, &config) == LS_OK;
    ls_status status = known ? ls_yaml_parse(path, config->text, &root) : LS_OK;
    for (int i = 0; i < w->held && status == LS_OK; i++) {
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
    if (status == LS_OK) status = tell(&w, path, text, settings, count);
    if (status == LS_OK) status = ls_config_parse_kept(path, text, w.word, w.held, w.count, out);
    ls_yaml_destroy(root);
    release_words(&w);
    return status;
}

static ls_status load_resumed(const ls_comm *comm, const char *path, const char *then_path, char *text, char *then,
                              const char *const *settings, int count, ls_config **out) {
    ls_status status = LS_OK;
    if (comm->rank == 0) status = ls_config_read_file(path, text);
    if (comm->rank == 0 && status == LS_OK) status = ls_config_read_file(then_path, then);
    LS_TRY(ls_agree(comm, status));
    ls_comm_broadcast(comm, text, LS_CONFIG_BYTES_MAX, 0);
    ls_comm_broadcast(comm, then, LS_CONFIG_BYTES_MAX, 0);
    return ls_agree(comm, then[0] == '\0' ? ls_config_parse(path, text, settings, count, out)
                                          : parse_resumed(path, text, then_path, then, settings, count, out));
}

ls_status ls_config_load_resumed(const ls_comm *comm, const char *path, const char *then_path,
                                 const char *const *settings, int count, ls_config **out) {
    char *texts;
    if (then_path[0] == '\0') return ls_config_load(comm, path, settings, count, out);
    *out = NULL;
    LS_TRY(ls_agree(comm, ls_alloc(&texts, 2, LS_CONFIG_BYTES_MAX, "the config")));
    ls_status status = load_resumed(comm, path, then_path, texts, texts + LS_CONFIG_BYTES_MAX, settings, count, out);
    if (status != LS_OK) {
        ls_config_destroy(*out);
        *out = NULL;
    }
    ls_free(texts);
    return status;
}

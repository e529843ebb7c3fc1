/* options.c - names of types and options texts; see options_internal.h. What a config is strict about, they are too: a
 * word that would be passed over in silence is refused. */
#include "api/options_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

ls_status ls_type_find(const char *kind, const void *table, const char *name, const void **out) {
    const void *const *types = table;
    const char *names[128];
    int count = 0;
    *out = NULL;
    name = ls_full_name(name);
    for (; types[count] != NULL; count++) {
        memcpy(&names[count], types[count], sizeof *names);
        *out = types[count];
        if (strcmp(names[count], name) == 0) return LS_OK;
    }
    return ls_unknown(kind, name, "", names, count);
}

int ls_words_split(char *text, const char *separators, char *words[LS_WORDS_MAX]) {
    int count = 0;
    char *rest;
    for (char *word = strtok_r(text, separators, &rest); word != NULL && count < LS_WORDS_MAX;
         word = strtok_r(NULL, separators, &rest))
        words[count++] = word;
    return count;
}

ls_status ls_options_text_copy(const char *text, char copy[LS_OPTIONS_TEXT_MAX]) {
    int length = snprintf(copy, LS_OPTIONS_TEXT_MAX, "%s", text != NULL ? text : "");
    return length < LS_OPTIONS_TEXT_MAX ? LS_OK : LS_RAISE(LS_INVALID, "the options are too long");
}

static ls_status unknown_option(const ls_option *table, const char *word) {
    const char *names[LS_WORDS_MAX];
    int count = 0;
    for (; count < LS_WORDS_MAX && table[count].name != NULL; count++) names[count] = table[count].name;
    return ls_unknown("option", word, "", names, count);
}

/* A list has a value before and after each comma. */
static ls_status check_value(const char *key, const char *value) {
    size_t length = strlen(value);
    if (length == 0) return LS_RAISE(LS_INVALID, "%s= has no value", key);
    if (value[0] == ',' || value[length - 1] == ',' || strstr(value, ",,") != NULL)
        return LS_RAISE(LS_INVALID,
                        "'%s=%s': a comma stands between the numbers of a list, and only spaces between options", key,
                        value);
    return LS_OK;
}

static bool is_of_layer(const char *key, char *value, ls_layer_words *of_layer) {
    if (of_layer == NULL) return false;
    if (strcmp(key, "name") == 0) of_layer->name = value;
    if (strcmp(key, "inputs") == 0) of_layer->inputs = value;
    return of_layer->name == value || of_layer->inputs == value;
}

/* The word becomes its key. */
static ls_status set_option(const ls_option *table, void *record, char *word, ls_layer_words *of_layer) {
    char *value = strchr(word, '='), *texts[LS_WORDS_MAX];
    if (value == NULL) return LS_RAISE(LS_INVALID, "'%s' is no option; options are words like key=value", word);
    *value++ = '\0';
    LS_TRY(check_value(word, value));
    if (is_of_layer(word, value, of_layer)) return LS_OK;
    const ls_option *option = ls_options_find(table, word);
    if (option == NULL) return unknown_option(table, word);
    int count = ls_words_split(value, ",", texts);
    return ls_option_set(option, record, (const char *const *)texts, count, count > 1);
}

static bool has_word(char *const *words, int count, const char *word) {
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0) return true;
    return false;
}

ls_status ls_options_text_read(const ls_option *table, size_t bytes, char *text, ls_layer_words *of_layer,
                               void **record) {
    char *words[LS_WORDS_MAX];
    LS_TRY(ls_alloc(record, 1, bytes, "options"));
    ls_options_init(table, *record);
    int count = ls_words_split(text, " \t\n", words);
    for (int i = 0; i < count; i++) {
        LS_TRY(set_option(table, *record, words[i], of_layer));
        if (has_word(words, i, words[i])) return LS_RAISE(LS_INVALID, "%s is given twice", words[i]);
    }
    for (const ls_option *option = table; option->name != NULL; option++)
        if (option->required && !has_word(words, count, option->name))
            return LS_RAISE(LS_INVALID, "%s is missing", option->name);
    return LS_OK;
}

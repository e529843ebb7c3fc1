/* options.c - fields of records set from text, printed and described, by the type that the table gives; see
 * options.h. */
#include "base/options.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

enum { TEXT_MAX = 512 };

static bool same(const char *a, const char *b) { return strcmp(a, b) == 0; }

static bool is_list_type(ls_option_type type) { return type == LS_OPTION_INTS || type == LS_OPTION_DOUBLES; }

/* ---- what is allowed ---- */

__attribute__((format(printf, 3, 4))) static void append(char *text, size_t capacity, const char *format, ...) {
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, capacity - used, format, arguments);
    va_end(arguments);
}

static bool has_bounds(const ls_option *option) { return option->min != 0 || option->max != 0; }

static bool within_bounds(const ls_option *option, double x) {
    if (!has_bounds(option)) return true;
    bool high_enough = option->above_min ? x > option->min : x >= option->min;
    bool low_enough = option->below_max ? x < option->max : x <= option->max;
    return high_enough && low_enough;
}

static void describe_bounds(const ls_option *option, char *text, size_t capacity) {
    if (!has_bounds(option)) return;
    bool lower = isfinite(option->min), upper = isfinite(option->max);
    if (lower) append(text, capacity, " %s %.15g", option->above_min ? ">" : ">=", option->min);
    if (lower && upper) append(text, capacity, " and");
    if (upper) append(text, capacity, " %s %.15g", option->below_max ? "<" : "<=", option->max);
}

/* How many entries a list may have. */
static int fewest(const ls_option *option) { return option->min_count; }
static int most(const ls_option *option) { return option->max_count > 0 ? option->max_count : LS_LIST_MAX; }

static void describe_list(const ls_option *option, const char *number, const char *numbers, char *text,
                          size_t capacity) {
    if (fewest(option) <= 1) append(text, capacity, "%s or ", number);
    append(text, capacity, "a list of ");
    if (fewest(option) == most(option))
        append(text, capacity, "%d %s", most(option), numbers);
    else if (fewest(option) > 1)
        append(text, capacity, "%d to %d %s", fewest(option), most(option), numbers);
    else
        append(text, capacity, "at most %d %s", most(option), numbers);
    describe_bounds(option, text, capacity);
}

void ls_option_describe(const ls_option *option, char *text, size_t capacity) {
    text[0] = '\0';
    switch (option->type) {
    case LS_OPTION_INT:
        append(text, capacity, "an integer");
        describe_bounds(option, text, capacity);
        break;
    case LS_OPTION_DOUBLE:
        append(text, capacity, "a number");
        describe_bounds(option, text, capacity);
        break;
    case LS_OPTION_BOOL:
        append(text, capacity, "true or false");
        break;
    case LS_OPTION_STRING:
        append(text, capacity, "a text of at most %zu bytes", option->capacity - 1);
        break;
    case LS_OPTION_CHOICE:
        append(text, capacity, "one of");
        for (int i = 0; option->choices[i] != NULL; i++)
            append(text, capacity, "%s %s", i > 0 ? "," : "", option->choices[i]);
        break;
    case LS_OPTION_INTS:
        describe_list(option, "an integer", "integers", text, capacity);
        break;
    case LS_OPTION_DOUBLES:
        describe_list(option, "a number", "numbers", text, capacity);
        break;
    }
}

/* ---- text to value ---- */

static bool parse_integer(const char *text, int64_t *out) {
    char *end;
    errno = 0;
    long long parsed = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || isspace((unsigned char)text[0])) return false;
    *out = parsed;
    return true;
}

/* Decimal and finite: what YAML calls a number, without strtod's hexadecimal, infinity and NaN. */
static bool parse_number(const char *text, double *out) {
    if (text[0] == '\0' || strspn(text, "+-.0123456789eE") != strlen(text)) return false;
    char *end;
    double parsed = strtod(text, &end);
    if (*end != '\0' || !isfinite(parsed)) return false;
    *out = parsed;
    return true;
}

static bool set_integer(const ls_option *option, const char *text, int64_t *out) {
    int64_t parsed;
    if (!parse_integer(text, &parsed) || !within_bounds(option, (double)parsed)) return false;
    *out = parsed;
    return true;
}

static bool set_number(const ls_option *option, const char *text, double *out) {
    double parsed;
    if (!parse_number(text, &parsed) || !within_bounds(option, parsed)) return false;
    *out = parsed;
    return true;
}

static bool set_boolean(const char *text, bool *out) {
    bool yes = same(text, "true") || same(text, "True") || same(text, "TRUE"); /* as YAML has them */
    if (!yes && !same(text, "false") && !same(text, "False") && !same(text, "FALSE")) return false;
    *out = yes;
    return true;
}

static bool set_string(const ls_option *option, const char *text, char *out) {
    size_t bytes = strlen(text) + 1;
    if (bytes > option->capacity) return false;
    memcpy(out, text, bytes);
    return true;
}

static bool set_choice(const ls_option *option, const char *text, int *out) {
    for (int i = 0; option->choices[i] != NULL; i++) {
        if (!same(text, option->choices[i])) continue;
        *out = i;
        return true;
    }
    return false;
}

static bool set_integers(const ls_option *option, const char *const *texts, int count, ls_int_list *out) {
    ls_int_list parsed = {.count = count};
    for (int i = 0; i < count; i++)
        if (!set_integer(option, texts[i], &parsed.value[i])) return false;
    *out = parsed;
    return true;
}

static bool set_numbers(const ls_option *option, const char *const *texts, int count, ls_double_list *out) {
    ls_double_list parsed = {.count = count};
    for (int i = 0; i < count; i++)
        if (!set_number(option, texts[i], &parsed.value[i])) return false;
    *out = parsed;
    return true;
}

static bool set_field(const ls_option *option, void *field, const char *const *texts, int count) {
    switch (option->type) {
    case LS_OPTION_INT:
        return set_integer(option, texts[0], field);
    case LS_OPTION_DOUBLE:
        return set_number(option, texts[0], field);
    case LS_OPTION_BOOL:
        return set_boolean(texts[0], field);
    case LS_OPTION_STRING:
        return set_string(option, texts[0], field);
    case LS_OPTION_CHOICE:
        return set_choice(option, texts[0], field);
    case LS_OPTION_INTS:
        return set_integers(option, texts, count, field);
    case LS_OPTION_DOUBLES:
        return set_numbers(option, texts, count, field);
    }
    return false;
}

static bool right_count(const ls_option *option, int count, bool is_list) {
    if (!is_list_type(option->type)) return !is_list && count == 1;
    return count >= fewest(option) && count <= most(option);
}

static int count_names(const char *const *names) {
    int count = 0;
    while (names[count] != NULL) count++;
    return count;
}

static ls_status refuse(const ls_option *option, const char *const *texts, int count, bool is_list) {
    char given[TEXT_MAX] = "", allowed[TEXT_MAX];
    for (int i = 0; i < count; i++) append(given, sizeof given, "%s%s", i > 0 ? ", " : "", texts[i]);
    ls_option_describe(option, allowed, sizeof allowed);
    const char *nearest = option->type == LS_OPTION_CHOICE && count == 1
                              ? ls_nearest(texts[0], option->choices, count_names(option->choices))
                              : NULL;
    return LS_RAISE(LS_INVALID, "%s must be %s, not %s%s%s%s%s%s", option->name, allowed, is_list ? "[" : "'", given,
                    is_list ? "]" : "'", nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                    nearest != NULL ? "'?" : "");
}

ls_status ls_option_set(const ls_option *option, void *record, const char *const *texts, int count, bool is_list) {
    if (right_count(option, count, is_list) && set_field(option, (char *)record + option->offset, texts, count))
        return LS_OK;
    return refuse(option, texts, count, is_list);
}

/* ---- tables ---- */

static size_t field_size(const ls_option *option) {
    switch (option->type) {
    case LS_OPTION_INT:
        return sizeof(int64_t);
    case LS_OPTION_DOUBLE:
        return sizeof(double);
    case LS_OPTION_BOOL:
        return sizeof(bool);
    case LS_OPTION_STRING:
        return option->capacity;
    case LS_OPTION_CHOICE:
        return sizeof(int);
    case LS_OPTION_INTS:
        return sizeof(ls_int_list);
    case LS_OPTION_DOUBLES:
        return sizeof(ls_double_list);
    }
    return 0;
}

/* Splits "[1, 2]" in place. */
static int split_list(char *text, const char *words[LS_LIST_MAX]) {
    int count = 0;
    char *rest = text;
    for (char *word; (word = strtok_r(rest, "[], ", &rest)) != NULL && count < LS_LIST_MAX;) words[count++] = word;
    return count;
}

static void set_preset(const ls_option *option, void *record) {
    char text[TEXT_MAX];
    snprintf(text, sizeof text, "%s", option->preset);
    const char *words[LS_LIST_MAX] = {text};
    int count = is_list_type(option->type) ? split_list(text, words) : 1;
    ls_status status = ls_option_set(option, record, words, count, text[0] == '[' && is_list_type(option->type));
    assert(status == LS_OK);
    (void)status;
}

void ls_options_init(const ls_option *table, void *record) {
    for (const ls_option *option = table; option->name != NULL; option++) {
        memset((char *)record + option->offset, 0, field_size(option));
        if (option->preset != NULL && !option->required) set_preset(option, record);
    }
}

const ls_option *ls_options_find(const ls_option *table, const char *name) {
    for (const ls_option *option = table; option->name != NULL; option++)
        if (same(option->name, name)) return option;
    return NULL;
}

/* ---- value to text ---- */

static void print_number(double x, FILE *out) {
    char text[LS_NUMBER_TEXT_MAX];
    fputs(ls_number_text(x, text), out);
}

/* Whether every reader of YAML takes the text for a plain string. */
static bool is_plain(const char *text) {
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0) return false;
    if (!isalpha((unsigned char)text[0]) && text[0] != '/') return false;
    for (const char *c = text; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr("_-+./", *c) == NULL) return false;
    return true;
}

static void print_string(const char *text, FILE *out) {
    if (is_plain(text))
        fputs(text, out);
    else
        ls_quoted_print(text, out);
}

static void print_integers(const ls_int_list *list, FILE *out) {
    for (int i = 0; i < list->count; i++) fprintf(out, "%s%" PRId64, i > 0 ? ", " : "", list->value[i]);
}

static void print_numbers(const ls_double_list *list, FILE *out) {
    for (int i = 0; i < list->count; i++) {
        if (i > 0) fputs(", ", out);
        print_number(list->value[i], out);
    }
}

void ls_option_print(const ls_option *option, const void *record, FILE *out) {
    const void *field = (const char *)record + option->offset;
    if (is_list_type(option->type)) fputc('[', out);
    switch (option->type) {
    case LS_OPTION_INT:
        fprintf(out, "%" PRId64, *(const int64_t *)field);
        break;
    case LS_OPTION_DOUBLE:
        print_number(*(const double *)field, out);
        break;
    case LS_OPTION_BOOL:
        fputs(*(const bool *)field ? "true" : "false", out);
        break;
    case LS_OPTION_STRING:
        print_string(field, out);
        break;
    case LS_OPTION_CHOICE:
        fputs(option->choices[*(const int *)field], out);
        break;
    case LS_OPTION_INTS:
        print_integers(field, out);
        break;
    case LS_OPTION_DOUBLES:
        print_numbers(field, out);
        break;
    }
    if (is_list_type(option->type)) fputc(']', out);
}

/* ---- help ---- */

void ls_options_help(const ls_option *table, const char *prefix, FILE *out) {
    enum { COLUMN = 20 };
    for (const ls_option *option = table; option->name != NULL; option++) {
        bool off = option->type == LS_OPTION_BOOL && option->preset != NULL && same(option->preset, "false");
        char letter[8] = "";
        if (option->letter != 0) snprintf(letter, sizeof letter, ", -%c", option->letter);
        int names = fprintf(out, "  %s%s%s", prefix, option->name, letter);
        fprintf(out, "%*s  %s", names < COLUMN + 2 ? COLUMN + 2 - names : 0, "", option->help);
        for (int i = 0; option->type == LS_OPTION_CHOICE && option->choices[i] != NULL; i++)
            fprintf(out, "%s%s", i > 0 ? "|" : ": ", option->choices[i]);
        if (option->required) fputs(" (required)", out);
        if (!option->required && !off && option->preset != NULL && option->preset[0] != '\0')
            fprintf(out, " (default %s)", option->preset);
        fputc('\n', out);
    }
}

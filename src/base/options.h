/* options.h - records described by tables: what a layer, optimizer, transform, config section or command can be told.
 *
 * A table is an array of ls_option ended by LS_OPTIONS_END; a record is the struct it describes. The same table parses,
 * checks, prints, and documents. Values come as text (a YAML scalar or list, or a word of the command line).
 *
 *   typedef struct { int64_t units; int activation; } dense_options;
 *   static const ls_option options[] = {
 *       {"units", LS_OPTION_INT, offsetof(dense_options, units), .required = true, .min = 1, .max = 1e9,
 *        .help = "outputs"},
 *       {"activation", LS_OPTION_CHOICE, offsetof(dense_options, activation), .preset = "linear",
 *        .choices = ls_activation_names},
 *       LS_OPTIONS_END};
 *
 * Local. Failures are LS_INVALID and name the option and what is allowed; the caller prefixes file, line and column. */
#ifndef LS_BASE_OPTIONS_H
#define LS_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

enum { LS_NAME_MAX = 64, LS_LIST_MAX = 8 };

/* The type of the field at `offset`. */
typedef enum ls_option_type {
    LS_OPTION_INT,     /* int64_t */
    LS_OPTION_DOUBLE,  /* double */
    LS_OPTION_BOOL,    /* bool: true or false */
    LS_OPTION_STRING,  /* char[capacity] */
    LS_OPTION_CHOICE,  /* int: index into choices */
    LS_OPTION_INTS,    /* ls_int_list: one number or a list of them, each within min..max */
    LS_OPTION_DOUBLES, /* ls_double_list */
} ls_option_type;

typedef struct ls_int_list {
    int count;
    int64_t value[LS_LIST_MAX];
} ls_int_list;

typedef struct ls_double_list {
    int count;
    double value[LS_LIST_MAX];
} ls_double_list;

typedef struct ls_option {
    const char *name; /* "group.key" is written "group: {key: value}" in a config */
    ls_option_type type;
    size_t offset;
    bool required;              /* must be given; else preset (NULL: zero, empty) is the default */
    const char *preset;         /* default, as text; a list as "[1, 2]" */
    double min, max;            /* inclusive bounds of numbers; both 0: none */
    bool above_min, below_max;  /* bounds exclusive */
    size_t capacity;            /* of a string's field, with its final zero */
    const char *const *choices; /* NULL-terminated names */
    int min_count, max_count;   /* of a list; both 0: any number up to LS_LIST_MAX */
    const char *help;
    char letter; /* its short form on a command line; 0: none */
} ls_option;

#define LS_OPTIONS_END                                                                                                 \
    { .name = NULL }

/* Sets every field to its default (required ones to zero). */
void ls_options_init(const ls_option *table, void *record);

/* The entry of that name, or NULL. */
const ls_option *ls_options_find(const ls_option *table, const char *name);

/* Sets one field from text. is_list says whether the texts were written as a list; a list type takes a single scalar
 * too. A failure leaves the field as it was. */
ls_status ls_option_set(const ls_option *option, void *record, const char *const *texts, int count, bool is_list);

/* What the option may be set to: "an integer >= 1 and <= 10", "one of relu, tanh", "a number or a list of at most 8
 * numbers". */
void ls_option_describe(const ls_option *option, char *text, size_t capacity);

/* Writes the field as YAML text ("3", "[2, 2]", "relu", a quoted string where needed) that ls_option_set reads back to
 * the same value. Doubles are printed with the fewest digits that read back exactly. */
void ls_option_print(const ls_option *option, const void *record, FILE *out);

/* The name that a short one of Keras' stands for, "mean_squared_error" for "mse"; any other word is returned itself. */
const char *ls_full_name(const char *word);

/* The name in names[count] that other programs call word, or that is nearest to it by edit distance; NULL where none is
 * near enough to suggest. */
const char *ls_nearest(const char *word, const char *const *names, int count);

/* Raises "unknown KEY 'unts' in dense; did you mean 'units'?", or with all the names where none is near. kind: "key";
 * where: " in dense" or "". */
ls_status ls_unknown(const char *kind, const char *word, const char *where, const char *const *names, int count);

/* A line an option, for --help: its names behind a prefix, what it is for, its choices and its default. */
void ls_options_help(const ls_option *table, const char *prefix, FILE *out);

#endif

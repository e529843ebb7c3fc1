/* options_internal.h - names of types, and options texts ("units=8 activation=relu"), as calls give them. Local. */
#ifndef LS_API_OPTIONS_INTERNAL_H
#define LS_API_OPTIONS_INTERNAL_H

#include "base/options.h"

/* The options are words with spaces between them; a text is shorter than this, so it has at most half as many words. */
enum { LS_OPTIONS_TEXT_MAX = 1024, LS_WORDS_MAX = LS_OPTIONS_TEXT_MAX / 2 };

/* What an options text may hold besides the options; they point into the text. */
typedef struct ls_layer_words {
    char *name, *inputs; /* NULL: not given */
} ls_layer_words;

/* The entry of that name in a table that is ended by NULL; every type's record begins with its name. Errors:
 * LS_INVALID, there is none (with the nearest). */
ls_status ls_type_find(const char *kind, const void *table, const char *name, const void **out);

/* Splits text in place into words; returns how many. */
int ls_words_split(char *text, const char *separators, char *words[LS_WORDS_MAX]);

/* A copy of text (NULL: "") to be split. Errors: LS_INVALID, it is too long. */
ls_status ls_options_text_copy(const char *text, char copy[LS_OPTIONS_TEXT_MAX]);

/* A record of the options in text, which is changed. of_layer: NULL where such words are none. *record is the caller's
 * (ls_free), also after an error. Errors: LS_INVALID, a word that is no option, comes twice, is missing or wrong. */
ls_status ls_options_text_read(const ls_option *table, size_t bytes, char *text, ls_layer_words *of_layer,
                               void **record);

#endif

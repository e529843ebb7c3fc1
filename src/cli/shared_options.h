/* shared_options.h - options that the commands of a trained model share, each table with its record. A command names
 * the tables that it takes beside its own. */
#ifndef LS_CLI_SHARED_OPTIONS_H
#define LS_CLI_SHARED_OPTIONS_H

#include "base/file.h"
#include "cli/command.h"
#include "run/apply.h"

/* Of encode, decode, reconstruct and sample: the file to write. */
typedef struct ls_output_options {
    char output[LS_PATH_MAX];
    bool overwrite;
} ls_output_options;
extern const ls_option ls_output_table[];

/* Of encode and reconstruct: the samples that the model is applied to. */
typedef struct ls_application_options {
    char data[LS_PATH_MAX];
    int64_t count;
    bool noise;
} ls_application_options;
extern const ls_option ls_application_table[];

/* Of encode, decode and sample: the layer that ends the encoder. */
typedef struct ls_layer_options {
    char layer[LS_NAME_MAX];
} ls_layer_options;
extern const ls_option ls_layer_option_table[];

/* NULL for an option of text that was left out. */
static inline const char *ls_text_given(const char *text) { return text[0] != '\0' ? text : NULL; }

static inline ls_output ls_output_given(const ls_output_options *given) {
    return (ls_output){given->output, given->overwrite};
}

static inline ls_application ls_application_given(const ls_application_options *given,
                                                  const ls_output_options *output) {
    return (ls_application){ls_text_given(given->data), given->count, given->noise, ls_output_given(output)};
}

#endif

/* inspect_kinds.h - what `inspect` prints of each kind of thing. All functions are Local. */
#ifndef LS_RUN_INSPECT_KINDS_H
#define LS_RUN_INSPECT_KINDS_H

#include "config/config.h"
#include "nn/model.h"
#include "run/inspect.h"

ls_status ls_inspect_config(const char *path, const ls_inspect_options *options, FILE *out);
ls_status ls_inspect_drawing(const ls_config *config, const ls_model *model, FILE *out);
ls_status ls_inspect_run(const char *path, FILE *out);
ls_status ls_inspect_checkpoint(const char *path, FILE *out);
ls_status ls_inspect_dataset(const char *path, FILE *out);

enum { LS_FIGURE_MAX = 32 };
/* "206,103,651" and "1.25 GB", written into text[LS_FIGURE_MAX]; they return text. */
const char *ls_count_text(int64_t count, char *text);
const char *ls_bytes_text(int64_t bytes, char *text);

#endif

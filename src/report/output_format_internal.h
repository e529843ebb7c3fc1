/* output_format_internal.h - what a kind of output file is: one file output_<name>.c each, one line in outputs.c.
 * Local. */
#ifndef LS_REPORT_OUTPUT_FORMAT_INTERNAL_H
#define LS_REPORT_OUTPUT_FORMAT_INTERNAL_H

#include "base/file.h"
#include "report/outputs.h"

typedef struct ls_output_format {
    const char *ending, *name;
    /* The name of a second file, beside the one at path; NULL: there is none. Errors: LS_INVALID, it is too long. */
    ls_status (*beside)(const char *path, char name[LS_PATH_MAX]);
    /* *state is the format's own; close it in every case. */
    ls_status (*open)(const char *path, const ls_sink_spec *spec, void **state);
    ls_status (*append)(void *state, int64_t count, const float *data, const int32_t *labels, const char *const *names);
    ls_status (*close)(void *state, bool keep);
} ls_output_format;

#endif

/* output_file.h - a file that a trained model's outputs are written to. Local, and rank 0's, unless it says otherwise.
 */
#ifndef LS_RUN_OUTPUT_FILE_H
#define LS_RUN_OUTPUT_FILE_H

#include "report/outputs.h"
#include "run/apply.h"
#include "run/trained.h"

/* A file of outputs in the making, on rank 0: with what is known of the samples in `origin`. */
typedef struct ls_output_file {
    ls_dataset *origin; /* NULL: nothing */
    ls_sink_spec spec;
    ls_sink *sink;
    const char **class_name;         /* [classes] */
    char settings[LS_NAME_MAX + 32]; /* without the run's name: equal runs give equal files */
    int64_t room, name_room;         /* of: */
    int32_t *labels;
    ls_sample_name *names;
    const char **name; /* [name_room] pointers to them */
} ls_output_file;

/* Collective. Whether the output may have its place. What is read is never written over: the checkpoint, the data set
 * that the samples are of, a file of codes (or NULL). A data set that was imported is only where that is wanted. Errors
 * (agreed): LS_INVALID. */
ls_status ls_output_agree(const ls_trained *t, const char *codes, const ls_output *output);

/* Any rank. The layer of that name (NULL: the config's code). Errors: LS_INVALID, there is none. */
ls_status ls_output_find_layer(const ls_trained *t, const char *name, int *layer);
/* Any rank. What the outputs of a layer are; those of the whole model have the shape and range of the target. */
void ls_output_describe(const ls_trained *t, int layer, int64_t total, ls_sink_spec *spec);

/* Errors: those of ls_sink_open. ls_output_close in every case; keep false: the file is not to be. */
ls_status ls_output_open(const char *path, ls_output_file *file);
ls_status ls_output_close(ls_output_file *file, bool keep);
/* An ls_append_fn. */
ls_status ls_output_append(void *file, const ls_span *spans, int64_t count, const float *output);

/* Any rank. "codes.csv: codes of 31 samples (...), 12 numbers each, weights of epoch 20". source: what stands in the
 * brackets; NULL: the outputs are of codes. */
void ls_output_report(const ls_trained *t, const char *output, const char *what, int64_t count, const char *source,
                      const ls_shape *shape);

#endif

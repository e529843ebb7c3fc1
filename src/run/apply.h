/* apply.h - what a trained model makes of data: losses, codes, reconstructions; and of codes alone.
 *
 * RUN is a run directory (its best checkpoint, else its last) or a checkpoint file; data NULL means the run's
 * validation data. Outputs are files of outputs.h, told apart by their endings; what was written is said in a line. All
 * functions are Collective and give the same bytes on any number of ranks. Errors (agreed): LS_INVALID: no such run or
 * data, shapes that do not fit; LS_ERROR: disk, memory. */
#ifndef LS_RUN_APPLY_H
#define LS_RUN_APPLY_H

#include <stdio.h>

#include "par/comm.h"

/* Prints every loss and metric as one JSON line to out (rank 0). Where the input is a picture that could stand for the
 * output, such as the grey one of colours or the noisy one of a clean one, also baseline_loss: what the input itself,
 * copied to all channels, would have got. */
ls_status ls_evaluate_run(const ls_comm *comm, const char *run, const char *data, FILE *out);

/* A file to write. */
typedef struct ls_output {
    const char *path;
    bool overwrite; /* else an imported data set of this name is an error */
} ls_output;

/* What a trained model is applied to. */
typedef struct ls_application {
    const char *data;
    int64_t count; /* the first ones; 0: all, or of a picture 10 */
    bool noise;    /* also what is random in the config's transforms, the same as in validation */
    ls_output output;
} ls_application;

/* Writes the output of `layer` (NULL: the config's code) for the samples; a data set with their labels and names, which
 * `train` can read. A picture shows samples and codes. */
ls_status ls_encode_run(const ls_comm *comm, const char *run, const char *layer, const ls_application *application);

/* Writes the model's output for the samples; a picture shows input, output and target. */
ls_status ls_reconstruct_run(const ls_comm *comm, const char *run, const ls_application *application);

/* Codes: of a file, else of texts, else over a grid, else drawn from N(0, 1), or from the normal distribution that the
 * codes of a data set have. */
typedef struct ls_code_source {
    const char *file; /* .h5, .npy or .csv, or NULL */
    int texts;
    const char *const *text; /* [texts] "0,0.5,5" */
    int64_t rows, columns;   /* of a grid over codes of two numbers; 0: none */
    double range;            /* of its numbers, from -range to range; 0: the quantiles 0.05 to 0.95 of N(0, 1) */
    const char *like; /* a data set whose codes those of a grid without range, or drawn ones, are to be like; NULL:
                         they stay N(0, 1)'s, with a warning where training does not bind the codes to that */
    int64_t count;    /* how many are drawn; of a file at most so many, 0: all */
    uint64_t seed;
} ls_code_source;

/* Writes what the layers after `layer` (NULL: the config's code) make of codes. Errors: also LS_INVALID, the model
 * cannot be cut there. */
ls_status ls_decode_run(const ls_comm *comm, const char *run, const char *layer, const ls_code_source *codes,
                        const ls_output *output);

#endif

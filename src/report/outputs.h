/* outputs.h - what a run shows people: picture grids, and files of arrays. Local. Files are whole or not there. */
#ifndef LS_REPORT_OUTPUTS_H
#define LS_REPORT_OUTPUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/shape.h"
#include "base/status.h"

/* One row of a grid: pictures of one shape. Shown are [h, w], [h, w, 1] and [h, w, 3] as they are; other channels as
 * grey tiles, one each; vectors as a square, as three (RGB) where only a third of them is a square, else as nearly a
 * square, with white at the end. */
typedef struct ls_grid_row {
    const char *label; /* written in front of it; NULL: none. Letters, digits, - and _ */
    const float *data; /* [pictures][shape] */
    ls_shape shape;
    float low, high; /* shown as black and white; equal: the smallest and the largest number of the row */
} ls_grid_row;

/* Writes rows of pictures under one another as a PNG; after `across` pictures the rows go on below. Small pictures are
 * enlarged by whole factors, to at most 96 pixels. Errors: LS_ERROR names the file. */
ls_status ls_grid_write(const char *path, const ls_grid_row *rows, int count, int64_t pictures, int64_t across);

/* A file of an array [total][shape] that comes in pieces, by the ending of its name: .h5 (a Lockstep data set), .npy
 * (NumPy, format 1.0; names and labels, if there are some, in NAME.rows.csv beside it), .csv (a header, a line a
 * sample: its name and its label, if there are some, and its numbers), .png (a grid). A NAME.rows.csv that is there is
 * replaced, or removed where it no longer holds, if Lockstep has written it; any other one is an error. */
typedef struct ls_sink_spec {
    int64_t total;
    ls_shape shape;
    bool labelled, named; /* labels and names come with the samples; and of a data set: */
    int classes;
    const char *const *class_names; /* [classes] or NULL */
    const char *settings;           /* what it is, for its reader */
    float low, high;                /* of a grid; see ls_grid_row */
    int64_t across;                 /* and how many pictures it is wide */
} ls_sink_spec;

typedef struct ls_sink ls_sink;
/* Errors: LS_INVALID: an output of this name, or what it has beside it, would take the place of a file that is to be
 * read. */
ls_status ls_sink_check_input(const char *path, const char *input);
/* Errors: LS_INVALID: an output of this name would take the place of a data set that was imported. */
ls_status ls_sink_check_imported(const char *path);
/* The spec must stay until it is closed. Errors: LS_INVALID, another ending, no such folder, a file in the way;
 * LS_ERROR. */
ls_status ls_sink_open(const char *path, const ls_sink_spec *spec, ls_sink **out);
/* data: [count][shape], the next ones; labels, names: [count] where there are some. */
ls_status ls_sink_append(ls_sink *sink, int64_t count, const float *data, const int32_t *labels,
                         const char *const *names);
/* Gives the file its name, or removes it; frees the sink in every case. To keep it, all must have been appended. NULL
 * is allowed. */
ls_status ls_sink_close(ls_sink *sink, bool keep);

#endif

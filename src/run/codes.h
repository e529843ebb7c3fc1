/* codes.h - codes to decode: from a file, the command line, a grid or a random generator.
 *
 * Those of a data set are read where they are needed; others are in memory, the same on all ranks. */
#ifndef LS_RUN_CODES_H
#define LS_RUN_CODES_H

#include <stdio.h>

#include "data/dataset.h"
#include "par/comm.h"
#include "run/apply.h"

typedef struct ls_codes {
    int64_t count;
    ls_shape shape;
    ls_dataset *dataset; /* NULL: */
    float *data;         /* [count][shape] */
} ls_codes;

/* Collective. Codes of this shape. Errors (agreed): LS_INVALID: no such file, numbers that are none, another shape.
 * ls_codes_close in every case. */
ls_status ls_codes_open(const ls_comm *comm, const ls_code_source *source, const ls_shape *shape, ls_codes *out);
void ls_codes_close(ls_codes *codes);

/* Local. out[count][shape] <- the codes from `first` on. Errors: those of ls_dataset_read and ls_codes_check. */
ls_status ls_codes_read(ls_codes *codes, int64_t first, int64_t count, float *out);

/* Local. numbers[count][shape], the codes of `path` from `first` on. Errors: LS_INVALID: one is not finite. */
ls_status ls_codes_check(const char *path, const ls_codes *codes, int64_t first, int64_t count, const float *numbers);

/* Local. The arrays of an .npy file (float32 or float64) and of a .csv file: codes->count and codes->data for
 * codes->shape. A .csv file may have a header: names, or the columns' numbers 0, 1, ... as pandas writes them (which is
 * said in the log). Its columns "label" and "name", and a first one without a name (the rows' numbers), are left out.
 * Errors: LS_INVALID names file, place and mend; LS_ERROR, the disk. */
ls_status ls_codes_load_npy(const char *path, ls_codes *codes);
ls_status ls_codes_load_csv(const char *path, ls_codes *codes);
/* Local. Opens a regular file. Errors: LS_INVALID, it cannot be opened. */
ls_status ls_codes_open_file(const char *path, FILE **out);
/* Local. "0,0.5,-1": exactly `count` finite numbers. Errors: LS_INVALID, in words that go behind a name. */
ls_status ls_codes_parse(const char *text, int64_t count, float *out);

#endif

/* arrays.h - samples that lie in memory, as a data set. Local. */
#ifndef LS_DATA_ARRAYS_H
#define LS_DATA_ARRAYS_H

#include "data/dataset.h"
#include "data/transform.h"

/* They stay the caller's, and must stay as they are until the data set is closed. */
typedef struct ls_arrays {
    int64_t count;
    const float *x; /* [count][x_shape] */
    const float *y; /* [count][y_shape]; NULL: a sample is x alone */
    ls_shape x_shape, y_shape;
} ls_arrays;

/* A sample is its numbers of x and then those of y, as one vector where there is y. It has no labels, names or
 * fingerprint. Errors: LS_ERROR, no memory. */
ls_status ls_dataset_of_arrays(const ls_arrays *arrays, ls_dataset **out);

/* Pipelines that give x, and y (x where there is none). Errors: LS_ERROR, no memory. */
ls_status ls_arrays_pipelines(const ls_dataset *dataset, const ls_arrays *arrays, ls_pipeline **input,
                              ls_pipeline **target);

#endif

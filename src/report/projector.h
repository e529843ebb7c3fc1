/* projector.h - files for TensorBoard's projector: codes as points, with labels and small pictures.
 * Local (for rank 0).
 *
 * TensorBoard looks for projector_config.pbtxt beside event files; the other files' names begin with "projector", too.
 * Each is whole or not there, and so is the set: its config goes first and comes last. Sources:
 * tensorboard/plugins/projector/projector_config.proto of TensorBoard, and
 * https://www.tensorflow.org/tensorboard/tensorboard_projector_plugin. */
#ifndef LS_REPORT_PROJECTOR_H
#define LS_REPORT_PROJECTOR_H

#include "data/dataset.h"

typedef struct ls_projection {
    const char *folder;
    ls_dataset *dataset; /* for labels and names of samples; where they are pictures of bytes, also for those */
    const ls_span *spans;
    int64_t count, samples; /* of spans; in them */
    int64_t width;          /* numbers of a code */
    const float *codes;     /* [samples][width] */
} ls_projection;

/* In place of what was there before. Errors: LS_ERROR names the file; what reading samples met. */
ls_status ls_projector_write(const ls_projection *projection);

#endif

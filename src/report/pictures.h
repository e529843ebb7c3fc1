/* pictures.h - some samples, and what a model makes of them, as a PNG. Local (for rank 0). */
#ifndef LS_REPORT_PICTURES_H
#define LS_REPORT_PICTURES_H

#include "train/task.h"

/* Draws so many samples, the first ones of the spans: the input that the model was given, the output of `layer`, and of
 * the last layer the target, if the task has one. Errors: what reading met; LS_ERROR names the file. */
ls_status ls_pictures_write(const ls_task *task, ls_dataset *dataset, ls_use use, const ls_span *spans, int64_t count,
                            const float *weights, int layer, int64_t pictures, const char *path);

#endif

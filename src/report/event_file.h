/* event_file.h - an event file, as TensorBoard reads it: scalars, pictures and histograms, each of a step. Local.
 *
 * A file only grows. A run that goes on after a stop or a kill opens another one, which TensorBoard reads after those
 * before it (its name holds the time); its first event makes TensorBoard forget what it has read of later steps, which
 * the run is about to do again. What is added waits for ls_event_file_flush and goes out in one piece. */
#ifndef LS_REPORT_EVENT_FILE_H
#define LS_REPORT_EVENT_FILE_H

#include "base/status.h"
#include "report/histogram_internal.h"

typedef struct ls_event_file ls_event_file;

/* Whether this build can write event files. Errors: LS_INVALID: it was built without protobuf-c; the message says what
 * to do. */
ls_status ls_event_file_supported(void);

/* Makes folder where it is missing, and in it a file for what comes after `step` steps. Errors: LS_ERROR names the
 * file. */
ls_status ls_event_file_open(const char *folder, int64_t step, ls_event_file **out);

/* Errors: LS_ERROR: no memory; the picture's file cannot be read. */
ls_status ls_event_file_add_scalar(ls_event_file *file, int64_t step, const char *tag, double value);
ls_status ls_event_file_add_png(ls_event_file *file, int64_t step, const char *tag, const char *path);
ls_status ls_event_file_add_histogram(ls_event_file *file, int64_t step, const char *tag,
                                      const ls_histogram *histogram);

/* Errors: LS_ERROR names the file. */
ls_status ls_event_file_flush(ls_event_file *file);
/* What has not been flushed is lost. NULL is allowed. */
void ls_event_file_close(ls_event_file *file);

#endif

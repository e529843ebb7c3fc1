/* callbacks.h - the outputs of a run, each a callback of its own (train/callback.h) in a file callback_<name>.c. A new
 * one is such a file, and a line in the table here. */
#ifndef LS_REPORT_CALLBACKS_H
#define LS_REPORT_CALLBACKS_H

#include "train/trainer.h"

typedef struct ls_tensorboard_settings {
    bool enabled;
    bool images, histograms;
    int64_t projector; /* how many samples the projector shows at most; 0: none */
} ls_tensorboard_settings;

/* The settings of all of them. */
typedef struct ls_report {
    const char *run;    /* the run's directory, which is there */
    const char *config; /* the name of what is trained, for messages */
    const char *code;   /* the layer whose outputs are the codes; "": none */
    int64_t images;     /* samples in the picture of each epoch; 0: none */
    ls_tensorboard_settings tensorboard;
} ls_report;

/* The table: one line each, told in this order.
 *   console      lines of the log, and the progress of an epoch
 *   metrics      RUN/metrics.jsonl
 *   pictures     RUN/images/epoch-NNNN.png
 *   tensorboard  event files in RUN/tensorboard/; after the pictures, which it shows
 *   projector    what TensorBoard's projector shows of the best epoch */
#define LS_REPORT_CALLBACKS(X)                                                                                         \
    X(console)                                                                                                         \
    X(metrics)                                                                                                         \
    X(pictures)                                                                                                        \
    X(tensorboard)                                                                                                     \
    X(projector)

#define LS_DECLARE_CALLBACK(name) extern const ls_callback_type ls_callback_##name;
LS_REPORT_CALLBACKS(LS_DECLARE_CALLBACK)

/* Local. Of a run that is over: its best epoch, and what to do next. */
void ls_console_tell_end(const ls_report *report, const ls_trainer *trainer);

/* The picture of the epoch that is open. path: LS_PATH_MAX. Errors: LS_INVALID, the name is too long. */
ls_status ls_picture_path(const ls_report *report, const ls_trainer *trainer, char *path);

#endif

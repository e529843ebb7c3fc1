/* trainer_parts.h - the trainer and its parts: the loop (trainer.c), what it saves and goes on from (trainer_save.c),
 * how an epoch is judged and recorded (trainer_judge.c), what is told in the end (trainer_end.c), and what TensorBoard
 * is shown of it (trainer_board.c). Private
 * to these files. What returns a status is Collective and agreed, unless it says Local. */
#ifndef LS_RUN_TRAINER_PARTS_H
#define LS_RUN_TRAINER_PARTS_H

#include "report/event_file.h"
#include "report/metrics.h"
#include "run/session.h"
#include "state/best.h"
#include "state/checkpoint.h"
#include "train/batch_source.h"
#include "train/data_cache.h"
#include "train/division.h"
#include "train/step.h"
#include "train/time_breakdown.h"

typedef struct ls_trainer {
    const ls_comm *comm;
    const ls_config *config;
    const char *run;
    int lock; /* of the run directory; rank 0 */
    ls_session session;
    ls_pulse pulse;
    double told_s[LS_TIMES]; /* in earlier epochs */
    ls_stepper stepper;
    ls_batch_source *feed;
    ls_metrics metrics;
    ls_event_file *board; /* NULL: not wanted, or not rank 0 */
    ls_best best;
    ls_position position;
} ls_trainer;

/* --- trainer_save.c --- */

/* A complete checkpoint of this moment; before it, the best weights that have not been written yet. */
ls_status ls_trainer_save(ls_trainer *t);
/* Goes on from the newest whole checkpoint; where there is none the run starts, but not over results of another start.
 */
ls_status ls_trainer_resume(ls_trainer *t);
/* Of a new run: takes over what the config's initial_weights name. */
ls_status ls_trainer_take_initial_weights(ls_trainer *t);
/* The weights of this moment are the best so far. */
ls_status ls_trainer_keep_best(ls_trainer *t);
/* Puts the best weights, if there are any, in the place of the latest. */
ls_status ls_trainer_restore_best(ls_trainer *t);
/* What the last update made of its weights a rank hears in the next step, which is too late for a checkpoint. */
ls_status ls_trainer_check_weights(const ls_trainer *t);
/* Local. Always LS_ERROR. */
ls_status ls_trainer_fail_not_finite(const ls_trainer *t, const char *what, int64_t step);
/* Local. The optimizer's, after so many reductions as the position counts. */
void ls_trainer_set_learning_rate(ls_trainer *t);

/* --- trainer_judge.c --- */

/* The scores of the weights on the validation data, and the epoch's picture. scores[LS_SCORES_MAX]: NaN where there is
 * nothing to judge by. */
ls_status ls_trainer_judge(ls_trainer *t, double *scores);
/* The epoch is the best so far, and still open: what there is to show of it alone. */
ls_status ls_trainer_show_best(ls_trainer *t);
/* Local. What the time of this rank was spent on since the last epoch's line: seconds[LS_TIMES]. */
void ls_trainer_take_times(ls_trainer *t, double *seconds);
/* Local. The epoch's line, in the log and in the metrics. */
ls_status ls_trainer_record(ls_trainer *t, const double *scores, const ls_epoch_time *times);
/* Local. Of the open epoch so far. */
double ls_trainer_mean_loss(const ls_trainer *t);

/* --- trainer_end.c --- */

/* Local. Of a run that is over: its best epoch, and what to do next. */
void ls_trainer_tell_end(const ls_trainer *t);

/* --- trainer_board.c: each does nothing where it is not wanted --- */

/* Local. Before the first epoch. */
ls_status ls_trainer_open_board(ls_trainer *t);
/* Local. The picture of the epoch, a PNG. */
ls_status ls_trainer_show_picture(ls_trainer *t, const char *path);
/* The codes of all samples of the spans, as a histogram. */
ls_status ls_trainer_show_codes(ls_trainer *t, ls_dataset *dataset, const ls_span *spans, int64_t count);
/* The codes of the first samples of the spans, as points, in place of those of an earlier epoch. Cuts the spans. */
ls_status ls_trainer_show_points(ls_trainer *t, ls_dataset *dataset, ls_span *spans, int64_t count);
/* Local. The numbers of the epoch and the weights; writes all that the epoch has shown. */
ls_status ls_trainer_show_epoch(ls_trainer *t, const ls_epoch_metrics *row);

#endif

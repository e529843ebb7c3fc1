/* profile.h - where the time of a step goes: a table of a rank's layers and works. Local. */
#ifndef LS_TRAIN_PROFILE_H
#define LS_TRAIN_PROFILE_H

#include "nn/layer.h"
#include "nn/model.h"

/* What a step does besides its layers: the loss and its gradient; and the exchange, which updates the weights. */
enum { LS_PROFILE_LOSS, LS_PROFILE_UPDATE, LS_PROFILE_OTHERS };

typedef struct ls_profile {
    int layers;
    int64_t steps, step; /* for which there is room; the one in hand */
    int place;           /* what the step is at */
    double entered_s;
    double *spent_s; /* [places][steps]; a layer's works, then the others */
} ls_profile;

/* Room for so many steps. Errors: LS_ERROR. Release in every case. */
ls_status ls_profile_init(ls_profile *profile, const ls_model *model, int64_t steps);
void ls_profile_release(ls_profile *profile);

/* A step begins and ends, at most `steps` times; within it ls_pass.turned is ls_profile_turn, and what is no layer's is
 * one of the others. NULL: nobody wants to know. */
void ls_profile_begin(ls_profile *profile);
void ls_profile_end(ls_profile *profile);
void ls_profile_turn(void *profile, int layer, ls_work work);
void ls_profile_turn_other(ls_profile *profile, int other);

/* To stdout, of medians over the steps: a table, or the elements of a JSON array. rows, peak_gflops: this rank's. */
void ls_profile_print(const ls_profile *profile, const ls_model *model, int64_t rows, double peak_gflops, bool json);

/* Puts times in rising order. */
void ls_sort_seconds(double *seconds, int64_t count);

#endif

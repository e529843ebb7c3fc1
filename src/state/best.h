/* best.h - the best weights so far: in memory on rank 0 until it is time to write them.
 *
 * A run that improves every few seconds should not write large weights as often; so best.h5 is written at most once in
 * an interval, but always before a complete checkpoint, whose position knows of the best. */
#ifndef LS_STATE_BEST_H
#define LS_STATE_BEST_H

#include "state/checkpoint.h"

typedef struct ls_best {
    const ls_comm *comm;
    const char *run;
    double interval_s;
    double written_s;     /* when best.h5 was last written; rank 0's clock */
    bool pending;         /* equal on all ranks */
    float *weights;       /* [flat count] on rank 0; NULL before there was anything to keep */
    ls_position position; /* that they belong to */
} ls_best;

/* Local. */
void ls_best_init(ls_best *best, const ls_comm *comm, const char *run, double interval_s);
void ls_best_release(ls_best *best);

/* Collective. The snapshot is the best so far: written now, or kept. */
ls_status ls_best_improved(ls_best *best, const ls_snapshot *snapshot);
/* Collective. Writes what is kept; the snapshot gives what does not change in a run. */
ls_status ls_best_flush(ls_best *best, const ls_snapshot *snapshot);

#endif

/* roll_call.h - which ranks still answer, and what they are at, while MPI hangs: small UDP packets from the other ranks
 * to rank 0, which acknowledges them. MPI itself cannot serve: only the main thread may call it, and that is what
 * hangs. While all is well a rank sends one now and then. Used by one thread a rank. */
#ifndef LS_TRAIN_ROLL_CALL_H
#define LS_TRAIN_ROLL_CALL_H

#include <stdbool.h>

#include "par/comm.h"

typedef struct ls_answer {
    int64_t step;
    int activity;
    double heard_s; /* on the caller's clock, see ls_roll_call_listen */
    double moved_s; /* when it last got on, on the same clock */
    bool reachable; /* packets came through when the roll call was opened */
} ls_answer;

typedef struct ls_roll_call ls_roll_call;

/* Collective. Tries which ranks' packets come through; one that cannot send any is no error. Errors (agreed): LS_ERROR,
 * no memory. */
ls_status ls_roll_call_open(const ls_comm *comm, ls_roll_call **out);
/* Local. NULL is allowed. */
void ls_roll_call_close(ls_roll_call *roll);

/* Local. This rank is there, at that step and activity, and has not got on for so long. */
void ls_roll_call_answer(ls_roll_call *roll, int64_t step, int activity, double idle_s);
/* Local. Waits for a packet, at most so long, and notes it as heard at now_s. Returns false at once when ended. */
bool ls_roll_call_listen(ls_roll_call *roll, double wait_s, double now_s);
/* Local, from another thread: makes listen return false. */
void ls_roll_call_end(ls_roll_call *roll);

/* Local. On rank 0 of any rank; on the others only of rank 0. */
const ls_answer *ls_roll_call_latest(const ls_roll_call *roll, int rank);

#endif

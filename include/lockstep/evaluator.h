/* evaluator.h - what a trained model makes of data: losses, codes, reconstructions.
 *
 * RUN is a run directory (its best checkpoint, else its last) or a checkpoint file; data NULL means the run's
 * validation data. All functions are Collective and give the same bytes on any number of ranks. Errors (agreed):
 * LS_INVALID: no such run or data, shapes that do not fit; LS_ERROR: disk, memory. */
#ifndef LOCKSTEP_EVALUATOR_H
#define LOCKSTEP_EVALUATOR_H

#include <stdio.h>

#include "lockstep/comm.h"

/* Prints every loss and metric as one JSON line to out (rank 0). */
ls_status ls_evaluate_run(const ls_comm *comm, const char *run, const char *data, FILE *out);

/* Writes the output of `layer` (NULL: the config's code) for every sample to a .h5 or .npy file. */
ls_status ls_encode_run(const ls_comm *comm, const char *run, const char *data, const char *layer, const char *output);

/* Writes the model's output for every sample to a .h5 or .npy file, or a grid of input | output | target of the first
 * samples to a .png. */
ls_status ls_reconstruct_run(const ls_comm *comm, const char *run, const char *data, const char *output);

#endif

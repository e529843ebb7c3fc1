/* checkpoint.h - the state of a run in one file, whole or not there.
 *
 * A checkpoint is an HDF5 file of named arrays and attributes. It does not depend on the number of ranks, and the same
 * state gives the same bytes.
 *
 *   /weights/<layer>/<array>            float32, with Keras' names and shapes
 *   /optimizer/<slot>/<layer>/<array>   float32, flat
 *
 * Attributes of the root:
 *
 *   lockstep_format, version            of the file, and of the program that wrote it
 *   config, history                     texts: the resolved config, and metrics.jsonl so far
 *   fingerprint, sample_shape, element  of the training data
 *   classes, class_names                of the training data; a line for each name
 *   validation_fingerprint              empty: the run has no validation files of its own
 *   isa, lanes                          the instruction set, and training.lanes
 *   optimizer                           its name; empty: the file holds weights only
 *   the fields of ls_position           by their names
 *
 * The first 512 bytes (HDF5's user block) hold the length of the file and a hash of all of it (store/seal.h), so a
 * damaged file is known before HDF5 opens it. The file is written beside its name, flushed to disk and renamed, and the
 * directory is flushed: a kill at any instant leaves the old file or the new one. */
#ifndef LS_STATE_CHECKPOINT_H
#define LS_STATE_CHECKPOINT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/file.h"
#include "data/dataset.h"
#include "nn/model.h"
#include "optim/optimizer.h"
#include "par/comm.h"
#include "par/shards.h"
#include "train/position.h"

/* What a checkpoint is made of. */
typedef struct ls_snapshot {
    const ls_model *model;              /* names, shapes and places of the arrays */
    const ls_optimizer_type *optimizer; /* NULL: weights only */
    /* [flat count], whole; NULL in ls_checkpoint_read: another rank reads them into shared memory. */
    float *weights;
    float *slot[LS_SLOTS_MAX]; /* this rank's shard of each slot */
    ls_shards shards;
    ls_position position;
    const char *config;          /* resolved text */
    const ls_dataset_info *data; /* of the training data */
    const char *class_names;     /* and of its classes, a line each; NULL or "": they have none */
    const char *validation;      /* fingerprint of the validation files; "": there are none */
    const char *history;         /* metrics.jsonl so far */
    int lanes;
    const char *isa;
} ls_snapshot;

/* Collective. Rank 0 writes its snapshot and, in pieces, the slots of all. Errors (agreed): LS_ERROR; what stood under
 * this name is still whole. */
ls_status ls_checkpoint_write(const ls_comm *comm, const char *path, const ls_snapshot *snapshot);

/* What is known of a checkpoint before its arrays are read. Texts are owned: ls_checkpoint_info_release. */
typedef struct ls_checkpoint_info {
    char path[LS_PATH_MAX];
    char version[32], isa[16], optimizer[LS_NAME_MAX];
    ls_dataset_info data; /* of the training data: what a model is built on, and the fingerprint; the rest is 0 */
    char validation[LS_FINGERPRINT_MAX];
    int lanes;
    bool complete; /* has the optimizer's state: can be gone on from */
    bool whole; /* its hash is right; where reading it failed all the same nothing else is known: it cannot be read, is
                   of another version, or Lockstep has not written it */
    ls_position position;
    char *config, *history, *class_names; /* class_names: as in the snapshot, "" where there are none */
} ls_checkpoint_info;

/* Local. Verifies the whole file's hash, then reads the attributes; each number is held against what it can be. Errors:
 * LS_INVALID: not a checkpoint, cut short, damaged, or not of Lockstep (says which); LS_ERROR: it cannot be read. */
ls_status ls_checkpoint_inspect(const char *path, ls_checkpoint_info *info);
void ls_checkpoint_info_release(ls_checkpoint_info *info);

/* Local; the file must have been verified (by any rank). Reads the arrays into weights and, where snapshot->optimizer
 * is set, this rank's shard of the slots; nothing else of the snapshot is changed, nor are the gaps between arrays.
 * Errors: LS_INVALID: another optimizer; an array is missing or has another shape (names it); LS_ERROR: it cannot be
 * read. */
ls_status ls_checkpoint_read(const char *path, ls_snapshot *snapshot);

/* Local; the file must have been verified. Reads the weights of those layers that the checkpoint has by the same name,
 * into snapshot->weights unless it is NULL, and leaves the others; a line tells which are which. Errors: LS_INVALID: an
 * array has another shape (names it), or there is no such layer. */
ls_status ls_checkpoint_read_common(const char *path, const ls_snapshot *snapshot);

/* --- a run directory's checkpoints/: step-NNNNNNNNNN.h5 (complete), last.h5 (a link to the latest of them), best.h5
 * (weights only) --- */

/* Collective. Writes the numbered file, points last.h5 at it, and removes those before it but for the newest keep - 1;
 * also what a killed run left half written. Errors (agreed): LS_ERROR; nothing is lost then. */
ls_status ls_checkpoint_save(const ls_comm *comm, const char *run, const ls_snapshot *snapshot, int64_t keep);
/* Collective. Replaces best.h5 by the snapshot's weights. Before ls_checkpoint_save, so that a position that knows of a
 * best one has it. */
ls_status ls_checkpoint_save_best(const ls_comm *comm, const char *run, const ls_snapshot *snapshot);

/* Collective. Makes last.h5 name the checkpoint that a run goes on from: a kill may have come between the newest one
 * and its link, or the link may name a damaged one. Errors (agreed): LS_ERROR, the file. */
ls_status ls_checkpoint_set_last(const ls_comm *comm, const char *run, int64_t step);

/* Collective. The newest complete checkpoint of a run that verifies; damaged ones are named in a warning and passed
 * over. All ranks get the same info; LS_OK with info->path empty: there is none. Release it. Errors (agreed):
 * LS_INVALID: there are some, but all are damaged, or the newest is whole and of another version, say; LS_ERROR: one
 * cannot be read: it may be whole, and an older one would undo what was done since. */
ls_status ls_checkpoint_newest(const ls_comm *comm, const char *run, ls_checkpoint_info *info);

/* Collective. What RUN means on a command line: a checkpoint file, or a run directory (its best checkpoint, else its
 * newest), verified. All ranks get the same info; release it. Errors (agreed): LS_INVALID: there is no such thing, or
 * it is damaged. */
ls_status ls_checkpoint_find(const ls_comm *comm, const char *run, ls_checkpoint_info *info);

/* Local. Prints to `out` where two checkpoints differ: arrays (how many numbers, by how much at most), lanes and
 * position (but for the seconds). The two are equal when there is nothing to print. Errors: LS_INVALID, one cannot be
 * read. */
ls_status ls_checkpoint_diff(const char *a, const char *b, FILE *out, bool *equal);

#endif

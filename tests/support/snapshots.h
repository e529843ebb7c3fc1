/* snapshots.h - the state of a small run, in parts as ranks hold it, for tests of checkpoints. */
#ifndef SUPPORT_SNAPSHOTS_H
#define SUPPORT_SNAPSHOTS_H

#include "state/checkpoint.h"

/* A rank's part of a run; what it points to is owned. */
typedef struct state {
    ls_model *model;
    ls_snapshot snapshot;
} state;

/* Numbers that follow from `version` and their places; filled: else all zero, to be read into. */
state new_state(int rank, int size, uint32_t version, bool filled);
void free_state(state *s);

/* Weights, slots and position are the same, bit for bit. */
void expect_same_arrays(const state *a, const state *b);
void expect_same_position(const ls_position *a, const ls_position *b);

/* The whole file; the caller frees it. */
char *read_whole(const char *path, int64_t *bytes);
void expect_same_files(const char *a, const char *b);

#endif

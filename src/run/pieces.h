/* pieces.h - who runs a model over which samples where nothing is trained. Private to run. Local.
 *
 * The samples are cut into pieces of at most a lane's rows; a piece is the unit of summation, so sums do not depend on
 * the number of ranks. A chunk is so many pieces that every rank can hold one; rank r takes the chunks r, r + size, r +
 * 2 size, ...: one each round. */
#ifndef LS_RUN_PIECES_H
#define LS_RUN_PIECES_H

#include "data/loader.h"
#include "data/sampler.h"
#include "run/session.h"

typedef struct ls_pieces {
    const ls_session *session;
    ls_span *piece; /* [count], owned */
    int64_t count;
    int64_t chunk_pieces; /* pieces in a chunk */
    int64_t rounds;       /* chunks of the rank that has most */
    int64_t round;        /* the next one of ls_pieces_next */
} ls_pieces;

/* Errors: LS_ERROR, no memory. ls_pieces_release in every case. */
ls_status ls_pieces_make(const ls_session *session, const ls_span *spans, int64_t count, ls_pieces *out);
void ls_pieces_release(ls_pieces *pieces);

/* The number of the first piece of a rank's chunk; `count` where it has none. */
int64_t ls_pieces_first(const ls_pieces *pieces, int64_t round, int rank);
/* The rows of a chunk, at most. */
int64_t ls_pieces_rows(const ls_pieces *pieces);

/* An ls_next_fn: this rank's next chunk as a batch, each piece a lane, all in one subtree. */
ls_status ls_pieces_next(void *pieces, ls_batch *batch, bool *more);
/* A loader of those batches, with their targets or without; the pieces must stay until it is closed. Errors: LS_ERROR.
 */
ls_status ls_pieces_open_loader(ls_pieces *pieces, ls_dataset *dataset, ls_use use, bool targeted, ls_loader **out);

/* A pass over such a batch. */
ls_pass ls_pieces_pass(const ls_pieces *pieces, const ls_batch *batch);

#endif

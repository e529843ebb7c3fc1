#include "run/pieces.h"

#include "base/integers.h"
#include "base/memory.h"

enum { BATCHES_AHEAD = 2 };

ls_status ls_pieces_make(const ls_session *session, const ls_span *spans, int64_t count, ls_pieces *out) {
    int64_t rows = ls_session_lane_rows(session);
    *out = (ls_pieces){.session = session, .count = ls_spans_cut(spans, count, rows, NULL)};
    LS_TRY(ls_alloc(&out->piece, out->count, sizeof(ls_span), "the pieces of an evaluation"));
    ls_spans_cut(spans, count, rows, out->piece);
    out->chunk_pieces = ls_session_chunk_pieces(session);
    int64_t chunks = (out->count + out->chunk_pieces - 1) / out->chunk_pieces;
    out->rounds = (chunks + session->comm->size - 1) / session->comm->size;
    return LS_OK;
}

void ls_pieces_release(ls_pieces *pieces) { ls_free(pieces->piece); }

int64_t ls_pieces_first(const ls_pieces *pieces, int64_t round, int rank) {
    return ls_min((round * pieces->session->comm->size + rank) * pieces->chunk_pieces, pieces->count);
}

int64_t ls_pieces_rows(const ls_pieces *pieces) { return pieces->chunk_pieces * ls_session_lane_rows(pieces->session); }

ls_status ls_pieces_next(void *context, ls_batch *batch, bool *more) {
    ls_pieces *p = context;
    int64_t begin = ls_pieces_first(p, p->round, p->session->comm->rank), row = 0;
    int64_t end = ls_min(begin + p->chunk_pieces, p->count);
    *more = begin < end;
    if (!*more) return LS_OK;
    p->round++;
    batch->epoch = 0;
    batch->rows.lanes = (int)(end - begin);
    for (int64_t i = begin; i < end; i++) {
        batch->rows.lane_begin[i - begin] = row;
        for (int64_t s = 0; s < p->piece[i].count; s++) batch->samples[row++] = p->piece[i].first + s;
    }
    batch->rows.lane_begin[end - begin] = row;
    batch->rows.count = batch->rows.global_count = row;
    batch->rows.subtrees = 1;
    batch->rows.subtree_begin[1] = batch->rows.lanes;
    return LS_OK;
}

ls_status ls_pieces_open_loader(ls_pieces *pieces, ls_dataset *dataset, ls_use use, bool targeted, ls_loader **out) {
    ls_loader_spec spec = ls_session_loader(pieces->session, dataset, use);
    if (!targeted) spec.target = NULL;
    spec.max_rows = ls_pieces_rows(pieces);
    spec.depth = BATCHES_AHEAD;
    spec.next = ls_pieces_next;
    spec.context = pieces;
    return ls_loader_open(&spec, out);
}

ls_pass ls_pieces_pass(const ls_pieces *pieces, const ls_batch *batch) {
    const ls_session *session = pieces->session;
    return (ls_pass){.pool = session->pool,
                     .rows = &batch->rows,
                     .samples = batch->samples,
                     .seed = (uint64_t)session->config->seed};
}

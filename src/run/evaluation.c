#include "run/evaluation.h"

#include <string.h>

#include "lockstep/memory.h"
#include "lockstep/outputs.h"

enum { BATCHES_AHEAD = 2 };

/* Which pieces there are and who takes them. */
typedef struct plan {
    const ls_session *session;
    ls_span *pieces;
    int64_t count;
    int64_t chunk_pieces; /* pieces in a chunk */
    int64_t rounds;       /* chunks of the rank that has most */
    int64_t round;        /* the next one of the loader's thread */
} plan;

static ls_status make_plan(const ls_session *session, const ls_span *spans, int64_t count, plan *out) {
    int64_t rows = ls_session_lane_rows(session);
    *out = (plan){.session = session, .count = ls_spans_cut(spans, count, rows, NULL)};
    LS_TRY(ls_alloc(&out->pieces, out->count, sizeof(ls_span), "the pieces of an evaluation"));
    ls_spans_cut(spans, count, rows, out->pieces);
    out->chunk_pieces = ls_session_chunk_pieces(session);
    int64_t chunks = (out->count + out->chunk_pieces - 1) / out->chunk_pieces;
    out->rounds = (chunks + session->comm->size - 1) / session->comm->size;
    return LS_OK;
}

static int64_t first_piece(const plan *p, int64_t round, int rank) {
    int64_t first = (round * p->session->comm->size + rank) * p->chunk_pieces;
    return first < p->count ? first : p->count;
}

/* A chunk as a batch: each piece is a lane, all in one node. Runs on the loader's thread. */
static ls_status next_chunk(void *context, ls_batch *batch, bool *more) {
    plan *p = context;
    int64_t begin = first_piece(p, p->round, p->session->comm->rank), end = begin + p->chunk_pieces, row = 0;
    if (end > p->count) end = p->count;
    *more = begin < end;
    if (!*more) return LS_OK;
    p->round++;
    batch->epoch = 0;
    batch->rows.lanes = (int)(end - begin);
    for (int64_t i = begin; i < end; i++) {
        batch->rows.lane_begin[i - begin] = row;
        for (int64_t s = 0; s < p->pieces[i].count; s++) batch->samples[row++] = p->pieces[i].first + s;
    }
    batch->rows.lane_begin[end - begin] = row;
    batch->rows.count = batch->rows.global_count = row;
    batch->rows.nodes = 1;
    batch->rows.node_begin[1] = batch->rows.lanes;
    return LS_OK;
}

static ls_status open_loader(plan *p, ls_dataset *dataset, ls_loader **out) {
    const ls_session *session = p->session;
    ls_loader_spec spec = {.dataset = dataset,
                           .input = session->input,
                           .target = session->target,
                           .seed = (uint64_t)session->config->seed,
                           .max_rows = p->chunk_pieces * ls_session_lane_rows(session),
                           .depth = BATCHES_AHEAD,
                           .next = next_chunk,
                           .context = p};
    return ls_loader_open(&spec, out);
}

static ls_pass evaluation_pass(const ls_session *session, const ls_rows *rows, const int64_t *samples) {
    return (ls_pass){.pool = session->pool, .rows = rows, .samples = samples, .seed = (uint64_t)session->config->seed};
}

/* --- scores --- */

/* sums[round][piece of chunk][score] of this rank. */
static ls_status local_sums(plan *p, ls_loader *loader, const float *weights, double *row_values, double *sums) {
    const ls_session *session = p->session;
    const ls_batch *batch;
    for (int64_t round = 0;; round++) {
        LS_TRY(ls_loader_next(loader, &batch));
        if (!batch) return LS_OK;
        ls_pass pass = evaluation_pass(session, &batch->rows, batch->samples);
        ls_model_forward(session->model, &pass, weights, batch->input, -1);
        ls_scores_measure(session, &pass, weights, batch->target, row_values,
                          sums + round * p->chunk_pieces * ls_scores_count(session->config));
    }
}

/* all[rank][round][piece of chunk][score]: means, added in the order of the pieces. */
static void add_in_order(const plan *p, const double *all, double *scores) {
    double samples = 0;
    int size = p->session->comm->size, count = ls_scores_count(p->session->config);
    for (int s = 0; s < count; s++) scores[s] = 0;
    for (int64_t i = 0; i < p->count; i++) {
        int64_t chunk = i / p->chunk_pieces;
        int64_t piece = ((chunk % size) * p->rounds + chunk / size) * p->chunk_pieces + i % p->chunk_pieces;
        for (int s = 0; s < count; s++) scores[s] += all[piece * count + s];
        samples += (double)p->pieces[i].count;
    }
    for (int s = 0; s < count; s++) scores[s] /= samples;
}

typedef struct sums {
    int64_t count; /* of mine */
    double *row_values, *mine, *all;
} sums;

static ls_status make_sums(const plan *p, sums *out) {
    out->count = p->rounds * p->chunk_pieces * ls_scores_count(p->session->config);
    int64_t max_rows = ls_session_limits(p->session).max_rows;
    LS_TRY(ls_alloc(&out->row_values, 2 * max_rows, sizeof(double), "the losses of a batch"));
    LS_TRY(ls_alloc(&out->mine, out->count, sizeof(double), "the losses of pieces"));
    return ls_alloc(&out->all, out->count * p->session->comm->size, sizeof(double), "the losses of all pieces");
}

ls_status ls_evaluation_scores(const ls_session *session, ls_dataset *dataset, const ls_span *spans, int64_t count,
                               const float *weights, double *scores) {
    plan p = {0};
    sums s = {0};
    ls_loader *loader = NULL;
    ls_status status;
    if (LS_FAILED(status = make_plan(session, spans, count, &p))) goto agree;
    if (LS_FAILED(status = make_sums(&p, &s))) goto agree;
    if (LS_FAILED(status = open_loader(&p, dataset, &loader))) goto agree;
    status = local_sums(&p, loader, weights, s.row_values, s.mine);
agree:
    if (LS_FAILED(status = ls_agree(session->comm, status))) goto done;
    ls_comm_gather_all(session->comm, s.mine, s.count * (int64_t)sizeof(double), s.all);
    add_in_order(&p, s.all, scores);
done:
    ls_loader_close(loader);
    ls_free(s.row_values);
    ls_free(s.mine);
    ls_free(s.all);
    ls_free(p.pieces);
    return status;
}

/* --- outputs --- */

typedef struct output_buffers {
    float *mine; /* [chunk rows][width] */
    float *all;  /* [rows of all ranks' chunks][width], on rank 0 */
} output_buffers;

static ls_status make_buffers(const plan *p, int64_t width, output_buffers *out) {
    const ls_comm *comm = p->session->comm;
    int64_t chunk_floats = p->chunk_pieces * ls_session_lane_rows(p->session) * width;
    LS_TRY(ls_alloc(&out->mine, chunk_floats, sizeof(float), "a chunk of outputs"));
    return ls_alloc(&out->all, comm->rank == 0 ? chunk_floats * comm->size : 0, sizeof(float), "chunks of outputs");
}

/* This rank's chunk of a round into buffers->mine; *rows is 0 where it has none left. */
static ls_status local_outputs(const plan *p, ls_loader *loader, const float *weights, int layer, int64_t width,
                               output_buffers *buffers, int64_t *rows) {
    const ls_session *session = p->session;
    const ls_batch *batch;
    *rows = 0;
    LS_TRY(ls_loader_next(loader, &batch));
    if (!batch) return LS_OK;
    ls_pass pass = evaluation_pass(session, &batch->rows, batch->samples);
    ls_model_forward(session->model, &pass, weights, batch->input, layer);
    const float *output = ls_model_predict(session->model, &pass, layer);
    *rows = batch->rows.count;
    memcpy(buffers->mine, output, (size_t)(*rows * width) * sizeof(float));
    return LS_OK;
}

static ls_status append_round(const plan *p, int64_t round, const output_buffers *buffers, ls_append_fn append,
                              void *context) {
    if (p->session->comm->rank != 0) return LS_OK;
    int64_t begin = first_piece(p, round, 0), end = first_piece(p, round + 1, 0);
    return append(context, ls_spans_samples(p->pieces + begin, end - begin), buffers->all);
}

static ls_status all_rounds(const plan *p, ls_loader *loader, const float *weights, int layer, output_buffers *buffers,
                            ls_append_fn append, void *context) {
    const ls_comm *comm = p->session->comm;
    int64_t width = ls_shape_count(&ls_model_layer(p->session->model, layer)->out);
    for (int64_t round = 0; round < p->rounds; round++) {
        int64_t rows;
        LS_TRY(ls_agree(comm, local_outputs(p, loader, weights, layer, width, buffers, &rows)));
        ls_comm_collect(comm, buffers->mine, rows * width * (int64_t)sizeof(float), buffers->all);
        LS_TRY(ls_agree(comm, append_round(p, round, buffers, append, context)));
    }
    return LS_OK;
}

ls_status ls_evaluation_outputs(const ls_session *session, ls_dataset *dataset, const ls_span *spans, int64_t count,
                                const float *weights, int layer, ls_append_fn append, void *context) {
    plan p = {0};
    output_buffers buffers = {0};
    ls_loader *loader = NULL;
    ls_status status;
    if (LS_FAILED(status = make_plan(session, spans, count, &p))) goto agree;
    int64_t width = ls_shape_count(&ls_model_layer(session->model, layer)->out);
    if (LS_FAILED(status = make_buffers(&p, width, &buffers))) goto agree;
    status = open_loader(&p, dataset, &loader);
agree:
    if (LS_FAILED(status = ls_agree(session->comm, status))) goto done;
    status = all_rounds(&p, loader, weights, layer, &buffers, append, context);
done:
    ls_loader_close(loader);
    ls_free(buffers.mine);
    ls_free(buffers.all);
    ls_free(p.pieces);
    return status;
}

/* --- pictures --- */

/* Rows of a grid: input | output | target of `count` samples. */
typedef struct pictures {
    int64_t count;
    int64_t *samples;
    float *input, *output, *target;
} pictures;

static ls_status make_pictures(const ls_session *session, const ls_span *spans, int64_t count, int64_t wanted,
                               pictures *out) {
    ls_shape in = ls_model_input_shape(session->model), result = ls_model_output_shape(session->model);
    LS_TRY(ls_alloc(&out->samples, wanted, sizeof(int64_t), "the samples of a picture"));
    LS_TRY(ls_alloc(&out->input, wanted * ls_shape_count(&in), sizeof(float), "the inputs of a picture"));
    LS_TRY(ls_alloc(&out->output, wanted * ls_shape_count(&result), sizeof(float), "the outputs of a picture"));
    LS_TRY(ls_alloc(&out->target, wanted * ls_shape_count(&result), sizeof(float), "the targets of a picture"));
    for (int64_t i = 0; i < count; i++)
        for (int64_t s = 0; s < spans[i].count && out->count < wanted; s++)
            out->samples[out->count++] = spans[i].first + s;
    return LS_OK;
}

typedef struct picture_feed {
    const pictures *pictures;
    int64_t at, max_rows;
} picture_feed;

static ls_status next_pictures(void *context, ls_batch *batch, bool *more) {
    picture_feed *feed = context;
    int64_t left = feed->pictures->count - feed->at, rows = left < feed->max_rows ? left : feed->max_rows;
    *more = rows > 0;
    if (!*more) return LS_OK;
    batch->rows = ls_rows_single(rows);
    batch->epoch = 0;
    memcpy(batch->samples, feed->pictures->samples + feed->at, (size_t)rows * sizeof(int64_t));
    feed->at += rows;
    return LS_OK;
}

static ls_status fill_pictures(const ls_session *session, ls_loader *loader, const float *weights, pictures *p) {
    ls_shape in = ls_model_input_shape(session->model), out = ls_model_output_shape(session->model);
    size_t in_bytes = (size_t)ls_shape_count(&in) * sizeof(float),
           out_bytes = (size_t)ls_shape_count(&out) * sizeof(float);
    int last = ls_model_layers(session->model) - 1;
    const ls_batch *batch;
    for (int64_t at = 0;; at += batch->rows.count) {
        LS_TRY(ls_loader_next(loader, &batch));
        if (!batch) return LS_OK;
        size_t rows = (size_t)batch->rows.count;
        ls_pass pass = evaluation_pass(session, &batch->rows, batch->samples);
        ls_model_forward(session->model, &pass, weights, batch->input, last);
        memcpy(p->input + at * ls_shape_count(&in), batch->input, rows * in_bytes);
        memcpy(p->output + at * ls_shape_count(&out), ls_model_predict(session->model, &pass, last), rows * out_bytes);
        memcpy(p->target + at * ls_shape_count(&out), batch->target, rows * out_bytes);
    }
}

static ls_status write_pictures(const ls_session *session, const pictures *p, const char *path) {
    float low, high;
    ls_pipeline_range(session->target, &low, &high);
    ls_shape in = ls_model_input_shape(session->model), target = ls_pipeline_shape(session->target);
    ls_grid_row rows[] = {{.data = p->input, .shape = in, .low = low, .high = high},
                          {.data = p->output, .shape = target, .low = low, .high = high},
                          {.data = p->target, .shape = target, .low = low, .high = high}};
    return ls_grid_write(path, rows, 3, p->count);
}

ls_status ls_evaluation_pictures(const ls_session *session, ls_dataset *dataset, const ls_span *spans, int64_t count,
                                 const float *weights, int64_t wanted, const char *path) {
    pictures p = {0};
    picture_feed feed = {.pictures = &p, .max_rows = ls_session_limits(session).max_rows};
    ls_loader_spec spec = {.dataset = dataset,
                           .input = session->input,
                           .target = session->target,
                           .seed = (uint64_t)session->config->seed,
                           .max_rows = feed.max_rows,
                           .depth = 1,
                           .next = next_pictures,
                           .context = &feed};
    ls_loader *loader = NULL;
    ls_status status;
    if (LS_FAILED(status = make_pictures(session, spans, count, wanted, &p))) goto done;
    if (LS_FAILED(status = ls_loader_open(&spec, &loader))) goto done;
    if (LS_FAILED(status = fill_pictures(session, loader, weights, &p))) goto done;
    status = write_pictures(session, &p, path);
done:
    ls_loader_close(loader);
    ls_free(p.samples);
    ls_free(p.input);
    ls_free(p.output);
    ls_free(p.target);
    return status;
}

/* evaluation_outputs.c - what a model makes of samples or codes, brought to rank 0; see evaluation.h. */
#include "base/memory.h"
#include "run/evaluation.h"
#include "run/pieces.h"

/* Runs the model on this rank's next chunk. *output: [rows][width], valid until the next call; rows 0: none left. */
typedef ls_status (*run_chunk_fn)(void *context, const ls_pieces *pieces, int64_t *rows, const float **output);

typedef struct output_job {
    run_chunk_fn run;
    void *context;
    int64_t width; /* numbers of an output */
    ls_append_fn append;
    void *append_context;
} output_job;

static ls_status append_round(const ls_pieces *p, int64_t round, const output_job *job, const float *all) {
    if (p->session->comm->rank != 0) return LS_OK;
    int64_t begin = ls_pieces_first(p, round, 0), end = ls_pieces_first(p, round + 1, 0);
    return job->append(job->append_context, p->piece + begin, end - begin, all);
}

/* Collective. all: on rank 0, for the chunks of all ranks. */
static ls_status all_rounds(const ls_pieces *p, const output_job *job, float *all) {
    const ls_comm *comm = p->session->comm;
    for (int64_t round = 0; round < p->rounds; round++) {
        int64_t rows = 0;
        const float *output = NULL;
        LS_TRY(ls_agree(comm, job->run(job->context, p, &rows, &output)));
        ls_comm_collect(comm, output, rows * job->width * (int64_t)sizeof(float), all);
        LS_TRY(ls_agree(comm, append_round(p, round, job, all)));
        ls_pulse_beat(p->session->pulse);
    }
    return LS_OK;
}

static ls_status bring_all(const ls_pieces *p, const output_job *job) {
    const ls_comm *comm = p->session->comm;
    float *all = NULL;
    int64_t floats = comm->rank == 0 ? ls_pieces_rows(p) * comm->size * job->width : 0;
    ls_status status = ls_agree(comm, ls_alloc(&all, floats, sizeof(float), "chunks of outputs"));
    if (status == LS_OK) status = all_rounds(p, job, all);
    ls_free(all);
    return status;
}

static int64_t output_width(const ls_session *session, int layer) {
    return ls_shape_count(&ls_model_layer(session->model, layer)->out);
}

/* --- of samples --- */

typedef struct encoder {
    ls_loader *loader;
    const float *weights;
    int layer;
} encoder;

static ls_status run_encoder(void *context, const ls_pieces *p, int64_t *rows, const float **output) {
    const encoder *e = context;
    const ls_batch *batch;
    LS_TRY(ls_loader_next(e->loader, &batch));
    if (!batch) return LS_OK;
    ls_pass pass = ls_pieces_pass(p, batch);
    ls_model_forward(p->session->model, &pass, e->weights, batch->input, e->layer);
    *output = ls_model_predict(p->session->model, &pass, e->layer);
    *rows = batch->rows.count;
    return LS_OK;
}

ls_status ls_evaluation_outputs(const ls_session *session, ls_dataset *dataset, ls_use use, const ls_span *spans,
                                int64_t count, const float *weights, int layer, ls_append_fn append, void *context) {
    encoder e = {.weights = weights, .layer = layer};
    output_job job = {run_encoder, &e, output_width(session, layer), append, context};
    ls_pieces p;
    ls_status status = ls_pieces_make(session, spans, count, &p);
    if (status == LS_OK) status = ls_pieces_open_loader(&p, dataset, use, false, &e.loader);
    status = ls_agree(session->comm, status);
    if (status == LS_OK) status = bring_all(&p, &job);
    ls_loader_close(e.loader);
    ls_pieces_release(&p);
    return status;
}

/* --- of codes --- */

typedef struct decoder {
    ls_pieces *pieces;
    ls_codes *codes;
    ls_batch batch; /* its input is the codes */
    const float *weights;
    int layer;
} decoder;

static ls_status run_decoder(void *context, const ls_pieces *p, int64_t *rows, const float **output) {
    decoder *d = context;
    ls_model *model = p->session->model;
    bool more;
    LS_TRY(ls_pieces_next(d->pieces, &d->batch, &more));
    if (!more) return LS_OK;
    LS_TRY(ls_codes_read(d->codes, d->batch.samples[0], d->batch.rows.count, d->batch.input));
    ls_pass pass = ls_pieces_pass(p, &d->batch);
    ls_model_forward_after(model, &pass, d->weights, d->layer, d->batch.input);
    *output = ls_model_predict(model, &pass, ls_model_layers(model) - 1);
    *rows = d->batch.rows.count;
    return LS_OK;
}

static ls_status make_decoder(decoder *d) {
    int64_t rows = ls_pieces_rows(d->pieces);
    LS_TRY(ls_alloc(&d->batch.samples, rows, sizeof(int64_t), "a batch of codes"));
    return ls_alloc(&d->batch.input, rows * ls_shape_count(&d->codes->shape), sizeof(float), "a batch of codes");
}

ls_status ls_evaluation_decode(const ls_session *session, ls_codes *codes, const float *weights, int layer,
                               ls_append_fn append, void *context) {
    ls_pieces p;
    ls_span all = {0, codes->count};
    decoder d = {.pieces = &p, .codes = codes, .weights = weights, .layer = layer};
    output_job job = {run_decoder, &d, output_width(session, ls_model_layers(session->model) - 1), append, context};
    ls_status status = ls_pieces_make(session, &all, 1, &p);
    if (status == LS_OK) status = make_decoder(&d);
    status = ls_agree(session->comm, status);
    if (status == LS_OK) status = bring_all(&p, &job);
    ls_free(d.batch.samples);
    ls_free(d.batch.input);
    ls_pieces_release(&p);
    return status;
}

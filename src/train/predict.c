/* predict.c - every rank runs the model on a chunk a round, and rank 0 collects them. */
#include "train/predict.h"

#include "base/memory.h"

static ls_status append_round(const ls_microbatches *p, int64_t round, const ls_prediction *job, const float *all) {
    if (p->task->comm->rank != 0) return LS_OK;
    int64_t begin = ls_microbatches_first(p, round, 0), end = ls_microbatches_first(p, round + 1, 0);
    return job->append(job->append_context, p->microbatch + begin, end - begin, all);
}

/* Collective. all: on rank 0, for the chunks of all ranks. */
static ls_status all_rounds(const ls_microbatches *p, const ls_prediction *job, float *all) {
    const ls_comm *comm = p->task->comm;
    for (int64_t round = 0; round < p->rounds; round++) {
        int64_t rows = 0;
        const float *output = NULL;
        LS_TRY(ls_agree(comm, job->run(job->context, p, &rows, &output)));
        ls_comm_collect(comm, output, rows * job->width * (int64_t)sizeof(float), all);
        LS_TRY(ls_agree(comm, append_round(p, round, job, all)));
        ls_pulse_beat(p->task->pulse);
    }
    return LS_OK;
}

ls_status ls_predict_chunks(const ls_microbatches *p, const ls_prediction *job) {
    const ls_comm *comm = p->task->comm;
    float *all = NULL;
    int64_t floats = comm->rank == 0 ? ls_microbatches_rows(p) * comm->size * job->width : 0;
    ls_status status = ls_agree(comm, ls_alloc(&all, floats, sizeof(float), "chunks of outputs"));
    if (status == LS_OK) status = all_rounds(p, job, all);
    ls_free(all);
    return status;
}

static int64_t output_width(const ls_task *task, int layer) {
    return ls_shape_count(&ls_model_layer(task->model, layer)->out);
}

/* --- of samples --- */

typedef struct encoder {
    ls_loader *loader;
    const float *weights;
    int layer;
} encoder;

static ls_status run_encoder(void *context, const ls_microbatches *p, int64_t *rows, const float **output) {
    const encoder *e = context;
    const ls_batch *batch;
    LS_TRY(ls_loader_next(e->loader, &batch));
    if (batch == NULL) return LS_OK;
    ls_pass pass = ls_microbatches_pass(p, batch);
    ls_model_forward(p->task->model, &pass, e->weights, batch->input, e->layer);
    *output = ls_model_predict(p->task->model, &pass, e->layer);
    *rows = batch->rows.count;
    return LS_OK;
}

ls_status ls_predict_samples(const ls_task *task, ls_dataset *dataset, ls_use use, const ls_span *spans, int64_t count,
                             const float *weights, int layer, ls_append_fn append, void *context) {
    encoder e = {.weights = weights, .layer = layer};
    ls_prediction job = {run_encoder, &e, output_width(task, layer), append, context};
    ls_microbatches p;
    ls_status status = ls_microbatches_make(task, spans, count, &p);
    if (status == LS_OK) status = ls_microbatches_open_loader(&p, dataset, use, false, &e.loader);
    status = ls_agree(task->comm, status);
    if (status == LS_OK) status = ls_predict_chunks(&p, &job);
    ls_loader_close(e.loader);
    ls_microbatches_release(&p);
    return status;
}

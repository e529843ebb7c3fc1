/* evaluation.c - every rank measures its microbatches, and rank 0 adds their sums in the order of the samples. */
#include "train/evaluation.h"

#include "base/memory.h"

/* sums[round][microbatch of chunk][score] of this rank. */
static ls_status local_sums(const ls_microbatches *p, ls_loader *loader, const ls_measure *m, double *sums) {
    const ls_batch *batch;
    for (int64_t round = 0;; round++) {
        LS_TRY(ls_loader_next(loader, &batch));
        if (batch == NULL) return LS_OK;
        ls_pulse_beat(p->task->pulse);
        m->batch(m->context, p, batch, sums + round * p->chunk * m->scores);
    }
}

/* all[rank][round][microbatch of chunk][score]: means, added in the order of the microbatches. */
static void add_in_order(const ls_microbatches *p, const double *all, int scores, double *mean) {
    int size = p->task->comm->size;
    for (int s = 0; s < scores; s++) mean[s] = 0;
    for (int64_t i = 0; i < p->count; i++) {
        int64_t chunk = i / p->chunk, of_rank = (chunk % size) * p->rounds + chunk / size;
        int64_t place = of_rank * p->chunk + i % p->chunk;
        for (int s = 0; s < scores; s++) mean[s] += all[place * scores + s];
    }
    for (int s = 0; s < scores; s++) mean[s] /= (double)ls_spans_samples(p->microbatch, p->count);
}

typedef struct microbatch_sums {
    int64_t count;      /* of mine */
    double *mine, *all; /* all: of rank 0 */
} microbatch_sums;

static ls_status make_sums(const ls_microbatches *p, int scores, microbatch_sums *out) {
    out->count = p->rounds * p->chunk * scores;
    LS_TRY(ls_alloc(&out->mine, out->count, sizeof(double), "the losses of microbatches"));
    if (p->task->comm->rank > 0) return LS_OK;
    return ls_alloc(&out->all, out->count * p->task->comm->size, sizeof(double), "the losses of all microbatches");
}

ls_status ls_evaluation_mean(const ls_task *task, ls_dataset *dataset, const ls_span *spans, int64_t count,
                             const ls_measure *m, double *mean) {
    ls_microbatches p = {0};
    microbatch_sums s = {0};
    ls_loader *loader = NULL;
    ls_status status;
    if (LS_FAILED(status = ls_microbatches_make(task, spans, count, &p))) goto agree;
    if (LS_FAILED(status = make_sums(&p, m->scores, &s))) goto agree;
    if (LS_FAILED(status = ls_microbatches_open_loader(&p, dataset, LS_USE_VALIDATION, true, &loader))) goto agree;
    status = local_sums(&p, loader, m, s.mine);
agree:
    if (LS_FAILED(status = ls_agree(task->comm, status))) goto done;
    ls_comm_collect(task->comm, s.mine, s.count * (int64_t)sizeof(double), s.all);
    if (task->comm->rank == 0) add_in_order(&p, s.all, m->scores, mean);
    ls_comm_broadcast(task->comm, mean, m->scores * (int64_t)sizeof(double), 0);
done:
    ls_loader_close(loader);
    ls_free(s.mine);
    ls_free(s.all);
    ls_microbatches_release(&p);
    return status;
}

/* --- of the model --- */

typedef struct model_scores {
    const float *weights;
    double *row_values; /* [2 max rows] */
} model_scores;

static void measure_model(void *context, const ls_microbatches *p, const ls_batch *batch, double *sums) {
    const model_scores *of = context;
    ls_pass pass = ls_microbatches_pass(p, batch);
    ls_model_forward(p->task->model, &pass, of->weights, batch->input, -1);
    ls_scores_measure(p->task, &pass, of->weights, batch->target, of->row_values, sums);
}

ls_status ls_evaluation_scores(const ls_task *task, ls_dataset *dataset, const ls_span *spans, int64_t count,
                               const float *weights, double *scores) {
    model_scores of = {.weights = weights};
    ls_measure m = {.scores = ls_scores_count(task), .batch = measure_model, .context = &of};
    int64_t max_rows = ls_task_limits(task).max_rows;
    ls_status status = ls_alloc(&of.row_values, 2 * max_rows, sizeof(double), "the losses of a batch");
    status = ls_agree(task->comm, status);
    if (status == LS_OK) status = ls_evaluation_mean(task, dataset, spans, count, &m, scores);
    ls_free(of.row_values);
    return status;
}

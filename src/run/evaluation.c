/* evaluation.c - means over samples; see evaluation.h. */
#include "run/evaluation.h"

#include <math.h>

#include "base/integers.h"
#include "base/memory.h"
#include "run/pieces.h"

/* What is measured of every sample: sums[lanes of the batch][scores]. */
typedef struct measure {
    int scores;
    void (*batch)(void *context, const ls_pieces *pieces, const ls_batch *batch, double *sums);
    void *context;
} measure;

/* sums[round][piece of chunk][score] of this rank. */
static ls_status local_sums(const ls_pieces *p, ls_loader *loader, const measure *m, double *sums) {
    const ls_batch *batch;
    for (int64_t round = 0;; round++) {
        LS_TRY(ls_loader_next(loader, &batch));
        if (!batch) return LS_OK;
        ls_pulse_beat(p->session->pulse);
        m->batch(m->context, p, batch, sums + round * p->chunk_pieces * m->scores);
    }
}

/* all[rank][round][piece of chunk][score]: means, added in the order of the pieces. */
static void add_in_order(const ls_pieces *p, const double *all, int scores, double *mean) {
    int size = p->session->comm->size;
    for (int s = 0; s < scores; s++) mean[s] = 0;
    for (int64_t i = 0; i < p->count; i++) {
        int64_t chunk = i / p->chunk_pieces;
        int64_t piece = ((chunk % size) * p->rounds + chunk / size) * p->chunk_pieces + i % p->chunk_pieces;
        for (int s = 0; s < scores; s++) mean[s] += all[piece * scores + s];
    }
    for (int s = 0; s < scores; s++) mean[s] /= (double)ls_spans_samples(p->piece, p->count);
}

typedef struct piece_sums {
    int64_t count;      /* of mine */
    double *mine, *all; /* all: of rank 0 */
} piece_sums;

static ls_status make_sums(const ls_pieces *p, int scores, piece_sums *out) {
    out->count = p->rounds * p->chunk_pieces * scores;
    LS_TRY(ls_alloc(&out->mine, out->count, sizeof(double), "the losses of pieces"));
    if (p->session->comm->rank > 0) return LS_OK;
    return ls_alloc(&out->all, out->count * p->session->comm->size, sizeof(double), "the losses of all pieces");
}

static ls_status mean_of_all(const ls_session *session, ls_dataset *dataset, const ls_span *spans, int64_t count,
                             const measure *m, double *mean) {
    ls_pieces p = {0};
    piece_sums s = {0};
    ls_loader *loader = NULL;
    ls_status status;
    if (LS_FAILED(status = ls_pieces_make(session, spans, count, &p))) goto agree;
    if (LS_FAILED(status = make_sums(&p, m->scores, &s))) goto agree;
    if (LS_FAILED(status = ls_pieces_open_loader(&p, dataset, LS_USE_VALIDATION, true, &loader))) goto agree;
    status = local_sums(&p, loader, m, s.mine);
agree:
    if (LS_FAILED(status = ls_agree(session->comm, status))) goto done;
    ls_comm_collect(session->comm, s.mine, s.count * (int64_t)sizeof(double), s.all);
    if (session->comm->rank == 0) add_in_order(&p, s.all, m->scores, mean);
    ls_comm_broadcast(session->comm, mean, m->scores * (int64_t)sizeof(double), 0);
done:
    ls_loader_close(loader);
    ls_free(s.mine);
    ls_free(s.all);
    ls_pieces_release(&p);
    return status;
}

/* --- of the model --- */

typedef struct model_scores {
    const float *weights;
    double *row_values; /* [2 max rows] */
} model_scores;

static void measure_model(void *context, const ls_pieces *p, const ls_batch *batch, double *sums) {
    const model_scores *of = context;
    ls_pass pass = ls_pieces_pass(p, batch);
    ls_model_forward(p->session->model, &pass, of->weights, batch->input, -1);
    ls_scores_measure(p->session, &pass, of->weights, batch->target, of->row_values, sums);
}

ls_status ls_evaluation_scores(const ls_session *session, ls_dataset *dataset, const ls_span *spans, int64_t count,
                               const float *weights, double *scores) {
    model_scores of = {.weights = weights};
    measure m = {.scores = ls_scores_count(session->config), .batch = measure_model, .context = &of};
    int64_t max_rows = ls_session_limits(session).max_rows;
    ls_status status = ls_alloc(&of.row_values, 2 * max_rows, sizeof(double), "the losses of a batch");
    status = ls_agree(session->comm, status);
    if (status == LS_OK) status = mean_of_all(session, dataset, spans, count, &m, scores);
    ls_free(of.row_values);
    return status;
}

/* --- of the input in the output's place --- */

static bool steps_differ(const ls_transform_list *a, const ls_transform_list *b) {
    for (int i = 0; i < ls_min(a->count, b->count); i++)
        if (a->entry[i].type != b->entry[i].type) return true;
    return a->count != b->count;
}

bool ls_evaluation_has_baseline(const ls_session *session) {
    const ls_data_settings *data = &session->config->data;
    ls_shape in = ls_pipeline_shape(session->input), target = ls_pipeline_shape(session->target);
    float low, high, target_low, target_high;
    ls_pipeline_range(session->input, &low, &high);
    ls_pipeline_range(session->target, &target_low, &target_high);
    bool same_size = in.dims == 3 && target.dims == 3 && in.dim[0] == target.dim[0] && in.dim[1] == target.dim[1];
    return same_size && (in.dim[2] == 1 || in.dim[2] == target.dim[2]) && low == target_low && high == target_high &&
           !data->target_labels && steps_differ(&data->input, &data->target);
}

typedef struct baseline {
    const ls_loss_type *loss;
    int64_t width, channels, in_channels; /* of a target, and of an input's pixel */
    float *prediction;                    /* [max rows][width] */
    double *row_loss;
} baseline;

/* Black and white have no finite logit: as in Keras, what is nearer than 1e-7 to them is not distinguished. */
static float logit(float share) {
    const double nearest = 1e-7, p = fmin(fmax((double)share, nearest), 1 - nearest);
    return (float)log(p / (1 - p));
}

static void predict_input(const baseline *b, int64_t rows, const float *input) {
    bool grey = b->in_channels == 1;
    for (int64_t i = 0; i < rows * b->width; i++) {
        float value = input[grey ? i / b->channels : i];
        b->prediction[i] = b->loss->logits_of == LS_ACTIVATION_SIGMOID ? logit(value) : value;
    }
}

static void measure_baseline(void *context, const ls_pieces *p, const ls_batch *batch, double *sums) {
    const baseline *b = context;
    predict_input(b, batch->rows.count, batch->input);
    ls_loss_evaluate(b->loss, p->session->pool, &batch->rows, b->width, b->prediction, batch->target, NULL,
                     b->row_loss);
    ls_rows_lane_sums(&batch->rows, b->row_loss, 1, sums);
}

ls_status ls_evaluation_baseline(const ls_session *session, ls_dataset *dataset, const ls_span *spans, int64_t count,
                                 double *loss) {
    ls_shape in = ls_pipeline_shape(session->input), target = ls_pipeline_shape(session->target);
    baseline b = {.loss = session->config->loss,
                  .width = ls_shape_count(&target),
                  .channels = target.dim[2],
                  .in_channels = in.dim[2]};
    measure m = {.scores = 1, .batch = measure_baseline, .context = &b};
    int64_t max_rows = ls_session_limits(session).max_rows;
    ls_status status = ls_alloc(&b.prediction, max_rows * b.width, sizeof(float), "a batch of grey pictures");
    if (status == LS_OK) status = ls_alloc(&b.row_loss, max_rows, sizeof(double), "the losses of a batch");
    status = ls_agree(session->comm, status);
    if (status == LS_OK) status = mean_of_all(session, dataset, spans, count, &m, loss);
    ls_free(b.prediction);
    ls_free(b.row_loss);
    return status;
}

/* evaluate.c - what a trained model's outputs cost, and what its input would have cost in their place. */
#include <inttypes.h>
#include <math.h>

#include "base/integers.h"
#include "base/memory.h"
#include "base/text.h"
#include "run/apply.h"
#include "run/trained.h"
#include "train/evaluation.h"

/* --- the baseline: what a model that restores or colours pictures must beat --- */

static bool steps_differ(const ls_transform_list *a, const ls_transform_list *b) {
    for (int i = 0; i < ls_min(a->count, b->count); i++)
        if (a->entry[i].type != b->entry[i].type) return true;
    return a->count != b->count;
}

/* Whether the input could stand for the output, and is not the target: both are pictures of one size and range, the
 * input grey or of as many channels, and their steps differ (colours or clean pictures are wanted). */
static bool has_baseline(const ls_session *session) {
    const ls_data_settings *data = &session->config->data;
    const ls_task *task = &session->task;
    ls_shape in = ls_pipeline_shape(task->input), target = ls_pipeline_shape(task->target);
    float low, high, target_low, target_high;
    ls_pipeline_range(task->input, &low, &high);
    ls_pipeline_range(task->target, &target_low, &target_high);
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
    double nearest = 1e-7, p = fmin(fmax((double)share, nearest), 1 - nearest);
    return (float)log(p / (1 - p));
}

static void predict_input(const baseline *b, int64_t rows, const float *input) {
    bool grey = b->in_channels == 1;
    for (int64_t i = 0; i < rows * b->width; i++) {
        float value = input[grey ? i / b->channels : i];
        b->prediction[i] = b->loss->logits_of == LS_ACTIVATION_SIGMOID ? logit(value) : value;
    }
}

static void measure_baseline(void *context, const ls_microbatches *p, const ls_batch *batch, double *sums) {
    const baseline *b = context;
    predict_input(b, batch->rows.count, batch->input);
    ls_loss_evaluate(b->loss, p->task->pool, &batch->rows, b->width, b->prediction, batch->target, NULL, b->row_loss);
    ls_rows_lane_sums(&batch->rows, b->row_loss, 1, sums);
}

/* Collective. The loss of the input as the output, a grey one copied to all channels. */
static ls_status baseline_loss(const ls_task *task, ls_dataset *dataset, const ls_span *spans, int64_t count,
                               double *loss) {
    ls_shape in = ls_pipeline_shape(task->input), target = ls_pipeline_shape(task->target);
    baseline b = {
        .loss = task->loss, .width = ls_shape_count(&target), .channels = target.dim[2], .in_channels = in.dim[2]};
    ls_measure m = {.scores = 1, .batch = measure_baseline, .context = &b};
    int64_t max_rows = ls_task_limits(task).max_rows;
    ls_status status = ls_alloc(&b.prediction, max_rows * b.width, sizeof(float), "a batch of grey pictures");
    if (status == LS_OK) status = ls_alloc(&b.row_loss, max_rows, sizeof(double), "the losses of a batch");
    status = ls_agree(task->comm, status);
    if (status == LS_OK) status = ls_evaluation_mean(task, dataset, spans, count, &m, loss);
    ls_free(b.prediction);
    ls_free(b.row_loss);
    return status;
}

/* --- losses --- */

/* of_input: the baseline, not finite where there is none. */
static void print_scores(const ls_trained *t, const double *scores, double of_input, FILE *out) {
    char a[LS_NUMBER_TEXT_MAX], b[LS_NUMBER_TEXT_MAX];
    const ls_config *config = t->config;
    fprintf(out, "{\"samples\": %" PRId64 ", \"epoch\": %" PRId64 ", \"loss\": %s, \"%s\": %s",
            ls_spans_samples(t->spans, t->span_count), t->info.position.epoch, ls_number_text(scores[LS_SCORE_LOSS], a),
            config->loss->name, ls_number_text(scores[LS_SCORE_DATA_LOSS], b));
    for (int m = 0; m < config->metrics; m++)
        fprintf(out, ", \"%s\": %s", config->metric[m]->name, ls_number_text(scores[LS_SCORE_METRICS + m], a));
    if (isfinite(of_input)) fprintf(out, ", \"baseline_loss\": %s", ls_number_text(of_input, a));
    fputs("}\n", out);
}

static ls_status evaluate(const ls_trained *t, FILE *out) {
    const ls_session *session = &t->session;
    double scores[LS_SCORES_MAX], of_input = NAN;
    LS_TRY(ls_evaluation_scores(&session->task, session->task.train, t->spans, t->span_count, t->weights, scores));
    if (has_baseline(session))
        LS_TRY(baseline_loss(&session->task, session->task.train, t->spans, t->span_count, &of_input));
    if (session->task.comm->rank == 0) print_scores(t, scores, of_input, out);
    return LS_OK;
}

ls_status ls_evaluate_run(const ls_comm *comm, const char *run, const char *data, FILE *out) {
    ls_trained t = {0};
    ls_status status = ls_trained_open(&t, comm, run, data, true);
    if (status == LS_OK) status = evaluate(&t, out);
    ls_trained_close(&t);
    return status;
}

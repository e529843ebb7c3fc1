/* step.c - forward, loss, backward, exchange, update: what of a step is whose, and in which order. */
#include "train/step.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/integers.h"
#include "base/log.h"
#include "base/memory.h"
#include "tensor/vector.h"
#include "train/batch_source.h"

/* What ls_pass.reduce works with, if the model asks for it. */
static ls_status init_reduction(ls_stepper *stepper) {
    const ls_task *task = stepper->task;
    int64_t sums = ls_model_batch_sums(task->model), size = task->comm->size;
    stepper->most_lanes = ls_lanes_most(task->lanes.count, (int)size);
    LS_TRY(ls_alloc(&stepper->rank_sums, sums * stepper->most_lanes, sizeof(double), "a rank's sums"));
    return ls_alloc(&stepper->gathered, sums * stepper->most_lanes * size, sizeof(double), "all ranks' sums");
}

/* What lanes bring to the exchange, and what it makes of that. */
static ls_status init_values(ls_stepper *stepper, int own_lanes) {
    int64_t values = ls_scores_count(stepper->task) + 1, lanes = stepper->task->lanes.count;
    LS_TRY(ls_alloc(&stepper->lane_values, values * own_lanes, sizeof(double), "the losses of lanes"));
    return ls_alloc(&stepper->all_values, values * lanes, sizeof(double), "the losses of all lanes");
}

static ls_status init_local(ls_stepper *stepper, const ls_task *task) {
    ls_limits limits = ls_task_limits(task);
    LS_TRY(ls_model_prepare(task->model, &limits, true));
    int64_t scores = ls_scores_count(task);
    LS_TRY(ls_alloc(&stepper->row_values, 2 * limits.max_rows, sizeof(double), "the losses of a batch"));
    LS_TRY(ls_alloc(&stepper->lane_sums, scores * limits.lanes, sizeof(double), "the losses of lanes"));
    LS_TRY(ls_alloc(&stepper->column, task->lanes.count, sizeof(double), "the losses of all lanes"));
    LS_TRY(init_values(stepper, limits.lanes));
    return init_reduction(stepper);
}

static ls_status init_slots(ls_stepper *stepper) {
    const ls_shards *shards = ls_exchange_shards(stepper->exchange);
    int64_t count = ls_shards_place(shards, shards->buckets);
    for (int s = 0; s < stepper->task->optimizer->slots; s++)
        LS_TRY(ls_alloc(&stepper->slot[s], count, sizeof(float), "the optimizer's state"));
    return LS_OK;
}

static int64_t best_bytes(const ls_task *task) {
    bool keeps = task->comm->rank == 0 && task->keeps_best;
    return keeps ? ls_model_flat_count(task->model) * (int64_t)sizeof(float) : 0;
}

ls_step_memory ls_stepper_memory(const ls_task *task, const ls_dataset_info *data) {
    ls_limits limits = ls_task_limits(task);
    int64_t count = ls_model_flat_count(task->model), shard = count / task->comm->size;
    ls_exchange_memory exchange = ls_exchange_predict(&task->lanes, &task->exchange, count);
    return (ls_step_memory){.model_bytes = ls_model_memory_bytes(task->model, &limits, true),
                            .exchange_bytes = exchange.rank_bytes,
                            .slot_bytes = task->optimizer->slots * shard * (int64_t)sizeof(float),
                            .batches_bytes = data ? ls_batch_source_memory_bytes(task, data) : 0,
                            .host_bytes = exchange.host_bytes,
                            .best_bytes = best_bytes(task)};
}

int64_t ls_step_memory_rank_bytes(const ls_step_memory *memory) {
    return memory->model_bytes + memory->exchange_bytes + memory->slot_bytes + memory->batches_bytes;
}

/* Better than to be killed in the first step. What is not free now may be soon; what the host has not, never. */
static ls_status check_memory(const ls_task *task) {
    const ls_comm *comm = task->comm;
    ls_step_memory memory = ls_stepper_memory(task, task->train ? ls_dataset_get_info(task->train) : NULL);
    int64_t need_bytes =
        ls_comm_max(comm, ls_step_memory_rank_bytes(&memory)) * comm->host_size + memory.host_bytes + memory.best_bytes;
    int64_t free_bytes = ls_memory_available_bytes(), total_bytes = ls_memory_total_bytes();
    static const char advice[] = "'lockstep inspect' says what for, and fewer ranks with more threads need less";
    if (need_bytes > total_bytes)
        return LS_RAISE(LS_INVALID, "this cannot fit: %d rank%s on %s need%s %.3g GB, and may use %.3g GB; %s",
                        comm->host_size, comm->host_size == 1 ? "" : "s", comm->host, comm->host_size == 1 ? "s" : "",
                        (double)need_bytes / 1e9, (double)total_bytes / 1e9, advice);
    if (comm->host_rank == 0 && need_bytes > free_bytes)
        ls_log_rank("this will not fit: %d ranks on %s need %.3g GB, and %.3g GB are free; %s", comm->host_size,
                    comm->host, (double)need_bytes / 1e9, (double)free_bytes / 1e9, advice);
    return LS_OK;
}

ls_status ls_stepper_init(ls_stepper *stepper, const ls_task *task) {
    *stepper = (ls_stepper){.task = task, .weights_finite = true};
    stepper->learning_rate = ls_optimizer_learning_rate(task->optimizer, task->optimizer_options);
    LS_TRY(ls_agree(task->comm, check_memory(task)));
    LS_TRY(ls_agree(task->comm, init_local(stepper, task)));
    LS_TRY(ls_exchange_create(task->comm, &task->lanes, task->pool, &task->exchange, ls_model_flat_count(task->model),
                              &stepper->exchange));
    float *weights = ls_exchange_weights_to_fill(stepper->exchange);
    if (weights) ls_model_init_weights(task->model, task->seed, weights);
    return ls_agree(task->comm, init_slots(stepper));
}

void ls_stepper_release(ls_stepper *stepper) {
    ls_exchange_destroy(stepper->exchange);
    for (int s = 0; s < LS_SLOTS_MAX; s++) ls_free(stepper->slot[s]);
    ls_free(stepper->row_values);
    ls_free(stepper->lane_sums);
    ls_free(stepper->lane_values);
    ls_free(stepper->all_values);
    ls_free(stepper->column);
    ls_free(stepper->rank_sums);
    ls_free(stepper->gathered);
    *stepper = (ls_stepper){0};
}

static void get_on(void *exchange, int64_t floats) { ls_exchange_progress(exchange, floats); }

/* The lanes' sums of all ranks, added in the tree over the lanes. */
static void reduce_lanes(void *context, int64_t count, const double *lane_sums, double *sum) {
    const ls_stepper *stepper = context;
    const ls_lanes *lanes = &stepper->task->lanes;
    int64_t stride = stepper->most_lanes * count;
    memcpy(stepper->rank_sums, lane_sums, (size_t)((lanes->end - lanes->first) * count) * sizeof *lane_sums);
    ls_comm_gather_all(stepper->task->comm, stepper->rank_sums, stride * (int64_t)sizeof(double), stepper->gathered);
    for (int64_t i = 0; i < count; i++) {
        for (int rank = 0, lane = 0; rank < lanes->size; rank++) {
            int end = ls_lane_first(lanes->count, rank + 1, lanes->size);
            for (int64_t own = 0; lane < end; own++, lane++)
                stepper->column[lane] = stepper->gathered[rank * stride + own * count + i];
        }
        sum[i] = ls_lanes_sum(stepper->column, lanes->count);
    }
}

static ls_pass pass_over(ls_stepper *stepper, const ls_batch *batch) {
    return (ls_pass){.pool = stepper->task->pool,
                     .rows = &batch->rows,
                     .samples = batch->samples,
                     .training = true,
                     .seed = (uint64_t)stepper->task->seed,
                     .epoch = batch->epoch,
                     .reduce = reduce_lanes,
                     .reduce_context = stepper,
                     .finished = get_on,
                     .finished_context = stepper->exchange,
                     .turned = stepper->profile ? ls_profile_turn : NULL,
                     .turned_context = stepper->profile};
}

/* Forward and loss over this rank's lanes: lane_sums. */
static void forward(ls_stepper *stepper, const ls_batch *batch) {
    const float *weights = ls_exchange_weights(stepper->exchange);
    ls_pass pass = pass_over(stepper, batch);
    ls_model_forward(stepper->task->model, &pass, weights, batch->input, -1);
    ls_profile_turn_other(stepper->profile, LS_PROFILE_LOSS);
    ls_scores_measure(stepper->task, &pass, weights, batch->target, stepper->row_values, stepper->lane_sums);
}

/* The subtrees' gradients; the exchange gets on with them meanwhile. */
static void backward(ls_stepper *stepper, const ls_batch *batch) {
    ls_pass pass = pass_over(stepper, batch);
    ls_model_backward(stepper->task->model, &pass, ls_exchange_weights(stepper->exchange), batch->input,
                      ls_exchange_gradients(stepper->exchange));
}

static bool all_finite(int count, const double *values) {
    for (int i = 0; i < count; i++)
        if (!isfinite(values[i])) return false;
    return true;
}

double ls_stepper_learning_rate(const ls_stepper *stepper, int64_t step) {
    const ls_task *task = stepper->task;
    return task->schedule != NULL ? task->schedule->rate(task->schedule_options, step) : stepper->learning_rate;
}

/* How many of a strip's numbers are trained; those after them only move along. */
static int64_t trained_part(const ls_stepper *stepper, int64_t count, const float *weight) {
    int64_t begin = weight - ls_exchange_weights(stepper->exchange);
    return ls_min(count, ls_max(0, ls_model_trained_count(stepper->task->model) - begin));
}

/* The exchange calls this and the next one for strips of this rank's shard. */
static void complete_strip(void *context, int64_t place, int64_t count, float *gradient, float *weight) {
    (void)place;
    const ls_stepper *stepper = context;
    int64_t begin = weight - ls_exchange_weights(stepper->exchange), trained = trained_part(stepper, count, weight);
    ls_model_add_weight_penalty(stepper->task->model, stepper->task->pool, begin, begin + trained, weight, gradient);
}

static void update_strip(void *context, int64_t place, int64_t count, float *gradient, float *weight) {
    ls_stepper *stepper = context;
    const ls_task *task = stepper->task;
    int64_t trained = trained_part(stepper, count, weight);
    ls_update update = {.count = trained, .gradient = gradient, .weight = weight};
    for (int s = 0; s < task->optimizer->slots; s++) update.slot[s] = stepper->slot[s] + place;
    bool finite = ls_optimizer_apply(task->optimizer, task->pool, task->optimizer_options, stepper->step + 1,
                                     ls_stepper_learning_rate(stepper, stepper->step), &update);
    ls_vector_add(task->pool, count - trained, gradient + trained, weight + trained);
    if (!finite || !ls_vector_finite(count - trained, weight + trained)) stepper->weights_finite = false;
}

static void add_up_lanes(const ls_stepper *stepper, int scores, double *sums) {
    int lanes = stepper->task->lanes.count;
    for (int s = 0; s < scores; s++) {
        for (int lane = 0; lane < lanes; lane++) stepper->column[lane] = stepper->all_values[lane * (scores + 1) + s];
        sums[s] = ls_lanes_sum(stepper->column, lanes);
    }
}

/* Where passes are collective a rank without a batch would be waited for: then nobody computes. */
static bool all_can_compute(const ls_stepper *stepper, const ls_batch *batch) {
    if (ls_model_batch_sums(stepper->task->model) == 0) return true;
    return ls_comm_min(stepper->task->comm, batch != NULL) == 1;
}

static const double *lane_values(const ls_stepper *stepper, int scores) {
    const ls_lanes *lanes = &stepper->task->lanes;
    for (int lane = 0; lane < lanes->end - lanes->first; lane++) {
        double *values = stepper->lane_values + lane * (scores + 1);
        for (int s = 0; s < scores; s++) values[s] = stepper->lane_sums[lane * scores + s];
        values[scores] = stepper->busy_s;
    }
    return stepper->lane_values;
}

/* In the exchange of a step the ranks have heard how long everyone was busy in the one before: what the slowest needed
 * longer than this rank did, it was waited for. */
static void note_times(ls_stepper *stepper, int scores) {
    const ls_pulse *pulse = stepper->task->pulse;
    if (pulse == NULL) return;
    double slowest_s = 0, busy_in_all_s = pulse->spent_s[LS_ACTIVITY_READ] + pulse->spent_s[LS_ACTIVITY_COMPUTE];
    for (int lane = 0; lane < stepper->task->lanes.count; lane++)
        slowest_s = fmax(slowest_s, stepper->all_values[lane * (scores + 1) + scores]);
    stepper->waited_s += fmin(slowest_s - stepper->busy_s, stepper->exchange_s);
    stepper->busy_s = busy_in_all_s - stepper->busy_in_all_s;
    stepper->busy_in_all_s = busy_in_all_s;
    stepper->exchange_s = ls_clock_s() - pulse->entered_s;
}

void ls_stepper_run(ls_stepper *stepper, const ls_batch *batch, ls_signals *signals, double *sums) {
    const ls_lanes *lanes = &stepper->task->lanes;
    int scores = ls_scores_count(stepper->task);
    if (!all_can_compute(stepper, batch)) batch = NULL;
    if (batch != NULL) forward(stepper, batch);
    if (!all_finite(scores * (lanes->end - lanes->first), stepper->lane_sums) || !stepper->weights_finite)
        signals->not_finite = true;
    ls_contribution mine = {.signals = *signals,
                            .values = scores + 1,
                            .lane_values = lane_values(stepper, scores),
                            .complete = complete_strip,
                            .update = update_strip,
                            .context = stepper,
                            .clipped = ls_model_trained_count(stepper->task->model)};
    ls_exchange_begin(stepper->exchange, &mine);
    if (batch != NULL) backward(stepper, batch);
    ls_pulse_enter(stepper->task->pulse, LS_ACTIVITY_EXCHANGE);
    ls_profile_turn_other(stepper->profile, LS_PROFILE_UPDATE);
    ls_exchange_end(stepper->exchange, signals, stepper->all_values);
    add_up_lanes(stepper, scores, sums);
    note_times(stepper, scores);
    if (!signals->failed && !signals->not_finite) stepper->step++;
}

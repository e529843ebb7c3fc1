#include "run/step.h"

#include <math.h>

#include "lockstep/memory.h"
#include "lockstep/vector.h"

static ls_status init_local(ls_stepper *stepper, ls_session *session) {
    ls_limits limits = ls_session_limits(session);
    LS_TRY(ls_model_prepare(session->model, &limits, true));
    LS_TRY(ls_alloc(&stepper->row_loss, limits.max_rows, sizeof(double), "the losses of a batch"));
    LS_TRY(ls_alloc(&stepper->lane_loss, limits.lanes, sizeof(double), "the losses of lanes"));
    return ls_alloc(&stepper->all_loss, session->lanes.count, sizeof(double), "the losses of all lanes");
}

static ls_status init_slots(ls_stepper *stepper) {
    ls_exchange_shard(stepper->exchange, &stepper->shard_begin, &stepper->shard_end);
    int64_t count = stepper->shard_end - stepper->shard_begin;
    for (int s = 0; s < stepper->session->config->optimizer->slots; s++)
        LS_TRY(ls_alloc(&stepper->slot[s], count, sizeof(float), "the optimizer's state"));
    return LS_OK;
}

ls_status ls_stepper_init(ls_stepper *stepper, ls_session *session) {
    const ls_config *config = session->config;
    *stepper = (ls_stepper){.session = session, .weights_finite = true};
    stepper->learning_rate = ls_optimizer_learning_rate(config->optimizer, config->optimizer_options);
    LS_TRY(ls_agree(session->comm, init_local(stepper, session)));
    LS_TRY(ls_exchange_create(session->comm, &session->lanes, session->pool, ls_model_flat_count(session->model),
                              &stepper->exchange));
    LS_TRY(ls_agree(session->comm, init_slots(stepper)));
    ls_model_init_weights(session->model, (uint64_t)config->seed, ls_exchange_weights(stepper->exchange));
    return LS_OK;
}

void ls_stepper_release(ls_stepper *stepper) {
    ls_exchange_destroy(stepper->exchange);
    for (int s = 0; s < LS_SLOTS_MAX; s++) ls_free(stepper->slot[s]);
    ls_free(stepper->row_loss);
    ls_free(stepper->lane_loss);
    ls_free(stepper->all_loss);
    *stepper = (ls_stepper){0};
}

/* Forward, loss and backward over this rank's lanes: lane_loss and the nodes' gradients. */
static void compute(ls_stepper *stepper, const ls_batch *batch) {
    const ls_session *session = stepper->session;
    const float *weights = ls_exchange_weights(stepper->exchange);
    ls_pass pass = {.pool = session->pool,
                    .rows = &batch->rows,
                    .samples = batch->samples,
                    .training = true,
                    .seed = (uint64_t)session->config->seed,
                    .epoch = batch->epoch};
    ls_model_forward(session->model, &pass, weights, batch->input, -1);
    ls_shape out = ls_model_output_shape(session->model);
    ls_loss_evaluate(session->config->loss, session->pool, &batch->rows, ls_shape_count(&out),
                     ls_model_output(session->model, ls_model_layers(session->model) - 1), batch->target,
                     ls_model_output_gradient(session->model), stepper->row_loss);
    ls_loss_lane_sums(&batch->rows, stepper->row_loss, stepper->lane_loss);
    ls_model_backward(session->model, &pass, weights, batch->input, ls_exchange_gradients(stepper->exchange));
}

static bool all_finite(int count, const double *values) {
    for (int i = 0; i < count; i++)
        if (!isfinite(values[i])) return false;
    return true;
}

/* Updates the piece [begin, end) of this rank's shard; the exchange calls it. */
static void update_piece(void *context, int64_t begin, int64_t end, const float *gradient, float *weight) {
    ls_stepper *stepper = context;
    const ls_session *session = stepper->session;
    ls_update update = {.count = end - begin, .gradient = gradient, .weight = weight};
    for (int s = 0; s < session->config->optimizer->slots; s++)
        update.slot[s] = stepper->slot[s] + (begin - stepper->shard_begin);
    ls_optimizer_apply(session->config->optimizer, session->pool, session->config->optimizer_options, stepper->step + 1,
                       stepper->learning_rate, &update);
    if (!ls_vector_finite(session->pool, update.count, weight)) stepper->weights_finite = false;
}

void ls_stepper_run(ls_stepper *stepper, const ls_batch *batch, ls_signals *signals, double *loss_sum) {
    const ls_lanes *lanes = &stepper->session->lanes;
    int own = lanes->end - lanes->first;
    if (batch) compute(stepper, batch);
    if (!all_finite(own, stepper->lane_loss) || !stepper->weights_finite) signals->not_finite = true;
    ls_exchange_signals(stepper->exchange, signals, 1, stepper->lane_loss, stepper->all_loss);
    *loss_sum = ls_lanes_sum(stepper->all_loss, lanes->count);
    if (signals->failed || signals->not_finite) return;
    ls_exchange_apply(stepper->exchange, update_piece, stepper);
    stepper->step++;
}

int64_t ls_stepper_memory_bytes(const ls_session *session) {
    ls_limits limits = ls_session_limits(session);
    int64_t count = ls_model_flat_count(session->model);
    int64_t shard = count / session->comm->size;
    return ls_model_memory_bytes(session->model, &limits, true) + ls_exchange_memory_bytes(&session->lanes, count) +
           session->config->optimizer->slots * shard * (int64_t)sizeof(float);
}

/* bench.c - times steps on random data, and what all threads could reach. */
#include "run/bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/integers.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "run/session.h"
#include "tensor/random.h"
#include "train/step.h"

static const int warm_up_steps = 2;
static const double peak_seconds = 0.3;

typedef struct bench {
    ls_session session;
    ls_stepper stepper;
    ls_batch batch;
    ls_pulse pulse;
    double *seconds;              /* [steps] */
    double exchange_s, waiting_s; /* of a step */
    ls_profile profile;
} bench;

static ls_status make_batch(bench *b) {
    const ls_session *session = &b->session;
    ls_shape in = ls_model_input_shape(session->task.model), out = ls_model_output_shape(session->task.model);
    ls_lanes_rows(&session->task.lanes, session->config->training.batch_size, &b->batch.rows);
    int64_t rows = b->batch.rows.count, inputs = rows * ls_shape_count(&in), targets = rows * ls_shape_count(&out);
    LS_TRY(ls_alloc(&b->batch.samples, rows, sizeof(int64_t), "a batch's sample numbers"));
    LS_TRY(ls_alloc(&b->batch.input, inputs, sizeof(float), "a batch's input"));
    LS_TRY(ls_alloc(&b->batch.target, targets, sizeof(float), "a batch's target"));
    ls_rng rng = ls_rng_stream((uint64_t)session->config->seed, LS_RNG_SYNTH, 0, 0);
    ls_random_uniform(&rng, (uint64_t)(2 * session->task.comm->rank), inputs, b->batch.input);
    ls_random_uniform(&rng, (uint64_t)(2 * session->task.comm->rank + 1), targets, b->batch.target);
    for (int64_t i = 0; i < rows; i++) b->batch.samples[i] = i;
    return LS_OK;
}

/* The slowest rank's time counts: a step is over when all are done. */
static ls_status time_step(bench *b, double *took_s) {
    double sums[LS_SCORES_MAX];
    ls_signals signals = {0};
    ls_comm_barrier(b->session.task.comm);
    double start_s = ls_clock_s();
    ls_pulse_enter(&b->pulse, LS_ACTIVITY_COMPUTE);
    ls_profile_begin(b->stepper.profile);
    ls_stepper_run(&b->stepper, &b->batch, &signals, sums);
    ls_profile_end(b->stepper.profile);
    ls_pulse_enter(&b->pulse, LS_ACTIVITY_SAVE); /* whatever is no part of a step */
    *took_s = ls_comm_max_double(b->session.task.comm, ls_clock_s() - start_s);
    if (signals.not_finite) return LS_RAISE(LS_ERROR, "the loss is not finite");
    return LS_OK;
}

/* Of what is not hidden behind backward: the mean of steps and ranks. */
static ls_status time_exchange(bench *b, int64_t steps) {
    const ls_comm *comm = b->session.task.comm;
    double waiting_s = b->stepper.waited_s, mine[2] = {b->pulse.spent_s[LS_ACTIVITY_EXCHANGE] - waiting_s, waiting_s};
    double(*all)[2];
    LS_TRY(ls_agree(comm, ls_alloc(&all, comm->size, sizeof mine, "the times of ranks")));
    ls_comm_gather_all(comm, mine, sizeof mine, all);
    double parts = (double)(comm->size * (steps + warm_up_steps));
    for (int r = 0; r < comm->size; r++) {
        b->exchange_s += all[r][0] / parts;
        b->waiting_s += all[r][1] / parts;
    }
    ls_free(all);
    return LS_OK;
}

/* Forward, weight gradient, and input gradient of all layers but the ones that take the model's input. */
static double step_gflop(const ls_session *session) {
    double flops = 0;
    for (int i = 0; i < ls_model_layers(session->task.model); i++) {
        const ls_layer *layer = ls_model_layer(session->task.model, i);
        flops += layer->flops * (layer->input[0] == LS_MODEL_INPUT ? 2 : 3);
    }
    return flops * (double)session->config->training.batch_size * 1e-9;
}

static ls_status start_profile(bench *b, int64_t steps) {
    LS_TRY(ls_agree(b->session.task.comm, ls_profile_init(&b->profile, b->session.task.model, steps)));
    b->stepper.profile = &b->profile;
    return LS_OK;
}

static ls_status time_steps(bench *b, int64_t steps, bool profile) {
    double took_s;
    for (int i = 0; i < warm_up_steps; i++) LS_TRY(time_step(b, &took_s));
    if (profile) LS_TRY(start_profile(b, steps));
    for (int64_t i = 0; i < steps; i++) LS_TRY(time_step(b, &b->seconds[i]));
    ls_sort_seconds(b->seconds, steps);
    return time_exchange(b, steps);
}

static void print_profile(const bench *b, double peak_gflops, bool json) {
    if (b->stepper.profile == NULL) return;
    if (json) fputs(", \"profile\": [", stdout);
    ls_profile_print(&b->profile, b->session.task.model, b->batch.rows.count, peak_gflops, json);
    if (json) putchar(']');
}

/* own_gflops: the peak of rank 0, whose profile it is. */
static void print_result(const bench *b, int64_t steps, double peak_gflops, double own_gflops, bool json) {
    const ls_session *session = &b->session;
    double median_s = b->seconds[steps / 2], gflops = step_gflop(session) / median_s;
    long long batch = (long long)session->config->training.batch_size;
    const char *format =
        json ? ", \"ranks\": %d, \"threads\": %d, \"batch\": %lld, \"ms_per_step\": %.4f, \"exchange_ms\": %.4f, "
               "\"waiting_ms\": %.4f, \"images_per_s\": %.1f, \"gflops\": %.2f, \"peak_gflops\": %.1f, "
               "\"share_of_peak\": %.4f"
             : ": %d ranks x %d threads, batch %lld: %.3f ms a step (exchange %.3f, waiting %.3f), %.0f images/s, "
               "%.1f of %.1f GFLOP/s (%.3f of the peak)\n";
    fputs(json ? "{\"config\": " : session->config->path, stdout);
    if (json) ls_quoted_print(session->config->path, stdout);
    if (json) printf(", \"parameters\": %lld", (long long)ls_model_param_count(session->task.model));
    printf(format, session->task.comm->size, session->task.threads, batch, median_s * 1e3, b->exchange_s * 1e3,
           b->waiting_s * 1e3, (double)batch / median_s, gflops, peak_gflops, gflops / peak_gflops);
    print_profile(b, own_gflops, json);
    if (json) puts("}");
}

/* Collective. This rank's part of what its host's ranks can do: more threads than processors take turns. */
static double measure_peak(const ls_session *session) {
    double gflops = ls_cpu_peak_gflops(session->task.pool, peak_seconds);
    ls_cpus mine = ls_cpus_allowed(), ours = ls_comm_host_cpus(session->task.comm);
    int threads = (int)ls_min(session->task.threads, ls_cpus_count(&mine)) * session->task.comm->host_size;
    int cpus = ls_cpus_count(&ours);
    return threads > cpus ? gflops * cpus / threads : gflops;
}

static ls_status run(bench *b, const ls_bench_options *options) {
    int64_t steps = options->steps;
    const ls_comm *comm = b->session.task.comm;
    LS_TRY(ls_stepper_init(&b->stepper, &b->session.task));
    LS_TRY(ls_agree(comm, make_batch(b)));
    LS_TRY(ls_agree(comm, ls_alloc(&b->seconds, steps, sizeof(double), "the times of steps")));
    LS_TRY(time_steps(b, steps, options->profile));
    ls_comm_barrier(comm);
    double mine = measure_peak(&b->session), *peaks;
    LS_TRY(ls_agree(comm, ls_alloc(&peaks, comm->size, sizeof(double), "the peaks of ranks")));
    ls_comm_gather_all(comm, &mine, sizeof mine, peaks);
    double peak = 0;
    for (int r = 0; r < comm->size; r++) peak += peaks[r];
    if (comm->rank == 0) print_result(b, steps, peak, mine, options->json);
    ls_free(peaks);
    return LS_OK;
}

static ls_status open_session(bench *b, const ls_shape *shape) {
    LS_TRY(ls_session_divide(&b->session, false));
    if (shape->dims == 0) {
        ls_status status = ls_session_open_data(&b->session);
        return status == LS_OK ? status : ls_failure_prefix("without --shape, such as 28x28x1, bench needs data: ");
    }
    ls_dataset_info info;
    return ls_agree(b->session.task.comm, ls_session_build_without_data(&b->session, shape, &info));
}

ls_status ls_bench_run(const ls_comm *comm, const ls_config *config, const ls_bench_options *options) {
    bench b = {0};
    ls_status status;
    if (LS_FAILED(status = ls_session_start(&b.session, comm, config, &b.pulse))) goto done;
    if (LS_FAILED(status = open_session(&b, &options->shape))) goto done;
    status = run(&b, options);
done:
    ls_profile_release(&b.profile);
    ls_stepper_release(&b.stepper);
    ls_free(b.seconds);
    ls_free(b.batch.samples);
    ls_free(b.batch.input);
    ls_free(b.batch.target);
    ls_session_release(&b.session);
    return status;
}

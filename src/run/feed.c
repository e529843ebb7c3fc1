#include "run/feed.h"

#include <inttypes.h>
#include <string.h>

#include "lockstep/log.h"
#include "lockstep/memory.h"

/* --- divisions --- */

/* The blocks of the epoch's part. */
static ls_status epoch_blocks(const ls_session *session, int64_t epoch, ls_span **blocks, int64_t *begin,
                              int64_t *end) {
    int64_t count, parts = session->config->data.parts;
    LS_TRY(ls_dataset_blocks(session->train, blocks, &count));
    if (ls_spans_part(count, epoch % parts, parts, begin, end) == LS_OK) return LS_OK;
    return ls_config_prefix(session->config, &session->config->data.parts_place);
}

static ls_status divide(const ls_config *config, const ls_span *blocks, int64_t count, ls_division *out) {
    double split = config->data.split;
    LS_TRY(ls_alloc(&out->spans, count + 1, sizeof(ls_span), "the blocks of an epoch"));
    out->training = count;
    if (split == 0) {
        memcpy(out->spans, blocks, (size_t)count * sizeof *blocks);
        return LS_OK;
    }
    if (ls_spans_split(blocks, count, split, out->spans, &out->training, &out->held_out) == LS_OK) return LS_OK;
    return ls_config_prefix(config, &config->data.split_place);
}

ls_status ls_division_make(const ls_session *session, int64_t epoch, ls_division *out) {
    *out = (ls_division){0};
    ls_span *blocks = NULL;
    int64_t begin, end;
    ls_status status = epoch_blocks(session, epoch, &blocks, &begin, &end);
    if (status == LS_OK) status = divide(session->config, blocks + begin, end - begin, out);
    ls_free(blocks);
    if (LS_FAILED(status)) ls_division_release(out);
    return status;
}

void ls_division_release(ls_division *division) {
    ls_free(division->spans);
    *division = (ls_division){0};
}

static ls_status append_held_out(const ls_session *session, int64_t epoch, ls_span *spans, int64_t *count) {
    ls_division division;
    LS_TRY(ls_division_make(session, epoch, &division));
    memcpy(spans + *count, division.spans + division.training, (size_t)division.held_out * sizeof *spans);
    *count += division.held_out;
    ls_division_release(&division);
    return LS_OK;
}

/* No epoch holds out more spans than its part has blocks. */
ls_status ls_division_held_out(const ls_session *session, int64_t epoch, int64_t epochs, ls_span **spans,
                               int64_t *count) {
    int64_t blocks;
    *count = 0;
    ls_status status = ls_dataset_blocks(session->train, spans, &blocks);
    for (int64_t i = 0; i < epochs && status == LS_OK; i++) status = append_held_out(session, epoch + i, *spans, count);
    if (status == LS_OK) return LS_OK;
    ls_free(*spans);
    *spans = NULL;
    return status;
}

/* Every part must leave something to train on. */
ls_status ls_division_check(const ls_session *session) {
    ls_span *spans;
    ls_division first;
    int64_t count, batch = session->config->training.batch_size;
    LS_TRY(ls_division_held_out(session, 0, session->config->data.parts, &spans, &count));
    ls_free(spans);
    LS_TRY(ls_division_make(session, 0, &first));
    int64_t samples = ls_spans_samples(first.spans, first.training);
    ls_division_release(&first);
    if (batch > samples)
        ls_log_warn("training.batch_size is %" PRId64 ", but an epoch trains on %" PRId64
                    " samples only: each is one short step",
                    batch, samples);
    return LS_OK;
}

/* --- training --- */

struct ls_training_feed {
    const ls_session *session;
    ls_sampler *sampler;
    ls_loader *loader;
    int64_t epoch, step; /* step: the next one of the loader's thread */
};

/* This rank's rows of the next batch, lane after lane. Runs on the loader's thread, the sampler's only user by then. */
static ls_status next_batch(void *context, ls_batch *batch, bool *more) {
    ls_training_feed *feed = context;
    const ls_lanes *lanes = &feed->session->lanes;
    *more = feed->step < ls_sampler_steps(feed->sampler);
    if (!*more) return LS_OK;
    ls_lanes_rows(lanes, ls_sampler_batch(feed->sampler, feed->step), &batch->rows);
    batch->epoch = (uint32_t)feed->epoch;
    for (int lane = lanes->first; lane < lanes->end; lane++)
        LS_TRY(ls_sampler_take(feed->sampler, lane, feed->step,
                               batch->samples + batch->rows.lane_begin[lane - lanes->first]));
    feed->step++;
    return LS_OK;
}

static ls_status create_sampler(ls_training_feed *feed) {
    const ls_config *config = feed->session->config;
    ls_sampling sampling = {.seed = (uint64_t)config->seed,
                            .batch = config->training.batch_size,
                            .lanes = feed->session->lanes.count,
                            .window = config->data.shuffle_window};
    return ls_sampler_create(&sampling, &feed->sampler);
}

static ls_status begin_sampler(ls_training_feed *feed) {
    ls_division division;
    LS_TRY(ls_division_make(feed->session, feed->epoch, &division));
    ls_status status = ls_sampler_begin_epoch(feed->sampler, division.spans, division.training, feed->epoch);
    ls_division_release(&division);
    return status;
}

static ls_status open_loader(ls_training_feed *feed) {
    const ls_session *session = feed->session;
    ls_loader_spec spec = ls_session_loader(session, session->train, LS_USE_TRAINING);
    spec.max_rows = ls_session_limits(session).max_rows;
    spec.depth = LS_BATCHES_AHEAD;
    spec.next = next_batch;
    spec.context = feed;
    return ls_loader_open(&spec, &feed->loader);
}

ls_status ls_training_feed_open(const ls_session *session, ls_training_feed **out) {
    *out = NULL;
    ls_training_feed *feed;
    LS_TRY(ls_alloc(&feed, 1, sizeof *feed, "the training's feed"));
    *feed = (ls_training_feed){.session = session};
    ls_status status = create_sampler(feed);
    if (LS_FAILED(status))
        ls_training_feed_close(feed);
    else
        *out = feed;
    return status;
}

ls_status ls_training_feed_begin(ls_training_feed *feed, int64_t epoch, int64_t first_step) {
    if (feed->loader) ls_loader_stop(feed->loader);
    LS_TRY(ls_dataset_check_files(feed->session->train));
    if (feed->session->validation) LS_TRY(ls_dataset_check_files(feed->session->validation));
    feed->epoch = epoch;
    feed->step = first_step;
    LS_TRY(begin_sampler(feed));
    return feed->loader ? ls_loader_start(feed->loader) : open_loader(feed);
}

void ls_training_feed_close(ls_training_feed *feed) {
    if (!feed) return;
    ls_loader_close(feed->loader);
    ls_sampler_destroy(feed->sampler);
    ls_free(feed);
}

int64_t ls_training_feed_steps(const ls_training_feed *feed) { return ls_sampler_steps(feed->sampler); }

int64_t ls_training_feed_rows(const ls_training_feed *feed, int64_t step) {
    return ls_sampler_batch(feed->sampler, step);
}

ls_loader *ls_training_feed_loader(ls_training_feed *feed) { return feed->loader; }

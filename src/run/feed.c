/* feed.c - see feed.h. Two threads walk through the same batches: the loader's, and before it the one that reads ahead.
 */
#include "run/feed.h"

#include <inttypes.h>
#include <string.h>

#include "base/integers.h"
#include "base/log.h"
#include "base/memory.h"
#include "data/readahead.h"

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

/* Goes through the batches of one epoch after the other. */
typedef struct walk {
    ls_sampler *sampler;
    int64_t epoch, step; /* step: the next one */
} walk;

struct ls_training_feed {
    const ls_session *session;
    walk now, ahead; /* the loader's, and the read-ahead's, while their threads run */
    ls_readahead *readahead;
    ls_loader *loader;
};

static ls_status create_walk(const ls_session *session, walk *out) {
    const ls_config *config = session->config;
    ls_sampling sampling = {.seed = (uint64_t)config->seed,
                            .batch = config->training.batch_size,
                            .lanes = session->lanes.count,
                            .window = config->data.shuffle_window};
    return ls_sampler_create(&sampling, &out->sampler);
}

static ls_status begin_walk(const ls_session *session, walk *w, int64_t epoch, int64_t step) {
    ls_division division;
    w->epoch = epoch;
    w->step = step;
    LS_TRY(ls_division_make(session, epoch, &division));
    ls_status status = ls_sampler_begin_epoch(w->sampler, division.spans, division.training, epoch);
    ls_division_release(&division);
    return status;
}

static bool has_ended(const walk *w) { return w->step >= ls_sampler_steps(w->sampler); }

/* This rank's rows of the next batch, lane after lane. */
static ls_status take_batch(const ls_lanes *lanes, walk *w, ls_rows *rows, int64_t *samples) {
    ls_lanes_rows(lanes, ls_sampler_batch(w->sampler, w->step), rows);
    for (int lane = lanes->first; lane < lanes->end; lane++)
        LS_TRY(ls_sampler_take(w->sampler, lane, w->step, samples + rows->lane_begin[lane - lanes->first]));
    w->step++;
    return LS_OK;
}

static ls_status next_batch(void *context, ls_batch *batch, bool *more) {
    ls_training_feed *feed = context;
    *more = !has_ended(&feed->now);
    if (!*more) return LS_OK;
    if (feed->readahead) ls_readahead_advance(feed->readahead);
    batch->epoch = (uint32_t)feed->now.epoch;
    return take_batch(&feed->session->lanes, &feed->now, &batch->rows, batch->samples);
}

/* Beyond the end of an epoch as well: the next one begins as soon as this one has been judged. */
static ls_status next_samples(void *context, int64_t *samples, int64_t *count, bool *more) {
    ls_training_feed *feed = context;
    ls_rows rows;
    walk *w = &feed->ahead;
    *more = !has_ended(w) || w->epoch + 1 < feed->session->config->training.epochs;
    if (!*more) return LS_OK;
    if (has_ended(w)) LS_TRY(begin_walk(feed->session, w, w->epoch + 1, 0));
    LS_TRY(take_batch(&feed->session->lanes, w, &rows, samples));
    *count = rows.count;
    return LS_OK;
}

static ls_loader_spec loader_spec(const ls_session *session) {
    enum { BATCHES_AHEAD = 3 };
    ls_loader_spec spec = ls_session_loader(session, session->train, LS_USE_TRAINING);
    spec.max_rows = ls_session_limits(session).max_rows;
    spec.depth = BATCHES_AHEAD;
    return spec;
}

int64_t ls_training_feed_memory_bytes(const ls_session *session, const ls_dataset_info *data) {
    ls_loader_spec spec = loader_spec(session);
    return ls_loader_memory_bytes(&spec, data);
}

static ls_status open_loader(ls_training_feed *feed) {
    ls_loader_spec spec = loader_spec(feed->session);
    spec.next = next_batch;
    spec.context = feed;
    return ls_loader_open(&spec, &feed->loader);
}

/* A window ahead at most, and no further than there is room for two. */
static ls_status open_readahead(ls_training_feed *feed) {
    const ls_session *session = feed->session;
    int64_t steps = ls_sampler_steps(feed->now.sampler), batch = session->config->training.batch_size;
    int64_t window_steps = session->config->data.shuffle_window * session->lanes.count / batch + 1;
    if (session->ahead_bytes == 0) return LS_OK;
    ls_readahead_spec spec = {.dataset = session->train,
                              .max_rows = ls_session_limits(session).max_rows,
                              .batches = ls_min(steps, window_steps),
                              .room_bytes = session->ahead_bytes,
                              .next = next_samples,
                              .context = feed};
    return ls_readahead_open(&spec, &feed->readahead);
}

ls_status ls_training_feed_open(const ls_session *session, ls_training_feed **out) {
    *out = NULL;
    ls_training_feed *feed;
    LS_TRY(ls_alloc(&feed, 1, sizeof *feed, "the training's feed"));
    *feed = (ls_training_feed){.session = session};
    ls_status status = create_walk(session, &feed->now);
    if (status == LS_OK) status = create_walk(session, &feed->ahead);
    if (LS_FAILED(status))
        ls_training_feed_close(feed);
    else
        *out = feed;
    return status;
}

/* The read-ahead stays where it is when the next epoch follows the one that has ended, and begins anew after a failure.
 */
static ls_status begin_readahead(ls_training_feed *feed, int64_t epoch, int64_t first_step) {
    ls_readahead_close(feed->readahead);
    feed->readahead = NULL;
    LS_TRY(begin_walk(feed->session, &feed->ahead, epoch, first_step));
    return open_readahead(feed);
}

static ls_status fail_steps(const ls_training_feed *feed, int64_t epoch, int64_t done) {
    return LS_RAISE(
        LS_INVALID,
        "the checkpoint says that %lld steps of epoch %lld are done, which has %lld: Lockstep has not written "
        "it",
        (long long)done, (long long)epoch + 1, (long long)ls_sampler_steps(feed->now.sampler));
}

ls_status ls_training_feed_begin(ls_training_feed *feed, int64_t epoch, int64_t first_step) {
    if (feed->loader) ls_loader_stop(feed->loader);
    LS_TRY(ls_dataset_check_files(feed->session->train));
    if (feed->session->validation) LS_TRY(ls_dataset_check_files(feed->session->validation));
    bool follows = feed->readahead && ls_readahead_goes_on(feed->readahead) && epoch == feed->now.epoch + 1 &&
                   first_step == 0 && has_ended(&feed->now);
    LS_TRY(begin_walk(feed->session, &feed->now, epoch, first_step));
    if (first_step > ls_sampler_steps(feed->now.sampler)) return fail_steps(feed, epoch, first_step);
    if (!follows) LS_TRY(begin_readahead(feed, epoch, first_step));
    return feed->loader ? ls_loader_start(feed->loader) : open_loader(feed);
}

void ls_training_feed_close(ls_training_feed *feed) {
    if (!feed) return;
    ls_loader_close(feed->loader);
    ls_readahead_close(feed->readahead);
    ls_sampler_destroy(feed->now.sampler);
    ls_sampler_destroy(feed->ahead.sampler);
    ls_free(feed);
}

int64_t ls_training_feed_steps(const ls_training_feed *feed) { return ls_sampler_steps(feed->now.sampler); }

int64_t ls_training_feed_rows(const ls_training_feed *feed, int64_t step) {
    return ls_sampler_batch(feed->now.sampler, step);
}

ls_loader *ls_training_feed_loader(ls_training_feed *feed) { return feed->loader; }

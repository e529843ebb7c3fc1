/* sampler.c - cuts lists of spans, and computes the order of an epoch. sampler.h describes the order. */
#include "data/sampler.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/integers.h"
#include "base/lanes.h"
#include "base/memory.h"
#include "base/rng.h"

/* ---- lists of spans ---- */

int64_t ls_spans_samples(const ls_span *spans, int64_t count) {
    int64_t samples = 0;
    for (int64_t i = 0; i < count; i++) samples += spans[i].count;
    return samples;
}

int64_t ls_spans_cut(const ls_span *spans, int64_t count, int64_t rows, ls_span *microbatches) {
    int64_t made = 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t parts = (spans[i].count + rows - 1) / rows;
        for (int64_t part = 0; microbatches != NULL && part < parts; part++) {
            int64_t begin = part * spans[i].count / parts, end = (part + 1) * spans[i].count / parts;
            microbatches[made + part] = (ls_span){spans[i].first + begin, end - begin};
        }
        made += parts;
    }
    return made;
}

ls_status ls_spans_part(int64_t count, int64_t part, int64_t parts, int64_t *begin, int64_t *end) {
    assert(part >= 0 && part < parts);
    if (parts > count)
        return LS_RAISE(LS_INVALID,
                        "data.parts is %lld, but the training data has only %lld blocks, and a part needs one",
                        (long long)parts, (long long)count);
    *begin = part * count / parts;
    *end = (part + 1) * count / parts;
    return LS_OK;
}

ls_status ls_spans_split(const ls_span *spans, int64_t count, double fraction, ls_span *out, int64_t *training,
                         int64_t *held_out) {
    int64_t samples = ls_spans_samples(spans, count), left = (int64_t)floor((double)samples * (1 - fraction));
    if (left <= 0 || left >= samples)
        return LS_RAISE(LS_INVALID, "data.validation.split: %g of %lld samples leaves %s", fraction, (long long)samples,
                        left <= 0 ? "none to train on" : "none to validate on");
    int64_t made = 0, i = 0;
    for (; left > 0; i++) {
        out[made++] = (ls_span){spans[i].first, ls_min(spans[i].count, left)};
        left -= spans[i].count;
    }
    *training = made;
    if (left < 0) out[made++] = (ls_span){spans[i - 1].first + spans[i - 1].count + left, -left};
    for (; i < count; i++) out[made++] = spans[i];
    *held_out = made - *training;
    return LS_OK;
}

/* ---- the order of an epoch ---- */

/* One window of a lane's range, shuffled. */
typedef struct lane_window {
    int64_t number; /* -1: none yet */
    int64_t capacity;
    int64_t *samples;
} lane_window;

struct ls_sampler {
    ls_sampling sampling;
    uint32_t epoch;
    int64_t samples; /* N, of the epoch */
    int64_t spans;
    int64_t capacity;     /* of the next two, in spans */
    ls_span *span;        /* [spans] in the order of the epoch */
    int64_t *position;    /* [spans + 1] span i has the positions [position[i], position[i + 1]) of the sequence */
    lane_window *windows; /* [lanes] */
};

ls_status ls_sampler_create(const ls_sampling *sampling, ls_sampler **out) {
    assert(sampling->batch >= 1 && sampling->lanes >= 1 && sampling->window >= 1);
    ls_status status;
    ls_sampler *s;
    if (LS_FAILED(status = ls_alloc(&s, 1, sizeof *s, "sampler"))) goto done;
    s->sampling = *sampling;
    if (LS_FAILED(status = ls_alloc(&s->windows, sampling->lanes, sizeof *s->windows, "sampler windows"))) {
        ls_free(s);
        s = NULL;
    }
done:
    *out = s;
    return status;
}

void ls_sampler_destroy(ls_sampler *s) {
    if (s == NULL) return;
    for (int lane = 0; lane < s->sampling.lanes; lane++) ls_free(s->windows[lane].samples);
    ls_free(s->windows);
    ls_free(s->span);
    ls_free(s->position);
    ls_free(s);
}

static ls_status make_room(ls_sampler *s, int64_t spans) {
    if (spans <= s->capacity) return LS_OK;
    s->capacity = 0;
    ls_free(s->span);
    s->span = NULL;
    ls_free(s->position);
    s->position = NULL;
    LS_TRY(ls_alloc(&s->span, spans, sizeof *s->span, "order of the blocks"));
    LS_TRY(ls_alloc(&s->position, spans + 1, sizeof *s->position, "order of the blocks"));
    s->capacity = spans;
    return LS_OK;
}

ls_status ls_sampler_begin_epoch(ls_sampler *s, const ls_span *spans, int64_t count, int64_t epoch) {
    LS_TRY(make_room(s, count));
    s->epoch = (uint32_t)epoch;
    s->spans = count;
    int64_t *order = s->position; /* position is set later */
    for (int64_t i = 0; i < count; i++) order[i] = i;
    ls_rng rng = ls_rng_stream(s->sampling.seed, LS_RNG_BLOCKS, 0, s->epoch);
    ls_rng_shuffle(&rng, 0, count, order);
    for (int64_t i = 0; i < count; i++) s->span[i] = spans[order[i]];

    s->samples = 0;
    for (int64_t i = 0; i < count; i++) {
        s->position[i] = s->samples;
        s->samples += s->span[i].count;
    }
    s->position[count] = s->samples;
    for (int lane = 0; lane < s->sampling.lanes; lane++) s->windows[lane].number = -1;
    return LS_OK;
}

int64_t ls_sampler_steps(const ls_sampler *s) { return (s->samples + s->sampling.batch - 1) / s->sampling.batch; }

int64_t ls_sampler_batch(const ls_sampler *s, int64_t step) {
    return ls_min(s->sampling.batch, s->samples - step * s->sampling.batch);
}

static int64_t lane_share(int64_t batch, int lane, int lanes) {
    return ls_lane_offset(batch, lane + 1, lanes) - ls_lane_offset(batch, lane, lanes);
}

int64_t ls_sampler_rows(const ls_sampler *s, int lane, int64_t step) {
    return lane_share(ls_sampler_batch(s, step), lane, s->sampling.lanes);
}

/* Where a lane's range of the sequence begins: after the shares of the lanes before it, of all full batches and of the
 * short batch at the end. */
static int64_t range_begin(const ls_sampler *s, int lane) {
    int64_t full = s->samples / s->sampling.batch, rest = s->samples % s->sampling.batch;
    return full * ls_lane_offset(s->sampling.batch, lane, s->sampling.lanes) +
           ls_lane_offset(rest, lane, s->sampling.lanes);
}

/* Copies the sample numbers from this position of the sequence on. */
static void read_sequence(const ls_sampler *s, int64_t position, int64_t count, int64_t *samples) {
    int64_t made = 0;
    for (int64_t i = ls_find_run(s->position, s->spans, position); made < count; i++)
        for (int64_t at = position + made - s->position[i]; at < s->span[i].count && made < count; at++)
            samples[made++] = s->span[i].first + at;
}

/* Shuffles a window of a lane. It needs no more memory than the lane's range has samples, however large W is. */
static ls_status open_window(ls_sampler *s, int lane, int64_t number) {
    lane_window *window = &s->windows[lane];
    if (window->number == number) return LS_OK;
    int64_t begin = range_begin(s, lane), length = range_begin(s, lane + 1) - begin, size = s->sampling.window;
    int64_t room = ls_min(size, length), count = ls_min(size, length - number * size);
    window->number = -1;
    if (window->capacity < room) {
        ls_free(window->samples);
        window->capacity = 0;
        LS_TRY(ls_alloc(&window->samples, room, sizeof(int64_t), "a lane's shuffle window"));
        window->capacity = room;
    }
    read_sequence(s, begin + number * size, count, window->samples);
    ls_rng rng = ls_rng_stream(s->sampling.seed, LS_RNG_WINDOW, (uint32_t)lane, s->epoch);
    ls_rng_shuffle(&rng, (uint64_t)number, count, window->samples);
    window->number = number;
    return LS_OK;
}

/* All steps before this one have full batches, so the place of the lane is a product. */
ls_status ls_sampler_take(ls_sampler *s, int lane, int64_t step, int64_t *samples) {
    int64_t size = s->sampling.window, left = ls_sampler_rows(s, lane, step);
    int64_t at = step * lane_share(s->sampling.batch, lane, s->sampling.lanes);
    while (left > 0) {
        LS_TRY(open_window(s, lane, at / size));
        int64_t count = ls_min(left, size - at % size);
        memcpy(samples, s->windows[lane].samples + at % size, (size_t)count * sizeof *samples);
        samples += count;
        at += count;
        left -= count;
    }
    return LS_OK;
}

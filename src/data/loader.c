/* loader.c - prepares batches in a thread of its own. That thread fills a ring of batches, and the caller empties it;
 * both counts only grow. */
#include <assert.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>

#include "base/integers.h"
#include "base/memory.h"
#include "base/threads.h"
#include "data/loader.h"
#include "tensor/vector.h"

/* Transforms round, so a number may lie outside a range by this share of it. */
#define ROUNDING 1e-4f

struct ls_loader {
    ls_loader_spec spec;
    int64_t input_floats, target_floats; /* of a sample */
    ls_batch *ring;                      /* [slots]; the caller uses one of them */
    int slots;
    void *stored; /* [max_rows] samples as the file has them */
    int32_t *labels;
    float *scratch;
    pthread_t thread;
    bool started;
    /* Under the lock: */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t filled, emptied; /* how many batches */
    bool holding;            /* the caller uses the batch that is emptied next */
    bool stop, ended;        /* the caller wants no more; there are no more */
    ls_failure failure;      /* why there are no more, if it is a failure */
};

/* --- the thread --- */

static void transform(const ls_loader *loader, const ls_batch *batch) {
    const ls_loader_spec *spec = &loader->spec;
    ls_pipeline_call call = {.seed = spec->seed, .epoch = batch->epoch, .use = spec->use};
    ls_pipeline_call target = call;
    target.target = true;
    int64_t sample_bytes = ls_dataset_get_info(spec->dataset)->sample_bytes;
    for (int64_t i = 0; i < batch->rows.count; i++) {
        const char *stored = (const char *)loader->stored + i * sample_bytes;
        int32_t label = loader->labels != NULL ? loader->labels[i] : 0;
        ls_pipeline_apply(spec->input, &call, batch->samples[i], stored, label, batch->input + i * loader->input_floats,
                          loader->scratch);
        if (spec->target != NULL)
            ls_pipeline_apply(spec->target, &target, batch->samples[i], stored, label,
                              batch->target + i * loader->target_floats, loader->scratch);
    }
}

/* Widens the ends by what rounding may add. A number that is not finite is outside in any case. */
static ls_bounds widen(const ls_bounds *bounds) {
    if (bounds->low == bounds->high) return (ls_bounds){-FLT_MAX, FLT_MAX};
    float span = bounds->high - bounds->low, slack = ROUNDING * (isfinite(span) ? span : 1);
    return (ls_bounds){fmaxf(bounds->low - slack, -FLT_MAX), fminf(bounds->high + slack, FLT_MAX)};
}

static const char *mend(const ls_loader *loader, bool target) {
    if (!target) return "import the data as the training data was";
    if (ls_dataset_get_info(loader->spec.dataset)->element == LS_ELEMENT_UINT8) return "end the transforms with clip";
    return "rescale the data: {rescale: {range: [0, 1], from: [SMALLEST, LARGEST]}}, with the smallest and the largest "
           "number of the file";
}

static ls_status refuse(const ls_loader *loader, int64_t sample, float number, bool target) {
    const ls_loader_spec *spec = &loader->spec;
    const ls_bounds *bounds = target ? &spec->target_bounds : &spec->input_bounds;
    int64_t at;
    const char *path = ls_dataset_locate(spec->dataset, sample, &at);
    if (!isfinite(number))
        return LS_RAISE(LS_INVALID, "%s: sample %" PRId64 ", as input or target, has a number that is not finite", path,
                        at);
    return LS_RAISE(LS_INVALID,
                    "%s: sample %" PRId64 " has the number %g in the %s, but %s needs numbers within [%g, %g]; %s",
                    path, at, (double)number, target ? "target" : "input", target ? spec->target_of : "the model",
                    (double)bounds->low, (double)bounds->high, mend(loader, target));
}

static ls_status check_part(const ls_loader *loader, const ls_batch *batch, bool target) {
    const ls_loader_spec *spec = &loader->spec;
    int64_t floats = target ? loader->target_floats : loader->input_floats, row = 0, i = 0;
    const float *x = target ? batch->target : batch->input;
    ls_bounds in = widen(target ? &spec->target_bounds : &spec->input_bounds);
    if (ls_vector_within(batch->rows.count * floats, x, in.low, in.high)) return LS_OK;
    while (ls_vector_within(floats, x + row * floats, in.low, in.high)) row++;
    for (x += row * floats; x[i] >= in.low && x[i] <= in.high;) i++;
    return refuse(loader, batch->samples[row], x[i], target);
}

/* Checks all numbers of a batch before the model sees them. */
static ls_status check(const ls_loader *loader, const ls_batch *batch) {
    LS_TRY(check_part(loader, batch, false));
    return loader->spec.target != NULL ? check_part(loader, batch, true) : LS_OK;
}

static ls_status fill(ls_loader *loader, ls_batch *batch, bool *more) {
    LS_TRY(loader->spec.next(loader->spec.context, batch, more));
    if (!*more) return LS_OK;
    assert(batch->rows.count <= loader->spec.max_rows);
    LS_TRY(ls_dataset_fetch(loader->spec.dataset, batch->rows.count, batch->samples, loader->stored, loader->labels));
    transform(loader, batch);
    return check(loader, batch);
}

/* Waits for an empty batch; NULL: the caller wants no more. */
static ls_batch *take_empty(ls_loader *loader) {
    pthread_mutex_lock(&loader->lock);
    while (!loader->stop && loader->filled - loader->emptied == loader->slots)
        pthread_cond_wait(&loader->changed, &loader->lock);
    ls_batch *batch = loader->stop ? NULL : &loader->ring[loader->filled % loader->slots];
    pthread_mutex_unlock(&loader->lock);
    return batch;
}

static void *run(void *context) {
    ls_loader *loader = context;
    bool more = true;
    for (ls_batch *batch; more && (batch = take_empty(loader)) != NULL;) {
        ls_status status = fill(loader, batch, &more);
        pthread_mutex_lock(&loader->lock);
        if (status != LS_OK) loader->failure = *ls_failure_get();
        more = more && status == LS_OK;
        loader->filled += more;
        loader->ended = !more;
        pthread_cond_signal(&loader->changed);
        pthread_mutex_unlock(&loader->lock);
    }
    return NULL;
}

/* --- the caller --- */

static int64_t pipeline_floats(const ls_pipeline *pipeline) {
    if (pipeline == NULL) return 0;
    ls_shape shape = ls_pipeline_shape(pipeline);
    return ls_shape_count(&shape);
}

static int64_t scratch_floats(const ls_loader_spec *spec) {
    int64_t input = ls_pipeline_scratch(spec->input);
    return spec->target != NULL ? ls_max(input, ls_pipeline_scratch(spec->target)) : input;
}

static ls_status allocate_batch(const ls_loader *loader, ls_batch *batch) {
    int64_t rows = loader->spec.max_rows;
    LS_TRY(ls_alloc(&batch->samples, rows, sizeof *batch->samples, "a batch"));
    LS_TRY(ls_alloc(&batch->input, rows * loader->input_floats, sizeof(float), "a batch"));
    if (loader->spec.target == NULL) return LS_OK;
    return ls_alloc(&batch->target, rows * loader->target_floats, sizeof(float), "a batch");
}

static ls_status allocate(ls_loader *loader) {
    const ls_loader_spec *spec = &loader->spec;
    const ls_dataset_info *info = ls_dataset_get_info(spec->dataset);
    LS_TRY(ls_alloc(&loader->ring, loader->slots, sizeof *loader->ring, "batches"));
    for (int i = 0; i < loader->slots; i++) LS_TRY(allocate_batch(loader, &loader->ring[i]));
    LS_TRY(ls_alloc(&loader->stored, spec->max_rows, (size_t)info->sample_bytes, "a batch as it is stored"));
    if (info->labelled) LS_TRY(ls_alloc(&loader->labels, spec->max_rows, sizeof(int32_t), "labels of a batch"));
    return ls_alloc(&loader->scratch, scratch_floats(spec), sizeof(float), "the transforms");
}

ls_status ls_loader_start(ls_loader *loader) {
    assert(!loader->started);
    loader->filled = loader->emptied = 0;
    loader->holding = loader->stop = loader->ended = false;
    loader->failure = (ls_failure){0};
    LS_TRY(ls_thread_start(&loader->thread, run, loader, "the loader's thread"));
    loader->started = true;
    return LS_OK;
}

void ls_loader_stop(ls_loader *loader) {
    if (!loader->started) return;
    pthread_mutex_lock(&loader->lock);
    loader->stop = true;
    pthread_cond_signal(&loader->changed);
    pthread_mutex_unlock(&loader->lock);
    pthread_join(loader->thread, NULL);
    loader->started = false;
}

ls_status ls_loader_open(const ls_loader_spec *spec, ls_loader **out) {
    assert(spec->max_rows >= 0 && spec->depth > 0);
    ls_loader *loader;
    *out = NULL;
    LS_TRY(ls_alloc(&loader, 1, sizeof *loader, "the loader"));
    loader->spec = *spec;
    loader->slots = spec->depth + 1;
    loader->input_floats = pipeline_floats(spec->input);
    loader->target_floats = pipeline_floats(spec->target);
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->changed, NULL);
    ls_status status = allocate(loader);
    if (status == LS_OK) status = ls_loader_start(loader);
    if (status != LS_OK)
        ls_loader_close(loader);
    else
        *out = loader;
    return status;
}

void ls_loader_close(ls_loader *loader) {
    if (loader == NULL) return;
    ls_loader_stop(loader);
    for (int i = 0; loader->ring != NULL && i < loader->slots; i++) {
        ls_free(loader->ring[i].samples);
        ls_free(loader->ring[i].input);
        ls_free(loader->ring[i].target);
    }
    pthread_cond_destroy(&loader->changed);
    pthread_mutex_destroy(&loader->lock);
    ls_free(loader->ring);
    ls_free(loader->stored);
    ls_free(loader->labels);
    ls_free(loader->scratch);
    ls_free(loader);
}

ls_status ls_loader_next(ls_loader *loader, const ls_batch **batch) {
    ls_status status = LS_OK;
    *batch = NULL;
    pthread_mutex_lock(&loader->lock);
    if (loader->holding) loader->emptied++;
    pthread_cond_signal(&loader->changed);
    while (loader->filled == loader->emptied && !loader->ended) pthread_cond_wait(&loader->changed, &loader->lock);
    loader->holding = loader->filled > loader->emptied;
    if (loader->holding)
        *batch = &loader->ring[loader->emptied % loader->slots];
    else if (loader->failure.status != LS_OK)
        status = ls_failure_set(&loader->failure);
    pthread_mutex_unlock(&loader->lock);
    return status;
}

int64_t ls_loader_memory_bytes(const ls_loader_spec *spec, const ls_dataset_info *info) {
    int64_t floats = pipeline_floats(spec->input) + pipeline_floats(spec->target);
    int64_t batch_bytes = spec->max_rows * (floats * (int64_t)sizeof(float) + (int64_t)sizeof(int64_t));
    int64_t stored_bytes = spec->max_rows * (info->sample_bytes + (info->labelled ? (int64_t)sizeof(int32_t) : 0));
    return (spec->depth + 1) * batch_bytes + stored_bytes + scratch_floats(spec) * (int64_t)sizeof(float);
}

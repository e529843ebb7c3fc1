/* readahead.c - the thread that reads ahead. It counts the batches that it has seen, and the loader counts those that
 * it has reached; the blocks read for the batches between are limited. A failure ends the thread silently: the loader
 * meets the same block later, and reports it. */
#include "data/readahead.h"

#include <assert.h>
#include <pthread.h>

#include "base/memory.h"
#include "base/threads.h"

struct ls_readahead {
    ls_readahead_spec spec;
    int64_t *samples; /* [max_rows] */
    int64_t *bytes;   /* [batches] bytes decoded for each batch ahead of the loader; batch i is at i % batches */
    pthread_t thread;
    bool started;
    /* Under the lock: */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t seen, reached; /* how many batches the thread has seen, and the loader has reached */
    int64_t ahead_bytes;   /* the sum of bytes[] from reached to seen */
    bool stop, ended;
};

static bool is_far_enough(const ls_readahead *ahead) {
    int64_t batches = ahead->seen - ahead->reached;
    return batches >= ahead->spec.batches || (batches > 0 && ahead->ahead_bytes >= ahead->spec.room_bytes);
}

/* Waits until there is room for a batch; false: nobody wants more. *late: the loader has passed this batch already. */
static bool await_room(ls_readahead *ahead, bool *late) {
    pthread_mutex_lock(&ahead->lock);
    while (!ahead->stop && is_far_enough(ahead)) pthread_cond_wait(&ahead->changed, &ahead->lock);
    bool go_on = !ahead->stop;
    *late = ahead->seen < ahead->reached;
    pthread_mutex_unlock(&ahead->lock);
    return go_on;
}

static void count_batch(ls_readahead *ahead, int64_t bytes) {
    pthread_mutex_lock(&ahead->lock);
    if (ahead->seen >= ahead->reached) {
        ahead->bytes[ahead->seen % ahead->spec.batches] = bytes;
        ahead->ahead_bytes += bytes;
    }
    ahead->seen++;
    pthread_mutex_unlock(&ahead->lock);
}

static void *run(void *context) {
    ls_readahead *ahead = context;
    const ls_readahead_spec *spec = &ahead->spec;
    bool late, more = true;
    while (await_room(ahead, &late)) {
        int64_t count = 0, bytes = 0;
        ls_status status = spec->next(spec->context, ahead->samples, &count, &more);
        assert(count <= spec->max_rows);
        if (status == LS_OK && more && !late)
            status = ls_dataset_read_ahead(spec->dataset, count, ahead->samples, &bytes);
        if (status != LS_OK || !more) break;
        count_batch(ahead, bytes);
    }
    pthread_mutex_lock(&ahead->lock);
    ahead->ended = true;
    pthread_mutex_unlock(&ahead->lock);
    return NULL;
}

bool ls_readahead_goes_on(ls_readahead *ahead) {
    pthread_mutex_lock(&ahead->lock);
    bool goes_on = !ahead->ended;
    pthread_mutex_unlock(&ahead->lock);
    return goes_on;
}

void ls_readahead_advance(ls_readahead *ahead) {
    pthread_mutex_lock(&ahead->lock);
    if (ahead->reached < ahead->seen) ahead->ahead_bytes -= ahead->bytes[ahead->reached % ahead->spec.batches];
    ahead->reached++;
    pthread_cond_signal(&ahead->changed);
    pthread_mutex_unlock(&ahead->lock);
}

static ls_status start(ls_readahead *ahead) {
    LS_TRY(ls_alloc(&ahead->samples, ahead->spec.max_rows, sizeof *ahead->samples, "reading ahead"));
    LS_TRY(ls_alloc(&ahead->bytes, ahead->spec.batches, sizeof *ahead->bytes, "reading ahead"));
    LS_TRY(ls_thread_start(&ahead->thread, run, ahead, "a thread to read ahead"));
    ahead->started = true;
    return LS_OK;
}

ls_status ls_readahead_open(const ls_readahead_spec *spec, ls_readahead **out) {
    assert(spec->max_rows >= 0 && spec->batches >= 1);
    ls_readahead *ahead;
    *out = NULL;
    LS_TRY(ls_alloc(&ahead, 1, sizeof *ahead, "reading ahead"));
    ahead->spec = *spec;
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->changed, NULL);
    ls_status status = start(ahead);
    if (status != LS_OK)
        ls_readahead_close(ahead);
    else
        *out = ahead;
    return status;
}

void ls_readahead_close(ls_readahead *ahead) {
    if (ahead == NULL) return;
    if (ahead->started) {
        pthread_mutex_lock(&ahead->lock);
        ahead->stop = true;
        pthread_cond_signal(&ahead->changed);
        pthread_mutex_unlock(&ahead->lock);
        pthread_join(ahead->thread, NULL);
    }
    pthread_cond_destroy(&ahead->changed);
    pthread_mutex_destroy(&ahead->lock);
    ls_free(ahead->samples);
    ls_free(ahead->bytes);
    ls_free(ahead);
}

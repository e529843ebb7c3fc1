/* cache.c - see cache.h. */
#include "cache.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "lockstep/memory.h"

enum { EMPTY, FILLING, READY, NO_SLOT = -1 };

typedef struct slot {
    void *data;
    int64_t block;
    uint64_t used; /* when it was asked for last */
} slot;

struct ls_cache {
    const ls_span *blocks;
    int64_t count, sample_bytes;
    ls_block_fn decode;
    void *context;
    /* Every block, at the place of its first sample: shared by the node's ranks, or this rank's own. */
    ls_shared shared;
    char *all;              /* NULL: there is no such thing */
    _Atomic uint8_t *state; /* [count] */
    /* This rank's few. */
    pthread_mutex_t lock;
    slot *slots;
    int64_t slot_count, slot_limit, slot_bytes;
    int64_t *slot_of; /* [count], NO_SLOT where a block is in none */
    uint64_t clock;
};

ls_status ls_cache_create(const ls_span *blocks, int64_t count, int64_t sample_bytes, ls_block_fn decode, void *context,
                          ls_cache **out) {
    assert(count > 0);
    ls_cache *cache;
    *out = NULL;
    LS_TRY(ls_alloc(&cache, 1, sizeof *cache, "the block cache"));
    *cache = (ls_cache){
        .blocks = blocks, .count = count, .sample_bytes = sample_bytes, .decode = decode, .context = context};
    (void)pthread_mutex_init(&cache->lock, NULL);
    for (int64_t b = 0; b < count; b++)
        if (blocks[b].count * sample_bytes > cache->slot_bytes) cache->slot_bytes = blocks[b].count * sample_bytes;
    ls_status status = ls_alloc(&cache->slot_of, count, sizeof *cache->slot_of, "the block cache");
    if (status == LS_OK) status = ls_alloc(&cache->slots, count, sizeof *cache->slots, "the block cache");
    if (LS_FAILED(status)) {
        ls_cache_destroy(cache);
        return status;
    }
    for (int64_t b = 0; b < count; b++) cache->slot_of[b] = NO_SLOT;
    ls_cache_keep(cache, 0);
    *out = cache;
    return LS_OK;
}

static void release_slots(ls_cache *cache, int64_t from) {
    for (int64_t s = from; s < cache->slot_count; s++) {
        if (cache->slots[s].block != NO_SLOT) cache->slot_of[cache->slots[s].block] = NO_SLOT;
        ls_free(cache->slots[s].data);
    }
    if (cache->slot_count > from) cache->slot_count = from;
}

void ls_cache_destroy(ls_cache *cache) {
    if (cache == NULL) return;
    release_slots(cache, 0);
    if (cache->shared.data != NULL)
        ls_shared_release(&cache->shared);
    else
        ls_free(cache->all);
    (void)pthread_mutex_destroy(&cache->lock);
    ls_free(cache->slots);
    ls_free(cache->slot_of);
    ls_free(cache);
}

void ls_cache_keep(ls_cache *cache, int64_t bytes) {
    int64_t limit = bytes / cache->slot_bytes;
    (void)pthread_mutex_lock(&cache->lock);
    cache->slot_limit = limit < 1 ? 1 : limit > cache->count ? cache->count : limit;
    release_slots(cache, cache->slot_limit);
    (void)pthread_mutex_unlock(&cache->lock);
}

bool ls_cache_share(ls_cache *cache, const ls_comm *comm, int64_t limit_bytes) {
    const ls_span *last = &cache->blocks[cache->count - 1];
    int64_t data_bytes = ls_align_bytes((last->first + last->count) * cache->sample_bytes);
    int64_t bytes = data_bytes + cache->count;
    if (cache->all != NULL || bytes > limit_bytes) return cache->all != NULL;
    if (ls_shared_create(comm, bytes, &cache->shared) == LS_OK)
        cache->all = cache->shared.data;
    else if (bytes <= limit_bytes / comm->node_size)
        (void)ls_alloc(&cache->all, bytes, 1, "the cache of a data set");
    if (cache->all == NULL) return false;
    cache->state = (_Atomic uint8_t *)(cache->all + data_bytes);
    return true;
}

/* Looks among all blocks, decoding where nobody did yet; *found is false while another is at it. */
static ls_status find_in_all(ls_cache *cache, int64_t block, const char **found) {
    _Atomic uint8_t *state = &cache->state[block];
    char *data = cache->all + cache->blocks[block].first * cache->sample_bytes;
    uint8_t empty = EMPTY;
    *found = NULL;
    if (atomic_load_explicit(state, memory_order_acquire) != READY) {
        if (!atomic_compare_exchange_strong(state, &empty, FILLING)) {
            if (empty == READY) *found = data;
            return LS_OK;
        }
        ls_status status = cache->decode(cache->context, block, data);
        atomic_store_explicit(state, status == LS_OK ? READY : EMPTY, memory_order_release);
        LS_TRY(status);
    }
    *found = data;
    return LS_OK;
}

/* Under the lock. A new slot, or the one that was not asked for longest. */
static ls_status free_slot(ls_cache *cache, slot **out) {
    slot *oldest = &cache->slots[0];
    if (cache->slot_count < cache->slot_limit) {
        oldest = &cache->slots[cache->slot_count];
        LS_TRY(ls_alloc(&oldest->data, cache->slot_bytes, 1, "a block of a data set"));
        cache->slot_count++;
    } else {
        for (int64_t s = 1; s < cache->slot_count; s++)
            if (cache->slots[s].used < oldest->used) oldest = &cache->slots[s];
        if (oldest->block != NO_SLOT) cache->slot_of[oldest->block] = NO_SLOT;
    }
    oldest->block = NO_SLOT;
    oldest->used = 0;
    *out = oldest;
    return LS_OK;
}

/* Under the lock. */
static ls_status find_in_slots(ls_cache *cache, int64_t block, const char **found) {
    slot *s = NULL;
    if (cache->slot_of[block] == NO_SLOT) {
        LS_TRY(free_slot(cache, &s));
        LS_TRY(cache->decode(cache->context, block, s->data));
        s->block = block;
        cache->slot_of[block] = s - cache->slots;
    }
    s = &cache->slots[cache->slot_of[block]];
    s->used = ++cache->clock;
    *found = s->data;
    return LS_OK;
}

ls_status ls_cache_copy(ls_cache *cache, int64_t block, int64_t sample, void *out) {
    const char *found = NULL;
    size_t bytes = (size_t)cache->sample_bytes;
    assert(block >= 0 && block < cache->count && sample >= 0 && sample < cache->blocks[block].count);
    if (cache->all != NULL) {
        LS_TRY(find_in_all(cache, block, &found));
        if (found != NULL) {
            memcpy(out, found + sample * cache->sample_bytes, bytes);
            return LS_OK;
        }
    }
    (void)pthread_mutex_lock(&cache->lock);
    ls_status status = find_in_slots(cache, block, &found);
    if (status == LS_OK) memcpy(out, found + sample * cache->sample_bytes, bytes);
    (void)pthread_mutex_unlock(&cache->lock);
    return status;
}

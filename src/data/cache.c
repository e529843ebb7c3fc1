/* cache.c - decoded blocks in memory: all of them, shared by the ranks of a host, or a few of this rank alone. A block
 * is decoded by one thread while others wait for it or read other blocks. */
#include "data/cache_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum { EMPTY, FILLING, READY, NO_SLOT = -1 };

typedef struct slot {
    void *data;
    int64_t block; /* NO_SLOT: none */
    uint64_t used; /* the clock when it was last asked for */
    bool awaited;  /* it was read ahead, and was not asked for yet */
} slot;

struct ls_cache {
    const ls_span *blocks;
    int64_t count, sample_bytes;
    ls_block_fn decode;
    void *context;
    /* All blocks, each at the place of its first sample: shared by the host's ranks, or a copy of this rank. */
    ls_shared shared;
    char *all;              /* NULL: there is no room for all blocks */
    _Atomic uint8_t *state; /* [count] EMPTY, FILLING or READY */
    /* Under the lock. Decoding itself is not, so that other threads can go on. */
    pthread_mutex_t lock;
    pthread_cond_t filled;
    bool *filling; /* [count] a thread of this rank is decoding the block */
    /* A few blocks of this rank alone. */
    slot *slots;
    int64_t slot_count, slot_limit, slot_bytes;
    int64_t *slot_of; /* [count] the slot that holds a block, or NO_SLOT */
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
    pthread_mutex_init(&cache->lock, NULL);
    pthread_cond_init(&cache->filled, NULL);
    for (int64_t b = 0; b < count; b++)
        if (blocks[b].count * sample_bytes > cache->slot_bytes) cache->slot_bytes = blocks[b].count * sample_bytes;
    ls_status status = ls_alloc(&cache->slot_of, count, sizeof *cache->slot_of, "the block cache");
    if (status == LS_OK) status = ls_alloc(&cache->filling, count, sizeof *cache->filling, "the block cache");
    if (status == LS_OK) status = ls_alloc(&cache->slots, count, sizeof *cache->slots, "the block cache");
    if (status != LS_OK) {
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

static void release_all(ls_cache *cache) {
    if (cache->shared.data != NULL)
        ls_shared_release(&cache->shared);
    else
        ls_free(cache->all);
    cache->all = NULL;
}

void ls_cache_destroy(ls_cache *cache) {
    if (cache == NULL) return;
    release_slots(cache, 0);
    release_all(cache);
    pthread_cond_destroy(&cache->filled);
    pthread_mutex_destroy(&cache->lock);
    ls_free(cache->filling);
    ls_free(cache->slots);
    ls_free(cache->slot_of);
    ls_free(cache);
}

void ls_cache_keep(ls_cache *cache, int64_t bytes) {
    int64_t limit = bytes / cache->slot_bytes;
    pthread_mutex_lock(&cache->lock);
    cache->slot_limit = limit < 1 ? 1 : limit > cache->count ? cache->count : limit;
    release_slots(cache, cache->slot_limit);
    pthread_mutex_unlock(&cache->lock);
}

/* Collective over the host. Makes room for all blocks: in shared memory, or, without shared memory, a copy for each
 * rank. Returns the bytes that the host uses for it; 0: there is no room. */
static int64_t make_room(ls_cache *cache, const ls_comm *comm, int64_t bytes, int64_t limit_bytes) {
    if (ls_shared_create(comm, bytes, &cache->shared) == LS_OK) {
        cache->all = cache->shared.data;
        return bytes;
    }
    if (bytes > limit_bytes / comm->host_size) return 0;
    (void)ls_alloc(&cache->all, bytes, 1, "the cache of a data set");
    return cache->all != NULL ? bytes * comm->host_size : 0;
}

int64_t ls_cache_share(ls_cache *cache, const ls_comm *comm, int64_t limit_bytes) {
    const ls_span *last = &cache->blocks[cache->count - 1];
    int64_t data_bytes = ls_align_bytes((last->first + last->count) * cache->sample_bytes);
    int64_t bytes = data_bytes + cache->count;
    assert(cache->all == NULL);
    if (bytes > limit_bytes) return 0;
    int64_t spent_bytes = make_room(cache, comm, bytes, limit_bytes);
    if (ls_comm_min(comm, spent_bytes) == 0) {
        release_all(cache);
        return 0;
    }
    cache->state = (_Atomic uint8_t *)(cache->all + data_bytes);
    return ls_comm_max(comm, spent_bytes);
}

/* Under the lock, which is released meanwhile. Decodes a block for all threads of this rank. */
static ls_status fill(ls_cache *cache, int64_t block, void *data) {
    cache->filling[block] = true;
    pthread_mutex_unlock(&cache->lock);
    ls_status status = cache->decode(cache->context, block, data);
    pthread_mutex_lock(&cache->lock);
    cache->filling[block] = false;
    pthread_cond_broadcast(&cache->filled);
    return status;
}

/* Under the lock. Waits while another thread of this rank decodes the block. */
static void await(ls_cache *cache, int64_t block) {
    while (cache->filling[block]) pthread_cond_wait(&cache->filled, &cache->lock);
}

/* Under the lock. Finds a block among all blocks, and decodes it if nobody did yet; *found is NULL while another rank
 * decodes it. */
static ls_status find_in_all(ls_cache *cache, int64_t block, const char **found, bool *decoded) {
    _Atomic uint8_t *state = &cache->state[block];
    char *data = cache->all + cache->blocks[block].first * cache->sample_bytes;
    uint8_t expected = EMPTY;
    await(cache, block);
    if (atomic_compare_exchange_strong(state, &expected, FILLING)) {
        ls_status status = fill(cache, block, data);
        atomic_store_explicit(state, status == LS_OK ? READY : EMPTY, memory_order_release);
        LS_TRY(status);
        *decoded = true;
        expected = READY;
    }
    *found = expected == READY ? data : NULL;
    return LS_OK;
}

/* Whether slot a should be reused before slot b. Blocks that were read ahead and not asked for yet come last. */
static bool is_older(const slot *a, const slot *b) { return a->awaited != b->awaited ? b->awaited : a->used < b->used; }

/* Under the lock. A new slot, or the least recently used one; *out is NULL while all slots are being filled. */
static ls_status free_slot(ls_cache *cache, slot **out) {
    slot *oldest = NULL;
    if (cache->slot_count < cache->slot_limit) {
        oldest = &cache->slots[cache->slot_count];
        LS_TRY(ls_alloc(&oldest->data, cache->slot_bytes, 1, "a block of a data set"));
        cache->slot_count++;
    } else {
        for (slot *s = cache->slots; s < cache->slots + cache->slot_count; s++) {
            bool busy = s->block != NO_SLOT && cache->filling[s->block];
            if (!busy && (oldest == NULL || is_older(s, oldest))) oldest = s;
        }
        if (oldest != NULL && oldest->block != NO_SLOT) cache->slot_of[oldest->block] = NO_SLOT;
    }
    if (oldest != NULL) oldest->block = NO_SLOT;
    *out = oldest;
    return LS_OK;
}

/* Under the lock. */
static ls_status fill_slot(ls_cache *cache, int64_t block, slot *s) {
    s->block = block;
    cache->slot_of[block] = s - cache->slots;
    ls_status status = fill(cache, block, s->data);
    if (status != LS_OK) s->block = cache->slot_of[block] = NO_SLOT;
    return status;
}

/* Under the lock. */
static ls_status find_in_slots(ls_cache *cache, int64_t block, slot **found, bool *decoded) {
    slot *s = NULL;
    for (await(cache, block); cache->slot_of[block] == NO_SLOT; await(cache, block)) {
        LS_TRY(free_slot(cache, &s));
        if (s != NULL) {
            LS_TRY(fill_slot(cache, block, s));
            *decoded = true;
        } else {
            pthread_cond_wait(&cache->filled, &cache->lock);
        }
    }
    *found = &cache->slots[cache->slot_of[block]];
    (*found)->used = ++cache->clock;
    return LS_OK;
}

static bool is_ready(const ls_cache *cache, int64_t block) {
    return cache->all != NULL && atomic_load_explicit(&cache->state[block], memory_order_acquire) == READY;
}

/* Under the lock. */
static ls_status find(ls_cache *cache, int64_t block, const char **found) {
    bool decoded;
    slot *s;
    if (cache->all != NULL) LS_TRY(find_in_all(cache, block, found, &decoded));
    if (*found != NULL) return LS_OK;
    LS_TRY(find_in_slots(cache, block, &s, &decoded));
    s->awaited = false;
    *found = s->data;
    return LS_OK;
}

ls_status ls_cache_copy(ls_cache *cache, int64_t block, int64_t sample, void *out) {
    const char *found = NULL;
    int64_t bytes = cache->sample_bytes;
    assert(block >= 0 && block < cache->count && sample >= 0 && sample < cache->blocks[block].count);
    if (is_ready(cache, block)) {
        memcpy(out, cache->all + (cache->blocks[block].first + sample) * bytes, (size_t)bytes);
        return LS_OK;
    }
    pthread_mutex_lock(&cache->lock);
    ls_status status = find(cache, block, &found);
    if (status == LS_OK) memcpy(out, found + sample * bytes, (size_t)bytes);
    pthread_mutex_unlock(&cache->lock);
    return status;
}

/* Under the lock. If another rank is decoding the block for all, there is nothing to do. */
static ls_status read_ahead(ls_cache *cache, int64_t block, bool *decoded) {
    const char *found;
    slot *s;
    if (cache->all != NULL) return find_in_all(cache, block, &found, decoded);
    LS_TRY(find_in_slots(cache, block, &s, decoded));
    s->awaited = true;
    return LS_OK;
}

ls_status ls_cache_read_ahead(ls_cache *cache, int64_t block, bool *decoded) {
    *decoded = false;
    if (is_ready(cache, block)) return LS_OK;
    pthread_mutex_lock(&cache->lock);
    ls_status status = read_ahead(cache, block, decoded);
    pthread_mutex_unlock(&cache->lock);
    return status;
}

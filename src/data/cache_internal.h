/* cache_internal.h - decoded blocks in memory: all blocks, once for each host, or a few blocks of this rank. It does
 * not know of files. */
#ifndef LS_DATA_CACHE_INTERNAL_H
#define LS_DATA_CACHE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "data/sampler.h"
#include "par/comm.h"

/* Decodes a block into data. Called from any thread. */
typedef ls_status (*ls_block_fn)(void *context, int64_t block, void *data);

typedef struct ls_cache ls_cache;

/* blocks[count]: the samples of each block, from 0 on and without gaps; it must outlive the cache. */
ls_status ls_cache_create(const ls_span *blocks, int64_t count, int64_t sample_bytes, ls_block_fn decode, void *context,
                          ls_cache **out);
/* Collective over the host if ls_cache_share made room, else Local. */
void ls_cache_destroy(ls_cache *cache);

/* Local, before the first block is asked for. Limits the blocks of this rank to this many bytes, but at least one
 * block. The least recently used block is replaced, but one that was read ahead and not asked for yet comes last. */
void ls_cache_keep(ls_cache *cache, int64_t bytes);

/* Collective, once; limit_bytes must be the same on all ranks. Makes room for all blocks, if that takes at most
 * limit_bytes on each host and every host has the memory. Returns the most bytes that a host uses, the same on all
 * ranks; 0: there is no room. */
int64_t ls_cache_share(ls_cache *cache, const ls_comm *comm, int64_t limit_bytes);

/* Local, thread-safe. Copies a sample of a block, which is decoded if it is not in memory. */
ls_status ls_cache_copy(ls_cache *cache, int64_t block, int64_t sample, void *out);

/* Local, thread-safe. Decodes a block that is not in memory, for a later copy. *decoded: whether it had to. */
ls_status ls_cache_read_ahead(ls_cache *cache, int64_t block, bool *decoded);

#endif

/* cache_internal.h - decoded blocks in memory: all of them, once a host, or a few of one's own. Knows nothing of files.
 * Private to the room. */
#ifndef LS_DATA_CACHE_INTERNAL_H
#define LS_DATA_CACHE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "data/sampler.h"
#include "par/comm.h"

/* Decodes a block. Called from any thread. */
typedef ls_status (*ls_block_fn)(void *context, int64_t block, void *data);

typedef struct ls_cache ls_cache;

/* blocks[count]: the samples of each block, from 0 on and without gaps; they must outlive the cache. */
ls_status ls_cache_create(const ls_span *blocks, int64_t count, int64_t sample_bytes, ls_block_fn decode, void *context,
                          ls_cache **out);
/* Collective over the host where ls_cache_share made room. */
void ls_cache_destroy(ls_cache *cache);

/* Local, before the first block is asked for. At most so many bytes of blocks of one's own; never less than one block.
 * The one that was not asked for longest gives way, and only then one that was read ahead and not asked for yet. */
void ls_cache_keep(ls_cache *cache, int64_t bytes);

/* Collective, once; limit_bytes must agree. Makes room for all blocks if that takes at most limit_bytes a host and
 * every host has it. Returns what a host gives for it at most, the same on all ranks; 0: there is no room. */
int64_t ls_cache_share(ls_cache *cache, const ls_comm *comm, int64_t limit_bytes);

/* Local, thread-safe. Copies one sample of a block, which is decoded where it is not there. */
ls_status ls_cache_copy(ls_cache *cache, int64_t block, int64_t sample, void *out);

/* Local, thread-safe. Decodes a block that is not there, for a copy to come; *decoded: it was not. */
ls_status ls_cache_read_ahead(ls_cache *cache, int64_t block, bool *decoded);

#endif

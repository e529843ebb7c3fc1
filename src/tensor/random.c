/* random.c - many random numbers of a stream, a chunk at a time; see random.h. */
#include "tensor/random.h"

#include <assert.h>
#include <string.h>

#include "tensor/kernels_internal.h"

static void fill(const ls_rng *rng, uint64_t index, int64_t count, float *out, ls_random_fn chunk) {
    enum { GROUP = 4 };
    assert(count <= (int64_t)GROUP * UINT32_MAX);
    int64_t i = 0;
    for (; i + LS_RANDOM_CHUNK <= count; i += LS_RANDOM_CHUNK) chunk(rng, index, (uint32_t)(i / GROUP), out + i);
    if (i == count) return;
    float last[LS_RANDOM_CHUNK];
    chunk(rng, index, (uint32_t)(i / GROUP), last);
    memcpy(out + i, last, (size_t)(count - i) * sizeof *out);
}

void ls_random_uniform(const ls_rng *rng, uint64_t index, int64_t count, float *out) {
    fill(rng, index, count, out, ls_random_kernels_get()->uniform);
}

void ls_random_normal(const ls_rng *rng, uint64_t index, int64_t count, float *out) {
    fill(rng, index, count, out, ls_random_kernels_get()->normal);
}

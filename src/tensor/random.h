/* random.h - many numbers of a stream (rng.h) at once. The same for all instruction sets and with any mathematical
 * library. Local, thread-safe, no allocation. */
#ifndef LS_TENSOR_RANDOM_H
#define LS_TENSOR_RANDOM_H

#include <stdint.h>

#include "base/rng.h"

/* count numbers of item `index`, four from each of its groups of words: uniform in [0, 1) (24 bits), or standard normal
 * (Box-Muller in double, rounded once). They are made 64 at a time: fewer cost as much. */
void ls_random_uniform(const ls_rng *rng, uint64_t index, int64_t count, float *out);
void ls_random_normal(const ls_rng *rng, uint64_t index, int64_t count, float *out);

#endif

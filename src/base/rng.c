/* rng.c - Philox4x32-10; see the header for the source.
 *
 * The key is derived from (seed, purpose, instance) by Philox itself; the counter is (block, index, epoch). */
#include "base/rng.h"

#include <assert.h>

enum { WORDS = 4 };

static void philox(const uint32_t key[2], uint32_t x[WORDS]) {
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < LS_PHILOX_ROUNDS; round++) {
        uint64_t a = (uint64_t)LS_PHILOX_MULTIPLIER_0 * x[0];
        uint64_t b = (uint64_t)LS_PHILOX_MULTIPLIER_2 * x[2];
        x[0] = (uint32_t)(b >> 32) ^ x[1] ^ k0;
        x[1] = (uint32_t)b;
        x[2] = (uint32_t)(a >> 32) ^ x[3] ^ k1;
        x[3] = (uint32_t)a;
        k0 += LS_PHILOX_KEY_STEP_0;
        k1 += LS_PHILOX_KEY_STEP_1;
    }
}

ls_rng ls_rng_stream(uint64_t seed, ls_rng_purpose purpose, uint32_t instance, uint32_t epoch) {
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t x[WORDS] = {(uint32_t)purpose, instance};
    philox(key, x);
    return (ls_rng){.key = {x[0], x[1]}, .epoch = epoch};
}

void ls_rng_bits(const ls_rng *rng, uint64_t index, uint32_t block, uint32_t out[WORDS]) {
    out[0] = block;
    out[1] = (uint32_t)index;
    out[2] = (uint32_t)(index >> 32);
    out[3] = rng->epoch;
    philox(rng->key, out);
}

/* The words of one item as a sequence of 64-bit numbers. */
typedef struct sequence {
    const ls_rng *rng;
    uint64_t index;
    uint64_t used;
    uint32_t words[WORDS];
} sequence;

static uint64_t sequence_next(sequence *s) {
    uint64_t half = s->used % 2;
    if (half == 0) {
        assert(s->used / 2 <= UINT32_MAX);
        ls_rng_bits(s->rng, s->index, (uint32_t)(s->used / 2), s->words);
    }
    s->used++;
    return s->words[2 * half] | (uint64_t)s->words[2 * half + 1] << 32;
}

__extension__ typedef unsigned __int128 uint128;

/* D. Lemire, "Fast random integer generation in an interval", 2019: the high half of a product, where the low half
 * tells the few draws that would make some numbers likelier than others. */
static uint64_t sequence_below(sequence *s, uint64_t bound) {
    uint64_t biased = (0 - bound) % bound;
    uint128 product;
    do product = (uint128)sequence_next(s) * bound;
    while ((uint64_t)product < biased);
    return (uint64_t)(product >> 64);
}

uint64_t ls_rng_below(const ls_rng *rng, uint64_t index, uint64_t bound) {
    assert(bound > 0);
    return sequence_below(&(sequence){.rng = rng, .index = index}, bound);
}

void ls_rng_shuffle(const ls_rng *rng, uint64_t index, int64_t count, int64_t *items) {
    sequence s = {.rng = rng, .index = index};
    for (int64_t i = count - 1; i > 0; i--) {
        int64_t j = (int64_t)sequence_below(&s, (uint64_t)i + 1);
        int64_t item = items[i];
        items[i] = items[j];
        items[j] = item;
    }
}

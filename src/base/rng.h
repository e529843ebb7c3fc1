/* rng.h - random numbers without a state: Philox4x32-10, a counter-based generator.
 * Source: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 *
 * A number is a function of (seed, purpose, instance, epoch, index): what for, of which layer or transform, in which
 * epoch, of which sample or parameter. So it is the same whoever asks, on any rank or thread, in any order, and after a
 * resume. Local, thread-safe, no allocation. */
#ifndef LS_BASE_RNG_H
#define LS_BASE_RNG_H

#include <stdint.h>

/* Philox4x32-10: rounds, the multipliers of words 0 and 2, and what a round adds to the key (the golden ratio and
 * sqrt(3) - 1). */
#define LS_PHILOX_ROUNDS       10
#define LS_PHILOX_MULTIPLIER_0 UINT32_C(0xD2511F53)
#define LS_PHILOX_MULTIPLIER_2 UINT32_C(0xCD9E8D57)
#define LS_PHILOX_KEY_STEP_0   UINT32_C(0x9E3779B9)
#define LS_PHILOX_KEY_STEP_1   UINT32_C(0xBB67AE85)

typedef enum ls_rng_purpose {
    LS_RNG_IMPORT = 1, /* order of the samples in an imported file */
    LS_RNG_SYNTH,      /* generated pictures */
    LS_RNG_BLOCKS,     /* order of the blocks in an epoch */
    LS_RNG_WINDOW,     /* order of the samples in a lane's window */
    LS_RNG_WEIGHTS,    /* initial weights */
    LS_RNG_DROPOUT,
    LS_RNG_NOISE,      /* training noise: with the epoch */
    LS_RNG_NOISE_EVAL, /* validation noise: epoch 0 always */
    LS_RNG_TEST,
    LS_RNG_LATENT,  /* codes of variational autoencoders */
    LS_RNG_CODES,   /* codes that are drawn to be decoded */
    LS_RNG_AUGMENT, /* of input and target alike */
} ls_rng_purpose;

/* A stream: pass it by pointer, copy it freely. */
typedef struct ls_rng {
    uint32_t key[2];
    uint32_t epoch;
} ls_rng;

/* instance: which layer, transform or file part draws; 0 where there is only one. */
ls_rng ls_rng_stream(uint64_t seed, ls_rng_purpose purpose, uint32_t instance, uint32_t epoch);

/* 128 random bits: the block-th group of four words of item `index`. random.h makes many numbers of them. */
void ls_rng_bits(const ls_rng *rng, uint64_t index, uint32_t block, uint32_t out[4]);

/* A number in [0, bound), without bias (bound > 0). */
uint64_t ls_rng_below(const ls_rng *rng, uint64_t index, uint64_t bound);

/* Fisher-Yates: permutes items[count] as a function of (stream, index). */
void ls_rng_shuffle(const ls_rng *rng, uint64_t index, int64_t count, int64_t *items);

#endif

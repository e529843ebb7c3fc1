/* kernels_random.c - Philox4x32-10 and Box-Muller for many groups of four at once (random.h).
 *
 * Every operation is one that IEEE 754 rounds in one way only, so numbers are the same with any width of vectors. A
 * number has 64 bits here, and the generator's words use the lower half. */
#include <math.h>

#include "tensor/kernels_internal.h"
#include "tensor/simd_internal.h"

enum { WORDS = 4, WIDTH = VEC_WIDTH / 2, GROUPS = LS_RANDOM_CHUNK / WORDS };

typedef double real __attribute__((vector_size(VEC_WIDTH * 4)));

/* A chunk's words, and numbers: by their place in a group. */
typedef union chunk {
    vec_bits words[WORDS][GROUPS / WIDTH];
    uint64_t word[WORDS][GROUPS];
    real reals[WORDS][GROUPS / WIDTH];
    double real[WORDS][GROUPS];
} chunk;

static const uint64_t lower_half = UINT64_C(0xFFFFFFFF);

static void make_words(const ls_rng *rng, uint64_t index, uint32_t block, chunk *out) {
    const vec_bits none = {0};
    for (int g = 0; g < GROUPS / WIDTH; g++) {
        vec_bits x0 = none, x1 = none + (uint32_t)index, x2 = none + (index >> 32), x3 = none + rng->epoch;
        for (int i = 0; i < WIDTH; i++) x0[i] = (uint32_t)(block + (uint32_t)(g * WIDTH + i));
        uint32_t k0 = rng->key[0], k1 = rng->key[1];
        for (int round = 0; round < LS_PHILOX_ROUNDS; round++) {
            vec_bits a = vec_multiply_words(x0, LS_PHILOX_MULTIPLIER_0);
            vec_bits b = vec_multiply_words(x2, LS_PHILOX_MULTIPLIER_2);
            x0 = (b >> 32) ^ x1 ^ (uint64_t)k0;
            x1 = b & lower_half;
            x2 = (a >> 32) ^ x3 ^ (uint64_t)k1;
            x3 = a & lower_half;
            k0 += LS_PHILOX_KEY_STEP_0;
            k1 += LS_PHILOX_KEY_STEP_1;
        }
        out->words[0][g] = x0;
        out->words[1][g] = x1;
        out->words[2][g] = x2;
        out->words[3][g] = x3;
    }
}

static void uniform(const ls_rng *rng, uint64_t index, uint32_t block, float *out) {
    chunk c;
    make_words(rng, index, block, &c);
    for (int g = 0; g < GROUPS; g++)
        for (int k = 0; k < WORDS; k++) out[g * WORDS + k] = (float)(int32_t)(c.word[k][g] >> 8) * 0x1p-24f;
}

/* x + offset, exactly, for 0 <= x < 2^52: the lower bits of 2^52 + x are x. */
VEC_INLINE real to_real(vec_bits x, double offset) {
    return (real)(x | UINT64_C(0x4330000000000000)) - (0x1p52 - offset);
}

/* c[0] + c[1] z + c[2] z^2 + ... */
VEC_INLINE real polynomial(real z, int terms, const double *c) {
    real sum = c[terms - 1] - (real){0};
    for (int i = terms - 2; i >= 0; i--) sum = sum * z + c[i];
    return sum;
}

enum { LOG_TERMS = 9, COS_TERMS = 8, SIN_TERMS = 7 };
static const double log_series[LOG_TERMS] = {1,        1.0 / 3,  1.0 / 5,  1.0 / 7, 1.0 / 9,
                                             1.0 / 11, 1.0 / 13, 1.0 / 15, 1.0 / 17};
static const double cos_series[COS_TERMS] = {1,           -1.0 / 2,       1.0 / 24,        -1.0 / 720,
                                             1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600, -1.0 / 87178291200};
static const double sin_series[SIN_TERMS] = {
    1, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800, 1.0 / 6227020800};

/* The natural logarithm of x in (2^-64, 1), to about 1e-15: x = 2^k m with m around 1, and log m = 2 artanh((m - 1) /
 * (m + 1)). */
VEC_INLINE real log_of(real x) {
    const uint64_t sqrt_half = UINT64_C(0x3FE6A09E667F3BCD), bias = 64;
    vec_bits bits = (vec_bits)x, biased_k = (bits - sqrt_half + (bias << 52)) >> 52;
    real m = (real)(bits - ((biased_k - bias) << 52)), s = (m - 1) / (m + 1);
    return to_real(biased_k, -(double)bias) * M_LN2 + 2 * s * polynomial(s * s, LOG_TERMS, log_series);
}

/* yes where the bit is set, else no; -x where it is set, else x. */
VEC_INLINE real choose(vec_bits bit, real yes, real no) {
    return (real)(((vec_bits)yes & -bit) | ((vec_bits)no & ~-bit));
}
VEC_INLINE real negate(vec_bits bit, real x) { return (real)((vec_bits)x ^ (bit << 63)) + 0.0; /* no -0 */ }

/* Cosine and sine of turn / 2^32 turns, to about 1e-14: Taylor's series within an eighth of a turn, then quarter turns.
 */
VEC_INLINE void cos_sin_of(vec_bits turn, real *cosine, real *sine) {
    const uint64_t eighth = UINT64_C(1) << 29;
    vec_bits quarter = ((turn + eighth) & lower_half) >> 30;
    vec_bits rest = (turn - (quarter << 30) + eighth) & lower_half;
    real x = to_real(rest, -(double)eighth) * (2 * M_PI * 0x1p-32), z = x * x;
    real c = polynomial(z, COS_TERMS, cos_series), s = x * polynomial(z, SIN_TERMS, sin_series);
    vec_bits odd = quarter & 1;
    *cosine = negate(((quarter + 1) >> 1) & 1, choose(odd, s, c));
    *sine = negate(quarter >> 1, choose(odd, c, s));
}

/* Box-Muller: the first word of a pair gives the radius, from the middle of its interval so that it is never 0. */
static void normal(const ls_rng *rng, uint64_t index, uint32_t block, float *out) {
    chunk c;
    make_words(rng, index, block, &c);
    for (int k = 0; k < WORDS; k += 2) {
        for (int g = 0; g < GROUPS / WIDTH; g++) c.reals[k][g] = -2 * log_of(to_real(c.words[k][g], 0.5) * 0x1p-32);
        for (int g = 0; g < GROUPS; g++) c.real[k][g] = sqrt(c.real[k][g]);
        for (int g = 0; g < GROUPS / WIDTH; g++) {
            real radius = c.reals[k][g], cosine, sine;
            cos_sin_of(c.words[k + 1][g], &cosine, &sine);
            c.reals[k][g] = radius * cosine;
            c.reals[k + 1][g] = radius * sine;
        }
    }
    for (int g = 0; g < GROUPS; g++)
        for (int k = 0; k < WORDS; k++) out[g * WORDS + k] = (float)c.real[k][g];
}

const ls_random_kernels LS_KERNELS_NAME(random, LS_KERNEL_ISA) = {.uniform = uniform, .normal = normal};

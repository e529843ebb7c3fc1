/* rng.c - Philox4x32-10; see the header for the source.
 *
 * The key is derived from (seed, purpose, instance) by Philox itself; the counter is (block, index, epoch). */
#include "lockstep/rng.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { WORDS = 4, ROUNDS = 10 };

static void philox(const uint32_t key[2], uint32_t x[WORDS]) {
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t a = UINT64_C(0xD2511F53) * x[0];
        uint64_t b = UINT64_C(0xCD9E8D57) * x[2];
        x[0] = (uint32_t)(b >> 32) ^ x[1] ^ k0;
        x[1] = (uint32_t)b;
        x[2] = (uint32_t)(a >> 32) ^ x[3] ^ k1;
        x[3] = (uint32_t)a;
        k0 += UINT32_C(0x9E3779B9); /* golden ratio */
        k1 += UINT32_C(0xBB67AE85); /* sqrt(3) - 1 */
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

/* Four numbers from four words. */
typedef void (*convert_fn)(const uint32_t words[WORDS], float out[WORDS]);

static void fill(const ls_rng *rng, uint64_t index, int64_t count, float *out, convert_fn convert) {
    assert(count <= (int64_t)WORDS * UINT32_MAX);
    uint32_t words[WORDS];
    int64_t i = 0;
    for (; i + WORDS <= count; i += WORDS) {
        ls_rng_bits(rng, index, (uint32_t)(i / WORDS), words);
        convert(words, out + i);
    }
    if (i == count) return;
    float last[WORDS];
    ls_rng_bits(rng, index, (uint32_t)(i / WORDS), words);
    convert(words, last);
    for (int64_t k = 0; i + k < count; k++) out[i + k] = last[k];
}

static void convert_uniform(const uint32_t words[WORDS], float out[WORDS]) {
    for (int k = 0; k < WORDS; k++) out[k] = (float)(words[k] >> 8) * 0x1p-24f;
}

/* c[0] + c[1] z + c[2] z^2 + ... */
static inline double polynomial(double z, int terms, const double *c) {
    double sum = c[terms - 1];
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

/* The natural logarithm of x > 0, to about 1e-15. It and the sine below are made of operations that IEEE 754 rounds in
 * one way only, so that normal numbers do not depend on the machine's mathematical library; and they are quicker.
 * x = 2^k m with m around 1, and log m = 2 artanh((m - 1) / (m + 1)). */
static double log_of(double x) {
    const uint64_t sqrt_half = UINT64_C(0x3FE6A09E667F3BCD);
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int64_t k = (int64_t)(bits - sqrt_half) >> 52;
    bits -= (uint64_t)k << 52;
    double m;
    memcpy(&m, &bits, sizeof m);
    double s = (m - 1) / (m + 1);
    return (double)k * M_LN2 + 2 * s * polynomial(s * s, LOG_TERMS, log_series);
}

/* Cosine and sine of turn / 2^32 turns, to about 1e-14: Taylor's series within an eighth of a turn, then quarter turns.
 */
static void cos_sin_of(uint32_t turn, double *cosine, double *sine) {
    uint32_t quarter = (turn + (UINT32_C(1) << 29)) >> 30;
    double x = (int32_t)(turn - (quarter << 30)) * (2 * M_PI * 0x1p-32), z = x * x;
    double c = polynomial(z, COS_TERMS, cos_series), s = x * polynomial(z, SIN_TERMS, sin_series);
    static const double quarter_cos[] = {1, 0, -1, 0}, quarter_sin[] = {0, 1, 0, -1};
    double qc = quarter_cos[quarter % 4], qs = quarter_sin[quarter % 4];
    *cosine = c * qc - s * qs;
    *sine = s * qc + c * qs;
}

/* Box-Muller: the first word of a pair gives the radius, from the middle of its interval so that it is never 0. */
static void convert_normal(const uint32_t words[WORDS], float out[WORDS]) {
    for (int k = 0; k < WORDS; k += 2) {
        double radius = sqrt(-2 * log_of(((double)words[k] + 0.5) * 0x1p-32)), cosine, sine;
        cos_sin_of(words[k + 1], &cosine, &sine);
        out[k] = (float)(radius * cosine);
        out[k + 1] = (float)(radius * sine);
    }
}

void ls_rng_fill_uniform(const ls_rng *rng, uint64_t index, int64_t count, float *out) {
    fill(rng, index, count, out, convert_uniform);
}

void ls_rng_fill_normal(const ls_rng *rng, uint64_t index, int64_t count, float *out) {
    fill(rng, index, count, out, convert_normal);
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

/* Random numbers: the generator's known answers, independence of streams, and distributions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "tensor/cpu.h"
#include "tensor/random.h"

enum { MANY = 1 << 18 };
static float numbers[MANY];

/* The known answers of Random123 (kat_vectors, philox4x32 10). Our counter is (block, index low, index high, epoch). */
static void test_philox_known_answers(void **state) {
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], expected[4];
    } vectors[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const uint32_t *c = vectors[i].counter;
        ls_rng rng = {.key = {vectors[i].key[0], vectors[i].key[1]}, .epoch = c[3]};
        uint32_t words[4];
        ls_rng_bits(&rng, c[1] | (uint64_t)c[2] << 32, c[0], words);
        assert_memory_equal(words, vectors[i].expected, sizeof words);
    }
}

static void test_streams_differ_in_every_part(void **state) {
    (void)state;
    const ls_rng streams[] = {
        ls_rng_stream(1, LS_RNG_TEST, 0, 0),
        ls_rng_stream(2, LS_RNG_TEST, 0, 0),
        ls_rng_stream(1 + (UINT64_C(1) << 32), LS_RNG_TEST, 0, 0),
        ls_rng_stream(1, LS_RNG_NOISE, 0, 0),
        ls_rng_stream(1, LS_RNG_TEST, 1, 0),
        ls_rng_stream(1, LS_RNG_TEST, 0, 1),
    };
    enum { STREAMS = sizeof streams / sizeof *streams };
    uint32_t words[STREAMS][4];
    for (int i = 0; i < STREAMS; i++) {
        ls_rng_bits(&streams[i], 7, 0, words[i]);
        for (int j = 0; j < i; j++) assert_memory_not_equal(words[i], words[j], sizeof words[i]);
    }
    ls_rng again = ls_rng_stream(1, LS_RNG_TEST, 0, 0);
    uint32_t same[4];
    ls_rng_bits(&again, 7, 0, same);
    assert_memory_equal(same, words[0], sizeof same);
}

typedef void (*fill_fn)(const ls_rng *rng, uint64_t index, int64_t count, float *out);

/* The first numbers of an item do not depend on how many are asked for, and nothing is written behind them. */
static void check_prefixes(fill_fn fill) {
    ls_rng rng = ls_rng_stream(3, LS_RNG_TEST, 0, 0);
    float all[141], some[142];
    fill(&rng, 5, 141, all);
    for (int64_t count = 0; count <= 141; count++) {
        some[count] = 77;
        fill(&rng, 5, count, some);
        assert_memory_equal(some, all, (size_t)count * sizeof *some);
        assert_true(some[count] == 77);
    }
    fill(&rng, 6, 141, some);
    assert_memory_not_equal(some, all, sizeof all);
}

/* The mean of x^power over MANY numbers must lie within five standard errors of its expectation. */
static void check_moment(int power, double expected, double deviation) {
    double sum = 0;
    for (int i = 0; i < MANY; i++) sum += pow(numbers[i], power);
    assert_true(fabs(sum / MANY - expected) < 5 * deviation / sqrt(MANY));
}

static void test_uniform(void **state) {
    (void)state;
    check_prefixes(ls_random_uniform);
    ls_rng rng = ls_rng_stream(11, LS_RNG_TEST, 0, 0);
    ls_random_uniform(&rng, 0, MANY, numbers);
    for (int i = 0; i < MANY; i++) {
        uint32_t words[4];
        ls_rng_bits(&rng, 0, (uint32_t)i / 4, words);
        assert_true(numbers[i] == (float)(words[i % 4] >> 8) / 16777216);
    }
    check_moment(1, 1.0 / 2, sqrt(1.0 / 12));
    check_moment(2, 1.0 / 3, sqrt(1.0 / 5 - 1.0 / 9));
}

static void test_normal(void **state) {
    (void)state;
    check_prefixes(ls_random_normal);
    ls_rng rng = ls_rng_stream(12, LS_RNG_TEST, 0, 0);
    ls_random_normal(&rng, 0, MANY, numbers);
    check_moment(1, 0, 1);
    check_moment(2, 1, sqrt(2));
    check_moment(3, 0, sqrt(15));
    check_moment(4, 3, sqrt(96));
    double products = 0; /* neighbours share a radius and must not correlate */
    for (int i = 0; i + 1 < MANY; i++) products += (double)numbers[i] * (double)numbers[i + 1];
    assert_true(fabs(products / (MANY - 1)) < 5 / sqrt(MANY));
}

/* Box-Muller with the mathematical library's functions: equal but for the last bit of a rounding. */
static void test_normal_follows_box_muller(void **state) {
    (void)state;
    const double turn = 2 * acos(-1);
    ls_rng rng = ls_rng_stream(16, LS_RNG_TEST, 0, 0);
    ls_random_normal(&rng, 3, MANY, numbers);
    for (int i = 0; i < MANY; i += 2) {
        uint32_t words[4];
        ls_rng_bits(&rng, 3, (uint32_t)i / 4, words);
        const uint32_t *pair = words + i % 4;
        double radius = sqrt(-2 * log(((double)pair[0] + 0.5) / 0x1p32)), angle = turn * (double)pair[1] / 0x1p32;
        assert_true(fabs((double)numbers[i] - radius * cos(angle)) <= 6e-8 * fabs(radius * cos(angle)) + 1e-14);
        assert_true(fabs((double)numbers[i + 1] - radius * sin(angle)) <= 6e-8 * fabs(radius * sin(angle)) + 1e-14);
    }
}

/* Every instruction set of this machine gives the same bits. */
static void test_sets_agree(void **state) {
    (void)state;
    enum { COUNT = 10007 };
    static float first[COUNT], other[COUNT];
    const fill_fn fills[] = {ls_random_uniform, ls_random_normal};
    ls_rng rng = ls_rng_stream(17, LS_RNG_TEST, 0, 5);
    ls_isa best;
    assert_int_equal(ls_cpu_detect(&best), LS_OK);
    for (int f = 0; f < 2; f++) {
        ls_cpu_use(LS_ISA_PORTABLE);
        fills[f](&rng, UINT64_C(1) << 40, COUNT, first);
        for (int isa = 1; isa <= (int)best; isa++) {
            ls_cpu_use((ls_isa)isa);
            fills[f](&rng, UINT64_C(1) << 40, COUNT, other);
            assert_memory_equal(other, first, sizeof first);
        }
    }
    ls_cpu_use(LS_ISA_PORTABLE);
}

static void test_below_is_even(void **state) {
    (void)state;
    enum { BOUND = 7, DRAWS = 70000 };
    ls_rng rng = ls_rng_stream(13, LS_RNG_TEST, 0, 0);
    int counts[BOUND] = {0};
    for (uint64_t i = 0; i < DRAWS; i++) {
        uint64_t draw = ls_rng_below(&rng, i, BOUND);
        assert_true(draw < BOUND);
        counts[draw]++;
        assert_int_equal(ls_rng_below(&rng, i, 1), 0);
    }
    double chi_square = 0;
    for (int k = 0; k < BOUND; k++) chi_square += pow(counts[k] - DRAWS / BOUND, 2) / (DRAWS / BOUND);
    assert_true(chi_square < 22.5); /* 6 degrees of freedom, probability 0.001 */
    /* A bound just above half the range rejects almost every second draw. */
    uint64_t bound = (UINT64_C(1) << 63) + 1;
    for (uint64_t i = 0; i < 1000; i++) assert_true(ls_rng_below(&rng, i, bound) < bound);
}

static void test_shuffle_permutes(void **state) {
    (void)state;
    enum { COUNT = 1000 };
    ls_rng rng = ls_rng_stream(14, LS_RNG_TEST, 0, 0);
    int64_t items[COUNT], again[COUNT], other[COUNT];
    int seen[COUNT] = {0};
    for (int64_t i = 0; i < COUNT; i++) items[i] = again[i] = other[i] = i;
    ls_rng_shuffle(&rng, 0, COUNT, items);
    ls_rng_shuffle(&rng, 0, COUNT, again);
    ls_rng_shuffle(&rng, 1, COUNT, other);
    assert_memory_equal(items, again, sizeof items);
    assert_memory_not_equal(items, other, sizeof items);
    for (int64_t i = 0; i < COUNT; i++) seen[items[i]]++;
    for (int64_t i = 0; i < COUNT; i++) assert_int_equal(seen[i], 1);
    ls_rng_shuffle(&rng, 0, 0, NULL);
}

/* All orders of three items are equally likely. */
static void test_shuffle_is_even(void **state) {
    (void)state;
    enum { DRAWS = 60000, ORDERS = 6 };
    ls_rng rng = ls_rng_stream(15, LS_RNG_TEST, 0, 0);
    int counts[9] = {0};
    for (uint64_t i = 0; i < DRAWS; i++) {
        int64_t items[3] = {0, 1, 2};
        ls_rng_shuffle(&rng, i, 3, items);
        counts[3 * items[0] + items[1]]++;
    }
    double chi_square = 0;
    for (int k = 0; k < 9; k++)
        if (k / 3 != k % 3) chi_square += pow(counts[k] - DRAWS / ORDERS, 2) / (DRAWS / ORDERS);
    assert_true(chi_square < 20.5); /* 5 degrees of freedom, probability 0.001 */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_philox_known_answers),
        cmocka_unit_test(test_streams_differ_in_every_part),
        cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_normal),
        cmocka_unit_test(test_normal_follows_box_muller),
        cmocka_unit_test(test_sets_agree),
        cmocka_unit_test(test_below_is_even),
        cmocka_unit_test(test_shuffle_permutes),
        cmocka_unit_test(test_shuffle_is_even),
    };
    return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}

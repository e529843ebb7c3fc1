/* The order of samples: each once an epoch, any step by itself, blocks and windows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "data/sampler.h"

enum { SAMPLES_MAX = 6000, BLOCK = 10 };
static ls_span blocks[SAMPLES_MAX];

/* A file of `samples` in blocks, the last one short; returns their number. */
static int64_t make_blocks(int64_t first, int64_t samples, int64_t block_samples) {
    int64_t count = 0;
    for (int64_t at = 0; at < samples; at += block_samples) {
        int64_t left = samples - at;
        blocks[count++] = (ls_span){first + at, left < block_samples ? left : block_samples};
    }
    return count;
}

static ls_sampler *sampler_of(int64_t batch, int lanes, int64_t window) {
    ls_sampler *sampler;
    ls_sampling sampling = {.seed = 5, .batch = batch, .lanes = lanes, .window = window};
    assert_int_equal(ls_sampler_create(&sampling, &sampler), LS_OK);
    return sampler;
}

static void begin(ls_sampler *sampler, int64_t samples, int64_t epoch) {
    int64_t count = make_blocks(0, samples, BLOCK);
    assert_int_equal(ls_sampler_begin_epoch(sampler, blocks, count, epoch), LS_OK);
}

/* The whole epoch, step by step and in a step lane by lane; checks that sizes are as promised. */
static void collect(ls_sampler *sampler, int64_t samples, int64_t batch, int lanes, int64_t *order) {
    int64_t made = 0, steps = ls_sampler_steps(sampler);
    assert_int_equal(steps, (samples + batch - 1) / batch);
    for (int64_t step = 0; step < steps; step++) {
        int64_t before = made;
        for (int lane = 0; lane < lanes; lane++) {
            int64_t rows = ls_sampler_rows(sampler, lane, step);
            assert_true(rows >= 0 && made + rows <= samples);
            assert_int_equal(ls_sampler_take(sampler, lane, step, order + made), LS_OK);
            made += rows;
        }
        assert_int_equal(made - before, ls_sampler_batch(sampler, step));
        assert_int_equal(made - before, step + 1 < steps ? batch : samples - step * batch);
    }
    assert_int_equal(made, samples);
}

static void assert_each_once(const int64_t *order, int64_t samples) {
    static char seen[SAMPLES_MAX];
    memset(seen, 0, (size_t)samples);
    for (int64_t i = 0; i < samples; i++) {
        assert_in_range(order[i], 0, samples - 1);
        assert_false(seen[order[i]]);
        seen[order[i]] = 1;
    }
}

static void test_every_sample_once_an_epoch(void **state) {
    (void)state;
    static const int64_t counts[] = {1, 3, 8, 100, 777, 1003}, batches[] = {1, 3, 32, 64, 100, 2000},
                         windows[] = {1, 2, 7, 64, 16384};
    static int64_t order[SAMPLES_MAX];
    for (size_t n = 0; n < 6; n++)
        for (size_t b = 0; b < 6; b++)
            for (int lanes = 1; lanes <= 64; lanes *= 4)
                for (size_t w = 0; w < 5; w++) {
                    ls_sampler *sampler = sampler_of(batches[b], lanes, windows[w]);
                    for (int64_t epoch = 0; epoch < 2; epoch++) {
                        begin(sampler, counts[n], epoch);
                        collect(sampler, counts[n], batches[b], lanes, order);
                        assert_each_once(order, counts[n]);
                    }
                    ls_sampler_destroy(sampler);
                }
}

static void test_epochs_and_seeds_differ(void **state) {
    (void)state;
    static int64_t first[SAMPLES_MAX], second[SAMPLES_MAX];
    const int64_t samples = 5000, batch = 64;
    ls_sampler *sampler = sampler_of(batch, 8, 100);
    begin(sampler, samples, 3);
    collect(sampler, samples, batch, 8, first);
    begin(sampler, samples, 4);
    collect(sampler, samples, batch, 8, second);
    int64_t equal = 0;
    for (int64_t i = 0; i < samples; i++) equal += first[i] == second[i];
    assert_true(equal < 20); /* 1 expected */
    begin(sampler, samples, 3);
    collect(sampler, samples, batch, 8, second);
    assert_memory_equal(first, second, (size_t)samples * sizeof *first);
    ls_sampler_destroy(sampler);

    ls_sampling other = {.seed = 6, .batch = batch, .lanes = 8, .window = 100};
    assert_int_equal(ls_sampler_create(&other, &sampler), LS_OK);
    begin(sampler, samples, 3);
    collect(sampler, samples, batch, 8, second);
    equal = 0;
    for (int64_t i = 0; i < samples; i++) equal += first[i] == second[i];
    assert_true(equal < 20);
    ls_sampler_destroy(sampler);
}

/* What a resume does: a new sampler is asked for a step and a lane it never led up to. */
static void test_any_step_alone_gives_the_same(void **state) {
    (void)state;
    static int64_t order[SAMPLES_MAX];
    int64_t alone[100];
    const int64_t samples = 2003, batch = 50;
    const int lanes = 8;
    ls_sampler *sampler = sampler_of(batch, lanes, 16);
    begin(sampler, samples, 2);
    collect(sampler, samples, batch, lanes, order);
    ls_sampler_destroy(sampler);

    sampler = sampler_of(batch, lanes, 16);
    begin(sampler, samples, 2);
    for (int64_t step = ls_sampler_steps(sampler) - 1; step >= 0; step--) {
        int64_t at = step * batch;
        for (int lane = 0; lane < lanes; lane++) {
            int64_t rows = ls_sampler_rows(sampler, lane, step);
            if (lane % 3 == step % 3) { /* some of the lanes, as a rank would */
                assert_int_equal(ls_sampler_take(sampler, lane, step, alone), LS_OK);
                assert_memory_equal(alone, order + at, (size_t)rows * sizeof *alone);
            }
            at += rows;
        }
    }
    ls_sampler_destroy(sampler);
}

/* Without the window's shuffle a lane shows the order that it reads: runs of consecutive samples that end where blocks
 * do, except where the lane's range begins or ends. */
static void test_a_lane_reads_whole_blocks_in_order(void **state) {
    (void)state;
    const int64_t samples = 1003, batch = 64;
    const int lanes = 4;
    ls_sampler *sampler = sampler_of(batch, lanes, 1);
    begin(sampler, samples, 0);
    for (int lane = 0; lane < lanes; lane++) {
        int64_t order[SAMPLES_MAX], count = 0;
        for (int64_t step = 0; step < ls_sampler_steps(sampler); step++) {
            assert_int_equal(ls_sampler_take(sampler, lane, step, order + count), LS_OK);
            count += ls_sampler_rows(sampler, lane, step);
        }
        for (int64_t i = 1; i < count; i++) {
            if (order[i] == order[i - 1] + 1) continue;
            assert_int_equal(order[i] % BLOCK, 0);
            assert_true((order[i - 1] + 1) % BLOCK == 0 || order[i - 1] + 1 == samples);
        }
    }
    ls_sampler_destroy(sampler);
}

/* A window is a permutation of what it would hold unshuffled: shuffling never moves a sample out of its window. */
static void test_samples_stay_in_their_window(void **state) {
    (void)state;
    static int64_t plain[SAMPLES_MAX], shuffled[SAMPLES_MAX];
    const int64_t samples = 1500, window = 40;
    ls_sampler *a = sampler_of(samples, 1, 1), *b = sampler_of(samples, 1, window);
    begin(a, samples, 0);
    begin(b, samples, 0);
    collect(a, samples, samples, 1, plain);
    collect(b, samples, samples, 1, shuffled);
    int64_t moved = 0;
    for (int64_t at = 0; at < samples; at += window) {
        int64_t end = at + window < samples ? at + window : samples, sum = 0;
        for (int64_t i = at; i < end; i++) {
            int64_t found = 0;
            for (int64_t j = at; j < end; j++) found += shuffled[j] == plain[i];
            sum += found;
            moved += shuffled[i] != plain[i];
        }
        assert_int_equal(sum, end - at);
    }
    assert_true(moved > samples * 9 / 10);
    ls_sampler_destroy(a);
    ls_sampler_destroy(b);
}

/* Data in parts: the same sampler goes from a long list to a short one and back. */
static void test_epochs_may_have_other_spans(void **state) {
    (void)state;
    static int64_t order[SAMPLES_MAX];
    static const int64_t counts[] = {50, 900, 7, 3000};
    ls_sampler *sampler = sampler_of(32, 8, 16384);
    for (int64_t epoch = 0; epoch < 4; epoch++) {
        begin(sampler, counts[epoch], epoch);
        collect(sampler, counts[epoch], 32, 8, order);
        assert_each_once(order, counts[epoch]);
    }
    ls_sampler_destroy(sampler);
}

/* --- lists of spans --- */

static void assert_contiguous(const ls_span *spans, int64_t count, int64_t first, int64_t samples) {
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(spans[i].first, first);
        assert_true(spans[i].count > 0);
        first += spans[i].count;
        samples -= spans[i].count;
    }
    assert_int_equal(samples, 0);
}

static void test_pieces_cover_a_file(void **state) {
    (void)state;
    static ls_span pieces[SAMPLES_MAX];
    for (int64_t samples = 1; samples < 60; samples++)
        for (int64_t block = 1; block < 20; block++) {
            int64_t count = make_blocks(100, samples, block);
            assert_int_equal(ls_spans_samples(blocks, count), samples);
            for (int64_t rows = 1; rows < 20; rows += 3) {
                int64_t made = ls_spans_cut(blocks, count, rows, NULL);
                assert_int_equal(ls_spans_cut(blocks, count, rows, pieces), made);
                assert_contiguous(pieces, made, 100, samples);
                for (int64_t i = 0; i < made; i++) assert_true(pieces[i].count <= rows);
                assert_true(made <= count * ((block + rows - 1) / rows));
            }
        }
}

static void test_parts_cover_the_list(void **state) {
    (void)state;
    for (int64_t count = 1; count < 40; count++)
        for (int64_t parts = 1; parts <= count; parts++) {
            int64_t next = 0, first, end;
            for (int64_t part = 0; part < parts; part++, next = end) {
                assert_int_equal(ls_spans_part(count, part, parts, &first, &end), LS_OK);
                assert_int_equal(first, next);
                assert_in_range(end - first, count / parts, count / parts + (count % parts != 0));
            }
            assert_int_equal(next, count);
        }
    int64_t first, end;
    assert_int_equal(ls_spans_part(3, 0, 4, &first, &end), LS_INVALID);
}

static void test_a_split_holds_out_the_last_samples(void **state) {
    (void)state;
    static const double fractions[] = {0.05, 0.1, 0.2, 0.3, 0.5, 0.9};
    ls_span out[SAMPLES_MAX];
    int64_t training, held_out;
    for (int64_t samples = 20; samples < 100; samples++)
        for (size_t f = 0; f < sizeof fractions / sizeof *fractions; f++) {
            int64_t count = make_blocks(0, samples, BLOCK);
            int64_t kept = (int64_t)floor((double)samples * (1.0 - fractions[f]));
            assert_int_equal(ls_spans_split(blocks, count, fractions[f], out, &training, &held_out), LS_OK);
            assert_true(training + held_out <= count + 1);
            assert_contiguous(out, training, 0, kept);
            assert_contiguous(out + training, held_out, kept, samples - kept);
        }
    ls_span two = {.first = 0, .count = 2};
    assert_int_equal(ls_spans_split(&two, 1, 0.9, out, &training, &held_out), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "none to train on"));
    assert_int_equal(ls_spans_split(&two, 1, 1e-17, out, &training, &held_out), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "none to validate on"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_sample_once_an_epoch),
        cmocka_unit_test(test_epochs_and_seeds_differ),
        cmocka_unit_test(test_any_step_alone_gives_the_same),
        cmocka_unit_test(test_a_lane_reads_whole_blocks_in_order),
        cmocka_unit_test(test_samples_stay_in_their_window),
        cmocka_unit_test(test_epochs_may_have_other_spans),
        cmocka_unit_test(test_pieces_cover_a_file),
        cmocka_unit_test(test_parts_cover_the_list),
        cmocka_unit_test(test_a_split_holds_out_the_last_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

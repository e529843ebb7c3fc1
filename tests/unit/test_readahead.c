/* Reading ahead, and the memory of shuffle windows: which thread decodes a block, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/integers.h"
#include "base/memory.h"
#include "data/cache_internal.h"
#include "data/readahead.h"
#include "support/plain_dataset.h"
#include "support/scratch.h"
#include "train/windows.h"

enum { BLOCK = 20, BLOCKS = 320, SAMPLES = BLOCK * BLOCKS, LANES = 4, BATCH = 16, ROWS = BATCH / LANES };

static const ls_dataset_info info = {.count = SAMPLES, .block_samples = BLOCK, .sample_bytes = 1};

/* --- one thread: how often blocks are decoded --- */

typedef struct counts {
    int64_t decoded;
} counts;

static ls_status count_decoding(void *context, int64_t block, void *data) {
    ((counts *)context)->decoded++;
    memset(data, (int)(block % 251), BLOCK);
    return LS_OK;
}

static void list_blocks(ls_span *blocks) {
    for (int64_t b = 0; b < BLOCKS; b++) blocks[b] = (ls_span){b * BLOCK, BLOCK};
}

static ls_sampler *begin_epoch(int64_t window) {
    ls_span blocks[BLOCKS];
    ls_sampler *sampler;
    ls_sampling sampling = {.seed = 5, .batch = BATCH, .lanes = LANES, .window = window};
    list_blocks(blocks);
    assert_int_equal(ls_sampler_create(&sampling, &sampler), LS_OK);
    assert_int_equal(ls_sampler_begin_epoch(sampler, blocks, BLOCKS, 0), LS_OK);
    return sampler;
}

static void take(ls_sampler *sampler, int64_t step, int64_t samples[BATCH]) {
    for (int lane = 0; lane < LANES; lane++)
        assert_int_equal(ls_sampler_take(sampler, lane, step, samples + lane * ROWS), LS_OK);
}

static void fetch(ls_cache *cache, const int64_t samples[BATCH]) {
    for (int i = 0; i < BATCH; i++) {
        uint8_t byte;
        assert_int_equal(ls_cache_copy(cache, samples[i] / BLOCK, samples[i] % BLOCK, &byte), LS_OK);
        assert_int_equal(byte, samples[i] / BLOCK % 251);
    }
}

static void read_ahead(ls_cache *cache, const int64_t samples[BATCH]) {
    bool decoded;
    for (int i = 0; i < BATCH; i++) assert_int_equal(ls_cache_read_ahead(cache, samples[i] / BLOCK, &decoded), LS_OK);
}

/* An epoch with so much memory, read ahead by so many steps. Returns how many blocks were decoded in all; *late: how
 * many of them a fetch had to wait for after the first window. */
static int64_t run_epoch(int64_t window, int64_t bytes, int64_t ahead, int64_t *late) {
    ls_span blocks[BLOCKS];
    int64_t samples[BATCH], seen = 0;
    counts c = {0};
    ls_cache *cache;
    ls_sampler *now = begin_epoch(window), *later = begin_epoch(window);
    list_blocks(blocks);
    assert_int_equal(ls_cache_create(blocks, BLOCKS, 1, count_decoding, &c, &cache), LS_OK);
    ls_cache_keep(cache, bytes);
    *late = 0;
    for (int64_t step = 0; step < ls_sampler_steps(now); step++) {
        for (; ahead > 0 && seen < ls_min(step + ahead, ls_sampler_steps(now)); seen++) {
            take(later, seen, samples);
            read_ahead(cache, samples);
        }
        int64_t before = c.decoded;
        take(now, step, samples);
        fetch(cache, samples);
        if (step * ROWS >= window) *late += c.decoded - before;
    }
    ls_cache_destroy(cache);
    ls_sampler_destroy(now);
    ls_sampler_destroy(later);
    return c.decoded;
}

/* A block lies in two windows at most, and only where it is at the edge of one. */
static int64_t most_decoded(int64_t window) { return BLOCKS + LANES * (SAMPLES / LANES / window + 1); }

static void test_the_largest_window_decodes_blocks_once(void **state) {
    (void)state;
    int64_t late;
    for (int64_t blocks = LANES * 3; blocks < BLOCKS; blocks += 7) {
        int64_t window = ls_windows_largest(&info, LANES, blocks * BLOCK);
        assert_true(window > 0 && ls_windows_bytes(&info, LANES, window, SAMPLES) <= blocks * BLOCK);
        assert_true(ls_windows_bytes(&info, LANES, window + BLOCK, SAMPLES) > blocks * BLOCK);
        assert_true(run_epoch(window, blocks * BLOCK, 0, &late) <= most_decoded(window));
    }
    assert_int_equal(ls_windows_largest(&info, LANES, LANES * 2 * BLOCK), 0);
    /* And much too large a window decodes them again and again, or this test would say nothing. */
    assert_true(run_epoch(20 * BLOCK, LANES * 4 * BLOCK, 0, &late) > 4 * BLOCKS);
}

/* But for some of the blocks at the edges of windows, which the loader has used and will use again. */
static void test_reading_ahead_leaves_little_to_wait_for(void **state) {
    (void)state;
    for (int64_t window = BLOCK; window < 16 * BLOCK; window += 33) {
        int64_t bytes = 2 * ls_windows_bytes(&info, LANES, window, SAMPLES), late, late_without;
        assert_true(run_epoch(window, bytes, window / ROWS, &late) <= most_decoded(window));
        (void)run_epoch(window, bytes, 0, &late_without);
        assert_true(late_without > BLOCKS / 2 && 20 * late < late_without);
    }
}

/* --- the thread --- */

typedef struct source {
    atomic_int given;
    int batches;
    int fails_at; /* 0: at none */
} source;

static int64_t sample_of(int batch, int64_t row) { return (batch * 131 + row * 17) % SAMPLES; }

static ls_status next(void *context, int64_t *samples, int64_t *count, bool *more) {
    source *s = context;
    int batch = atomic_load(&s->given);
    *more = batch < s->batches;
    if (!*more) return LS_OK;
    if (s->fails_at > 0 && batch == s->fails_at) return LS_RAISE(LS_ERROR, "the source broke");
    for (*count = 0; *count < ROWS; ++*count) samples[*count] = sample_of(batch, *count);
    atomic_store(&s->given, batch + 1);
    return LS_OK;
}

static ls_dataset *open_plain(void) {
    const plain_dataset plain = {.type = H5T_STD_U8LE, .dims = 2, .dim = {SAMPLES, 12}, .chunk = BLOCK};
    const char *path = scratch_path("ahead.h5");
    ls_dataset *dataset;
    plain_dataset_write(path, &plain);
    assert_int_equal(ls_dataset_open(&path, 1, &dataset), LS_OK);
    return dataset;
}

static bool is_there(ls_dataset *dataset, int batch) {
    int64_t samples[ROWS], bytes;
    for (int64_t i = 0; i < ROWS; i++) samples[i] = sample_of(batch, i);
    assert_int_equal(ls_dataset_read_ahead(dataset, ROWS, samples, &bytes), LS_OK);
    return bytes == 0;
}

static void await_given(source *s, int batches) {
    for (int i = 0; atomic_load(&s->given) < batches; i++) {
        if (i == 120000) fail_msg("after two minutes the thread has not come to batch %d", batches);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

/* When the thread has been given batch n, it has read n - 1. */
static void test_it_keeps_its_distance(void **state) {
    (void)state;
    enum { AHEAD = 5 };
    source s = {.batches = 40};
    ls_dataset *dataset = open_plain();
    ls_readahead *ahead;
    ls_readahead_spec spec = {dataset, ROWS, AHEAD, INT64_MAX, next, &s};
    assert_int_equal(ls_readahead_open(&spec, &ahead), LS_OK);
    for (int reached = 0; reached + AHEAD <= s.batches; reached++) {
        await_given(&s, reached + AHEAD);
        assert_int_equal(atomic_load(&s.given), reached + AHEAD);
        if (reached > 0) assert_true(is_there(dataset, reached + AHEAD - 2));
        ls_readahead_advance(ahead);
    }
    ls_readahead_close(ahead);
    ls_dataset_close(dataset);
}

/* With no room it reads one batch ahead, and goes on when the loader has come to it; overtaken, it catches up. */
static void test_it_keeps_to_its_room(void **state) {
    (void)state;
    source s = {.batches = 40};
    ls_dataset *dataset = open_plain();
    ls_readahead *ahead;
    ls_readahead_spec spec = {dataset, ROWS, 8, 1, next, &s};
    assert_int_equal(ls_readahead_open(&spec, &ahead), LS_OK);
    for (int i = 0; i < 3; i++) {
        await_given(&s, i + 1);
        ls_readahead_advance(ahead);
    }
    for (int i = 0; i < 30; i++) ls_readahead_advance(ahead);
    await_given(&s, 34);
    assert_true(atomic_load(&s.given) <= 34);
    ls_readahead_close(ahead);
    ls_dataset_close(dataset);
}

static void test_it_says_when_it_has_ended(void **state) {
    (void)state;
    source s = {.batches = 40, .fails_at = 3};
    ls_dataset *dataset = open_plain();
    ls_readahead *ahead;
    ls_readahead_spec spec = {dataset, ROWS, 2, INT64_MAX, next, &s};
    assert_int_equal(ls_readahead_open(&spec, &ahead), LS_OK);
    await_given(&s, 2);
    assert_true(ls_readahead_goes_on(ahead));
    for (int i = 0; i < 4; i++) ls_readahead_advance(ahead);
    for (int i = 0; ls_readahead_goes_on(ahead); i++) {
        if (i == 120000) fail_msg("after two minutes the thread has not ended");
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    assert_int_equal(atomic_load(&s.given), 3);
    ls_readahead_close(ahead);
    ls_dataset_close(dataset);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_largest_window_decodes_blocks_once),
        cmocka_unit_test(test_reading_ahead_leaves_little_to_wait_for),
        cmocka_unit_test(test_it_keeps_its_distance),
        cmocka_unit_test(test_it_keeps_to_its_room),
        cmocka_unit_test(test_it_says_when_it_has_ended),
    };
    return cmocka_run_group_tests_name("readahead", tests, NULL, NULL);
}

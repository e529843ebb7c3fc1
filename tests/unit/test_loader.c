/* Batches from the loader's thread: order, failures, ends at any time, and memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "data/loader.h"
#include "support/plain_dataset.h"
#include "support/scratch.h"

enum { SAMPLES = 500, PIXELS = 12, CLASSES = 4, ROWS = 16 };

typedef struct source {
    int batches;  /* how many to give */
    int fails_at; /* the batch that fails; -1: none */
    int sleep_ms; /* before each */
    int given;
} source;

static ls_dataset *dataset;
static ls_pipeline *input, *target;

static int64_t sample_of(int batch, int64_t row) { return (batch * 131 + row * 17) % SAMPLES; }

static int64_t rows_of(int batch) { return (batch * 5) % (ROWS + 1); }

static void sleep_for(int milliseconds) { nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000000L}, NULL); }

static ls_status next(void *context, ls_batch *batch, bool *more) {
    source *s = context;
    if (s->sleep_ms > 0) sleep_for(s->sleep_ms);
    if (s->given == s->fails_at) return LS_RAISE(LS_ERROR, "the source broke");
    *more = s->given < s->batches;
    if (!*more) return LS_OK;
    batch->rows = ls_rows_single(rows_of(s->given));
    batch->epoch = (uint32_t)s->given;
    for (int64_t i = 0; i < batch->rows.count; i++) batch->samples[i] = sample_of(s->given, i);
    s->given++;
    return LS_OK;
}

static ls_loader_spec spec_of(source *s, int depth) {
    return (ls_loader_spec){.dataset = dataset,
                            .input = input,
                            .target = target,
                            .max_rows = ROWS,
                            .depth = depth,
                            .next = next,
                            .context = s};
}

static int setup(void **state) {
    (void)state;
    static int32_t labels[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) labels[i] = i % CLASSES;
    const plain_dataset plain = {.type = H5T_STD_U8LE,
                                 .dims = 4,
                                 .dim = {SAMPLES, 3, 4, 1},
                                 .chunk = 32,
                                 .label_count = SAMPLES,
                                 .labels = labels};
    const char *path = scratch_path("loader.h5");
    plain_dataset_write(path, &plain);
    if (ls_dataset_open(&path, 1, &dataset) != LS_OK) return -1;
    if (ls_pipeline_create(ls_dataset_get_info(dataset), false, &input) != LS_OK) return -1;
    return ls_pipeline_create(ls_dataset_get_info(dataset), true, &target);
}

static int teardown(void **state) {
    (void)state;
    ls_pipeline_destroy(target);
    ls_pipeline_destroy(input);
    ls_dataset_close(dataset);
    return 0;
}

static void check_batch(const ls_batch *batch, int number) {
    assert_non_null(batch);
    assert_int_equal(batch->rows.count, rows_of(number));
    assert_int_equal(batch->epoch, number);
    for (int64_t i = 0; i < batch->rows.count; i++) {
        int64_t sample = sample_of(number, i);
        assert_int_equal(batch->samples[i], sample);
        for (int64_t j = 0; j < PIXELS; j++) assert_int_equal((int)batch->input[i * PIXELS + j], plain_byte(sample, j));
        for (int64_t c = 0; c < CLASSES; c++)
            assert_int_equal((int)batch->target[i * CLASSES + c], c == sample % CLASSES);
    }
}

static void test_batches_come_whole_and_in_order(void **state) {
    (void)state;
    for (int depth = 1; depth < 5; depth++) {
        source s = {.batches = 40, .fails_at = -1};
        ls_loader_spec spec = spec_of(&s, depth);
        ls_loader *loader;
        const ls_batch *batch;
        assert_int_equal(ls_loader_open(&spec, &loader), LS_OK);
        for (int b = 0; b < s.batches; b++) {
            assert_int_equal(ls_loader_next(loader, &batch), LS_OK);
            check_batch(batch, b);
        }
        for (int again = 0; again < 2; again++) {
            assert_int_equal(ls_loader_next(loader, &batch), LS_OK);
            assert_null(batch);
        }
        ls_loader_close(loader);
    }
}

static void test_a_batch_stays_while_the_thread_goes_ahead(void **state) {
    (void)state;
    source s = {.batches = 30, .fails_at = -1};
    ls_loader_spec spec = spec_of(&s, 2);
    ls_loader *loader;
    const ls_batch *batch;
    assert_int_equal(ls_loader_open(&spec, &loader), LS_OK);
    for (int b = 0; b < 5; b++) {
        assert_int_equal(ls_loader_next(loader, &batch), LS_OK);
        sleep_for(10);
        check_batch(batch, b);
    }
    ls_loader_close(loader);
    assert_true(s.given <= 5 + 2 + 1); /* never further ahead than depth, and one in the making */
}

/* As training and validation do it: both decode blocks of the same data set. */
static void test_two_loaders_share_a_data_set(void **state) {
    (void)state;
    source a = {.batches = 60, .fails_at = -1}, b = a;
    ls_loader_spec a_spec = spec_of(&a, 2), b_spec = spec_of(&b, 1);
    ls_loader *first, *second;
    const ls_batch *batch;
    ls_dataset_keep(dataset, 0); /* they take turns with one block */
    assert_int_equal(ls_loader_open(&a_spec, &first), LS_OK);
    assert_int_equal(ls_loader_open(&b_spec, &second), LS_OK);
    for (int i = 0; i < 60; i++) {
        assert_int_equal(ls_loader_next(first, &batch), LS_OK);
        check_batch(batch, i);
        assert_int_equal(ls_loader_next(second, &batch), LS_OK);
        check_batch(batch, i);
    }
    ls_loader_close(second);
    ls_loader_close(first);
}

static void test_a_failure_comes_after_the_batches_before_it(void **state) {
    (void)state;
    source s = {.batches = 100, .fails_at = 7};
    ls_loader_spec spec = spec_of(&s, 3);
    ls_loader *loader;
    const ls_batch *batch;
    assert_int_equal(ls_loader_open(&spec, &loader), LS_OK);
    for (int b = 0; b < 7; b++) {
        assert_int_equal(ls_loader_next(loader, &batch), LS_OK);
        check_batch(batch, b);
    }
    for (int again = 0; again < 2; again++) {
        assert_int_equal(ls_loader_next(loader, &batch), LS_ERROR);
        assert_null(batch);
        assert_string_equal(ls_failure_get()->message, "the source broke");
    }
    ls_loader_close(loader);
}

static void test_it_can_be_closed_at_any_time(void **state) {
    (void)state;
    for (int taken = 0; taken < 12; taken++)
        for (int sleep_ms = 0; sleep_ms < 2; sleep_ms++) {
            source s = {.batches = 10, .fails_at = taken % 3 == 0 ? 8 : -1, .sleep_ms = sleep_ms};
            ls_loader_spec spec = spec_of(&s, 1 + taken % 3);
            ls_loader *loader;
            const ls_batch *batch;
            assert_int_equal(ls_loader_open(&spec, &loader), LS_OK);
            for (int b = 0; b < taken; b++) (void)ls_loader_next(loader, &batch);
            if (taken % 2 == 0) sleep_for(2);
            ls_loader_close(loader);
        }
    ls_loader_close(NULL);
}

/* At any moment, with what else the context says, in the same memory. */
static void test_it_can_be_started_again(void **state) {
    (void)state;
    source s = {.batches = 9, .fails_at = 4};
    ls_loader_spec spec = spec_of(&s, 2);
    ls_loader *loader;
    const ls_batch *batch;
    assert_int_equal(ls_loader_open(&spec, &loader), LS_OK);
    for (int batches = 0; batches <= 5; batches++) {
        for (int b = 0; b < batches && b < 4; b++) {
            assert_int_equal(ls_loader_next(loader, &batch), LS_OK);
            assert_int_equal(batch->epoch, b);
        }
        if (batches == 5) assert_int_equal(ls_loader_next(loader, &batch), LS_ERROR);
        ls_loader_stop(loader);
        s.given = 0;
        if (batches == 5) s.fails_at = -1;
        assert_int_equal(ls_loader_start(loader), LS_OK);
    }
    for (int b = 0; b < 9; b++) {
        assert_int_equal(ls_loader_next(loader, &batch), LS_OK);
        assert_int_equal(batch->epoch, b);
    }
    assert_int_equal(ls_loader_next(loader, &batch), LS_OK);
    assert_null(batch);
    ls_loader_close(loader);
}

static void test_without_a_target(void **state) {
    (void)state;
    source s = {.batches = 3, .fails_at = -1};
    ls_loader_spec spec = spec_of(&s, 1), whole = spec;
    spec.target = NULL;
    const ls_dataset_info *info = ls_dataset_get_info(spec.dataset);
    assert_true(ls_loader_memory_bytes(&spec, info) < ls_loader_memory_bytes(&whole, info));
    ls_loader *loader;
    const ls_batch *batch;
    assert_int_equal(ls_loader_open(&spec, &loader), LS_OK);
    assert_int_equal(ls_loader_next(loader, &batch), LS_OK);
    assert_null(batch->target);
    ls_loader_close(loader);
}

static ls_status look_at_all(const ls_loader_spec *spec) {
    ls_loader *loader;
    const ls_batch *batch;
    ls_status status = LS_OK;
    assert_int_equal(ls_loader_open(spec, &loader), LS_OK);
    do status = ls_loader_next(loader, &batch);
    while (status == LS_OK && batch);
    ls_loader_close(loader);
    return status;
}

/* Whatever use it is for, of input and target alike; the message names the sample. */
static void test_numbers_are_looked_at(void **state) {
    (void)state;
    for (int use = LS_USE_TRAINING; use <= LS_USE_APPLICATION; use++) {
        source s = {.batches = 40, .fails_at = -1};
        ls_loader_spec spec = spec_of(&s, 2);
        spec.use = use;
        spec.target = input;
        spec.target_of = "the loss";
        spec.target_bounds = (ls_bounds){0, 255};
        assert_int_equal(look_at_all(&spec), LS_OK);
        s.given = 0;
        spec.target_bounds = (ls_bounds){0, 200};
        assert_int_equal(look_at_all(&spec), LS_INVALID);
        char expected[200];
        int64_t first = -1;
        unsigned char number = 0;
        for (int b = 0; first < 0; b++)
            for (int64_t row = 0; row < rows_of(b) && first < 0; row++)
                for (int64_t j = 0; j < PIXELS && first < 0; j++)
                    if ((number = plain_byte(sample_of(b, row), j)) > 200) first = sample_of(b, row);
        snprintf(expected, sizeof expected,
                 "sample %d has the number %d in the target, but the loss needs numbers "
                 "within [0, 200]",
                 (int)first, number);
        assert_non_null(strstr(ls_failure_get()->message, expected));
        assert_non_null(strstr(ls_failure_get()->message, "loader.h5: "));
        s.given = 0;
        spec.target_bounds = (ls_bounds){0};
        spec.input_bounds = (ls_bounds){-INFINITY, 200};
        assert_int_equal(look_at_all(&spec), LS_INVALID);
        assert_non_null(strstr(ls_failure_get()->message, "in the input"));
    }
}

/* As malloc sees it. */
static void test_memory_is_what_was_said(void **state) {
    (void)state;
    source s = {.fails_at = -1};
    ls_loader_spec spec = spec_of(&s, 1);
    spec.max_rows = 5000;
    ls_loader *loader;
    struct mallinfo2 before = mallinfo2();
    if (before.uordblks == 0) skip(); /* a sanitizer's malloc does not count */
    assert_int_equal(ls_loader_open(&spec, &loader), LS_OK);
    struct mallinfo2 after = mallinfo2();
    double bytes = (double)(after.uordblks + after.hblkhd) - (double)(before.uordblks + before.hblkhd);
    double said = (double)ls_loader_memory_bytes(&spec, ls_dataset_get_info(spec.dataset));
    if (bytes < said || bytes > 1.02 * said + 65536) fail_msg("%g bytes, but %g were said", bytes, said);
    ls_loader_close(loader);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches_come_whole_and_in_order),
        cmocka_unit_test(test_a_batch_stays_while_the_thread_goes_ahead),
        cmocka_unit_test(test_two_loaders_share_a_data_set),
        cmocka_unit_test(test_a_failure_comes_after_the_batches_before_it),
        cmocka_unit_test(test_it_can_be_closed_at_any_time),
        cmocka_unit_test(test_it_can_be_started_again),
        cmocka_unit_test(test_without_a_target),
        cmocka_unit_test(test_numbers_are_looked_at),
        cmocka_unit_test(test_memory_is_what_was_said),
    };
    return cmocka_run_group_tests_name("loader", tests, setup, teardown);
}

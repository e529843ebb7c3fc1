/* A disk that fails while a data set is opened or read: each call on the file fails once, in each way. What comes back
 * is the samples, or an error of the system with its own words, and never samples that are others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "data/dataset.h"
#include "store/writer.h"
#include "support/faults.h"
#include "support/nets.h"
#include "support/plain_dataset.h"
#include "support/scratch.h"

enum { COUNT = 300, PIXELS = 50 };

static const char *write_ours(void) {
    static const ls_comm alone = {.size = 1, .host_size = 1};
    const ls_writer_spec spec = {.shape = {1, {PIXELS}},
                                 .element = LS_ELEMENT_UINT8,
                                 .max_count = COUNT * 40,
                                 .labelled = true,
                                 .named = true,
                                 .classes = 2};
    const char *path = scratch_path("faulty-ours.h5");
    ls_writer *writer;
    expect_ok(ls_writer_open(&alone, path, &spec, &writer));
    for (int64_t i = 0; i < COUNT; i++) {
        uint8_t sample[PIXELS];
        int32_t label = (int32_t)(i % 2);
        const char *name = "x";
        for (int64_t j = 0; j < PIXELS; j++) sample[j] = plain_byte(i, j);
        expect_ok(ls_writer_append(writer, 1, sample, &label, &name));
    }
    expect_ok(ls_writer_close(writer, true));
    return path;
}

static const char *write_foreign(void) {
    const char *path = scratch_path("faulty-foreign.h5");
    plain_dataset_write(path,
                        &(plain_dataset){.type = H5T_STD_U8LE, .dims = 2, .dim = {COUNT, PIXELS}, .chunk = COUNT / 6});
    return path;
}

/* Opens and reads all, as a run does. The samples are checked where that is LS_OK. */
static ls_status use(const char *path) {
    ls_dataset *dataset;
    uint8_t *data = malloc(COUNT * PIXELS);
    ls_status status = ls_dataset_open(&path, 1, &dataset);
    if (status == LS_OK) {
        int64_t *samples = malloc(COUNT * sizeof *samples);
        for (int64_t i = 0; i < COUNT; i++) samples[i] = i;
        status = ls_dataset_fetch(dataset, COUNT, samples, data, NULL);
        if (status == LS_OK) status = ls_dataset_check_files(dataset);
        free(samples);
        ls_dataset_close(dataset);
    }
    for (int64_t i = 0; status == LS_OK && i < COUNT * PIXELS; i++)
        if (data[i] != plain_byte(i / PIXELS, i % PIXELS)) fail_msg("sample %d is another one", (int)(i / PIXELS));
    free(data);
    return status;
}

/* Fails each call of a kind in turn; returns how many there are. */
static int64_t fail_each(const char *path, const char *call, const char *how, const char *words) {
    int64_t calls = 1;
    for (int64_t at = 0; at <= calls; at++) {
        faults_begin(&(faults){.path = path, .call = call, .at = at, .how = how});
        ls_status status = use(path);
        int64_t counted = faults_end();
        const char *message = ls_failure_get()->message;
        if (at == 0) calls = counted;
        if (at == 0) assert_int_equal(status, LS_OK);
        if (status == LS_OK) continue;
        if (words == NULL)
            fail_msg("%s %d of %d, %s: %s", call, (int)at, (int)calls, how, message);
        else if (words[0] != '\0' && (status != LS_ERROR || !strstr(message, words) || !strstr(message, path)))
            fail_msg("%s %d of %d, %s: status %d: %s", call, (int)at, (int)calls, how, (int)status, message);
    }
    return calls;
}

static void every_call_may_fail(void **unused) {
    (void)unused;
    const char *const paths[] = {write_ours(), write_foreign()};
    for (size_t p = 0; p < sizeof paths / sizeof *paths; p++) {
        assert_true(fail_each(paths[p], "open", "EMFILE", "Too many open files") > 0);
        assert_true(fail_each(paths[p], "open", "ESTALE", "Stale file handle") > 0);
        assert_true(fail_each(paths[p], "read", "EIO", "Input/output error") > 5);
        assert_true(fail_each(paths[p], "read", "ESTALE", "Stale file handle") > 5);
        assert_true(fail_each(paths[p], "stat", "EIO", "cannot be ") > 0);
        /* These are no failures at all. */
        (void)fail_each(paths[p], "read", "EINTR", NULL);
        (void)fail_each(paths[p], "read", "short", NULL);
        /* The end of the file where there was none before: an error or not, but no other samples. */
        (void)fail_each(paths[p], "read", "end", "");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_call_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

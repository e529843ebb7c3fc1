/* Checkpoints in one process: what is written comes back, damage is known, a run directory keeps what it should. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "support/nets.h"
#include "support/scratch.h"
#include "support/snapshots.h"
#include "support/types.h"

static const ls_comm alone = {.size = 1, .host_size = 1};

static const char *write_state(const char *name, uint32_t version) {
    const char *path = scratch_path(name);
    state s = new_state(0, 1, version, true);
    expect_ok(ls_checkpoint_write(&alone, path, &s.snapshot));
    free_state(&s);
    return path;
}

static bool exists(const char *path) { return access(path, F_OK) == 0; }

static char *path_in(const char *run, const char *name) {
    static char paths[4][LS_PATH_MAX];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, LS_PATH_MAX, "%s/%s", run, name);
    return path;
}

static const char *new_run(const char *name) {
    const char *run = scratch_path(name);
    assert_int_equal(mkdir(run, 0777), 0);
    assert_int_equal(mkdir(path_in(run, "checkpoints"), 0777), 0);
    return run;
}

static void save(const char *run, uint32_t step, int64_t keep) {
    state s = new_state(0, 1, step, true);
    expect_ok(ls_checkpoint_save(&alone, run, &s.snapshot, keep));
    free_state(&s);
}

static void comes_back(void **unused) {
    (void)unused;
    const char *path = write_state("a.h5", 7);
    ls_checkpoint_info info;
    expect_ok(ls_checkpoint_inspect(path, &info));
    state s = new_state(0, 1, 7, true);
    expect_same_position(&info.position, &s.snapshot.position);
    assert_true(info.complete);
    assert_string_equal(info.path, path);
    assert_string_equal(info.version, LS_VERSION);
    assert_string_equal(info.optimizer, "adam");
    assert_string_equal(info.isa, "avx2");
    assert_string_equal(info.data.fingerprint, "0123456789abcdef");
    assert_string_equal(info.validation, "fedcba9876543210");
    assert_true(ls_shape_equal(&info.data.shape, &s.snapshot.data->shape));
    assert_int_equal(info.data.element, LS_ELEMENT_FLOAT32);
    assert_int_equal(info.data.classes, 7);
    assert_true(info.data.labelled);
    assert_string_equal(info.config, s.snapshot.config);
    assert_string_equal(info.history, s.snapshot.history);
    assert_int_equal(info.lanes, 8);
    ls_checkpoint_info_release(&info);
    free_state(&s);
}

/* Each rank of any number reads its own part. */
static void reads_on_any_number_of_ranks(void **unused) {
    (void)unused;
    const char *path = write_state("a.h5", 7);
    for (int size = 1; size <= 9; size++)
        for (int rank = 0; rank < size; rank++) {
            state wanted = new_state(rank, size, 7, true), got = new_state(rank, size, 7, false);
            expect_ok(ls_checkpoint_read(path, &got.snapshot));
            expect_same_arrays(&wanted, &got);
            free_state(&wanted);
            free_state(&got);
        }
}

static void same_state_same_bytes(void **unused) {
    (void)unused;
    const char *a = write_state("a.h5", 7);
    usleep(1100 * 1000); /* HDF5's time stamps have whole seconds */
    expect_same_files(a, write_state("b.h5", 7));
}

static void long_texts_and_odd_numbers(void **unused) {
    (void)unused;
    const char *path = scratch_path("a.h5");
    state s = new_state(0, 1, 1, true);
    char *history = malloc(300001);
    memset(history, 'x', 300000);
    history[300000] = '\0';
    s.snapshot.history = history;
    s.snapshot.config = "";
    s.snapshot.position.best = -0.0;
    s.snapshot.position.cycle_sum = strtod("nan", NULL);
    expect_ok(ls_checkpoint_write(&alone, path, &s.snapshot));
    ls_checkpoint_info info;
    expect_ok(ls_checkpoint_inspect(path, &info));
    assert_string_equal(info.history, history);
    assert_string_equal(info.config, "");
    expect_same_position(&info.position, &s.snapshot.position);
    ls_checkpoint_info_release(&info);
    free(history);
    free_state(&s);
}

static void weights_without_state(void **unused) {
    (void)unused;
    const char *path = scratch_path("a.h5");
    state s = new_state(0, 1, 7, true), got = new_state(0, 1, 7, false);
    const ls_optimizer_type *adam = s.snapshot.optimizer;
    s.snapshot.optimizer = NULL;
    expect_ok(ls_checkpoint_write(&alone, path, &s.snapshot));
    ls_checkpoint_info info;
    expect_ok(ls_checkpoint_inspect(path, &info));
    assert_false(info.complete);
    ls_checkpoint_info_release(&info);
    assert_int_equal(ls_checkpoint_read(path, &got.snapshot), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "weights only"));
    got.snapshot.optimizer = NULL;
    expect_ok(ls_checkpoint_read(path, &got.snapshot));
    s.snapshot.optimizer = got.snapshot.optimizer = adam;
    assert_memory_equal(s.snapshot.weights, got.snapshot.weights, (size_t)ls_model_flat_count(s.model) * sizeof(float));
    free_state(&s);
    free_state(&got);
}

static void another_model_is_refused(void **unused) {
    (void)unused;
    const char *path = write_state("a.h5", 7);
    float weights[4096];
    ls_model *model = new_model((ls_shape){.dims = 3, .dim = {10, 9, 2}});
    add_layer(model, "conv2d", "filters=6 kernel_size=3,3", NULL);
    ls_snapshot snapshot = {.model = model, .weights = weights};
    assert_int_equal(ls_checkpoint_read(path, &snapshot), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "/weights/conv2d/kernel is 3 x 3 x 2 x 5"));
    ls_model_destroy(model);
    model = new_model((ls_shape){.dims = 1, .dim = {4}});
    add_layer(model, "dense", "units=3", "other");
    snapshot.model = model;
    assert_int_equal(ls_checkpoint_read(path, &snapshot), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, "/weights/other/kernel"));
    ls_model_destroy(model);
}

/* --- damage --- */

static void expect_refused(const char *path) {
    ls_checkpoint_info info;
    assert_int_equal(ls_checkpoint_inspect(path, &info), LS_INVALID);
    assert_non_null(strstr(ls_failure_get()->message, path));
}

/* Every byte of the user block and of the first descriptions, and a byte in every 997 of the rest. */
static void every_flipped_byte_is_known(void **unused) {
    (void)unused;
    const char *path = write_state("a.h5", 7);
    int64_t bytes;
    char *content = read_whole(path, &bytes);
    int fd = open(path, O_RDWR);
    for (int64_t at = 0; at < bytes; at += at < 2048 ? 1 : 997) {
        char flipped = (char)(content[at] ^ (1 << at % 8));
        assert_int_equal(pwrite(fd, &flipped, 1, at), 1);
        expect_refused(path);
        assert_int_equal(pwrite(fd, &content[at], 1, at), 1);
    }
    close(fd);
    free(content);
    ls_checkpoint_info info;
    expect_ok(ls_checkpoint_inspect(path, &info));
    ls_checkpoint_info_release(&info);
}

static void every_length_is_known(void **unused) {
    (void)unused;
    const char *path = write_state("a.h5", 7);
    int64_t bytes;
    free(read_whole(path, &bytes));
    assert_int_equal(truncate(path, bytes + 1), 0);
    expect_refused(path);
    for (int64_t length = bytes - 1; length >= 0; length -= length > 1024 ? 1 + length / 50 : 1) {
        assert_int_equal(truncate(path, length), 0);
        expect_refused(path);
    }
}

static void other_files_are_refused(void **unused) {
    (void)unused;
    expect_refused(scratch_write("text.h5", "hello, world\n", 13));
    expect_refused(scratch_path("nowhere.h5"));
    expect_refused(scratch_path("")); /* a directory */
    const char *pipe = scratch_path("pipe.h5");
    assert_int_equal(mkfifo(pipe, 0666), 0);
    expect_refused(pipe);
    /* HDF5 it is, but not ours: what stands behind the seal. */
    const char *path = write_state("a.h5", 7);
    int64_t bytes;
    char *content = read_whole(path, &bytes);
    expect_refused(scratch_write("plain.h5", content + 512, bytes - 512));
    free(content);
}

/* --- a run directory --- */

static void saving_keeps_the_newest(void **unused) {
    (void)unused;
    const char *run = new_run("keep");
    for (uint32_t step = 10; step <= 50; step += 10) save(run, step, 2);
    assert_false(exists(path_in(run, "checkpoints/step-0000000030.h5")));
    assert_true(exists(path_in(run, "checkpoints/step-0000000040.h5")));
    expect_same_files(path_in(run, "checkpoints/step-0000000050.h5"), path_in(run, "checkpoints/last.h5"));
    char target[64] = "";
    assert_true(readlink(path_in(run, "checkpoints/last.h5"), target, sizeof target - 1) > 0);
    assert_string_equal(target, "step-0000000050.h5");
    save(run, 50, 1); /* again, and fewer */
    assert_false(exists(path_in(run, "checkpoints/step-0000000040.h5")));
    assert_true(exists(path_in(run, "checkpoints/step-0000000050.h5")));
}

/* A run that was killed while it wrote leaves a .part file; one that is writing holds a lock on its own. */
static void leftovers_are_removed(void **unused) {
    (void)unused;
    const char *run = new_run("leftovers");
    char *left = path_in(run, "checkpoints/step-0000000007.h5.part");
    char *busy = path_in(run, "checkpoints/best.h5.part");
    close(open(left, O_WRONLY | O_CREAT, 0666));
    int fd = open(busy, O_WRONLY | O_CREAT, 0666);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    save(run, 10, 1);
    assert_false(exists(left));
    assert_true(exists(busy));
    close(fd);
    save(run, 20, 1);
    assert_false(exists(busy));
}

static void damage(const char *path) {
    int fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, "damage", 6, 5000), 6);
    close(fd);
}

static void expect_newest(const char *run, int64_t step) {
    ls_checkpoint_info info;
    expect_ok(ls_checkpoint_newest(&alone, run, &info));
    assert_int_equal(info.position.step, step);
    ls_checkpoint_info_release(&info);
}

static void the_newest_whole_one_is_used(void **unused) {
    (void)unused;
    const char *run = new_run("newest");
    ls_checkpoint_info info;
    expect_ok(ls_checkpoint_newest(&alone, run, &info));
    assert_string_equal(info.path, "");
    for (uint32_t step = 1; step <= 3; step++) save(run, step, 3);
    expect_newest(run, 3);
    damage(path_in(run, "checkpoints/step-0000000003.h5"));
    expect_newest(run, 2);
    assert_int_equal(truncate(path_in(run, "checkpoints/step-0000000002.h5"), 0), 0);
    expect_newest(run, 1);
    save(run, 2, 1); /* what was passed over is not counted as kept, nor removed before it is written again */
    assert_true(exists(path_in(run, "checkpoints/step-0000000003.h5")));
    expect_newest(run, 2);
    damage(path_in(run, "checkpoints/step-0000000002.h5"));
    assert_int_equal(ls_checkpoint_newest(&alone, run, &info), LS_INVALID);
}

/* It may be whole: to go on from an older one would undo what was done since. */
static void what_cannot_be_read_is_not_passed_over(void **unused) {
    (void)unused;
    const char *run = new_run("unread"), *path = path_in(run, "checkpoints/step-0000000002.h5");
    ls_checkpoint_info info;
    save(run, 1, 3);
    assert_int_equal(symlink("step-0000000002.h5", path), 0); /* to itself: ELOOP, also for root */
    assert_int_equal(ls_checkpoint_inspect(path, &info), LS_ERROR);
    assert_int_equal(ls_checkpoint_newest(&alone, run, &info), LS_ERROR);
    assert_non_null(strstr(ls_failure_get()->message, "step-0000000002.h5: cannot be read"));
}

static void a_run_is_its_best_or_newest(void **unused) {
    (void)unused;
    const char *run = new_run("find");
    ls_checkpoint_info info;
    assert_int_equal(ls_checkpoint_find(&alone, run, &info), LS_INVALID);
    assert_int_equal(ls_checkpoint_find(&alone, path_in(run, "nowhere"), &info), LS_INVALID);
    save(run, 10, 1);
    expect_ok(ls_checkpoint_find(&alone, run, &info));
    assert_int_equal(info.position.step, 10);
    ls_checkpoint_info_release(&info);
    state s = new_state(0, 1, 5, true);
    expect_ok(ls_checkpoint_save_best(&alone, run, &s.snapshot));
    free_state(&s);
    expect_ok(ls_checkpoint_find(&alone, run, &info));
    assert_int_equal(info.position.step, 5);
    assert_false(info.complete);
    ls_checkpoint_info_release(&info);
    expect_newest(run, 10);
    expect_ok(ls_checkpoint_find(&alone, path_in(run, "checkpoints/last.h5"), &info));
    assert_int_equal(info.position.step, 10);
    ls_checkpoint_info_release(&info);
    damage(path_in(run, "checkpoints/best.h5"));
    expect_ok(ls_checkpoint_find(&alone, run, &info));
    assert_int_equal(info.position.step, 10);
    ls_checkpoint_info_release(&info);
}

/* --- comparing --- */

static char *diff(const char *a, const char *b, bool *equal) {
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    expect_ok(ls_checkpoint_diff(a, b, out, equal));
    fclose(out);
    return text;
}

static void differences_are_named(void **unused) {
    (void)unused;
    bool equal;
    const char *a = write_state("a.h5", 7), *b = scratch_path("b.h5");
    state s = new_state(0, 1, 7, true);
    s.snapshot.position.seconds = 5;
    s.snapshot.history = "another";
    expect_ok(ls_checkpoint_write(&alone, b, &s.snapshot));
    char *text = diff(a, b, &equal);
    assert_string_equal(text, "");
    assert_true(equal);
    free(text);
    const ls_layer *code = ls_model_layer(s.model, 2);
    s.snapshot.weights[code->param[1].offset + 3] += 0.25f;
    s.snapshot.weights[code->param[1].offset + 4] -= 2.0f;
    s.snapshot.position.epoch = 4;
    s.snapshot.optimizer = NULL;
    expect_ok(ls_checkpoint_write(&alone, b, &s.snapshot));
    text = diff(a, b, &equal);
    assert_false(equal);
    assert_non_null(strstr(text, "/weights/code/bias: 2 of 100 numbers differ, by 2 at most\n"));
    assert_non_null(strstr(text, "epoch: 3 and 4\n"));
    assert_non_null(strstr(text, "/code/kernel: only in"));
    free(text);
    s.snapshot.optimizer = type_named(ls_optimizer_types, "adam");
    free_state(&s);
}

int main(void) {
    ls_log_init(1); /* the warnings are not this test's to print */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back),
        cmocka_unit_test(reads_on_any_number_of_ranks),
        cmocka_unit_test(same_state_same_bytes),
        cmocka_unit_test(long_texts_and_odd_numbers),
        cmocka_unit_test(weights_without_state),
        cmocka_unit_test(another_model_is_refused),
        cmocka_unit_test(every_flipped_byte_is_known),
        cmocka_unit_test(every_length_is_known),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(saving_keeps_the_newest),
        cmocka_unit_test(leftovers_are_removed),
        cmocka_unit_test(the_newest_whole_one_is_used),
        cmocka_unit_test(what_cannot_be_read_is_not_passed_over),
        cmocka_unit_test(a_run_is_its_best_or_newest),
        cmocka_unit_test(differences_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

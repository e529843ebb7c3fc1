/* Checkpoints on several ranks: the same bytes as from one, read on any number, and an error of one is an error of all.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "state/best.h"
#include "support/nets.h"
#include "support/ranks.h"
#include "support/scratch.h"
#include "support/snapshots.h"

static const ls_comm alone = {.size = 1, .host_size = 1};

static void write_together(const char *path, uint32_t version) {
    state s = new_state(ranks.rank, ranks.size, version, true);
    expect_ok(ls_checkpoint_write(&ranks, path, &s.snapshot));
    free_state(&s);
}

static void same_bytes_as_one_rank(void **unused) {
    (void)unused;
    const char *path = scratch_path("together.h5"), *single = scratch_path("alone.h5");
    write_together(path, 7);
    if (ranks.rank > 0) return;
    state s = new_state(0, 1, 7, true);
    expect_ok(ls_checkpoint_write(&alone, single, &s.snapshot));
    free_state(&s);
    expect_same_files(path, single);
}

static void every_rank_reads_its_part(void **unused) {
    (void)unused;
    const char *path = scratch_path("parts.h5");
    write_together(path, 8);
    state wanted = new_state(ranks.rank, ranks.size, 8, true), got = new_state(ranks.rank, ranks.size, 8, false);
    expect_ok(ls_checkpoint_read(path, &got.snapshot));
    expect_same_arrays(&wanted, &got);
    free_state(&wanted);
    free_state(&got);
}

static const char *new_run(const char *name) {
    const char *run = scratch_path(name);
    char folder[LS_PATH_MAX];
    snprintf(folder, sizeof folder, "%s/checkpoints", run);
    if (ranks.rank == 0) {
        assert_int_equal(mkdir(run, 0777), 0);
        assert_int_equal(mkdir(folder, 0777), 0);
    }
    ls_comm_barrier(&ranks);
    return run;
}

static void all_ranks_find_the_same(void **unused) {
    (void)unused;
    const char *run = new_run("run");
    ls_checkpoint_info info;
    expect_ok(ls_checkpoint_newest(&ranks, run, &info));
    assert_string_equal(info.path, "");
    assert_int_equal(ls_checkpoint_find(&ranks, run, &info), LS_INVALID);
    for (uint32_t step = 1; step <= 2; step++) {
        state s = new_state(ranks.rank, ranks.size, step, true);
        expect_ok(ls_checkpoint_save(&ranks, run, &s.snapshot, 1));
        expect_ok(ls_checkpoint_newest(&ranks, run, &info));
        expect_same_position(&info.position, &s.snapshot.position);
        assert_string_equal(info.config, s.snapshot.config);
        assert_string_equal(info.history, s.snapshot.history);
        assert_true(info.complete);
        ls_checkpoint_info_release(&info);
        free_state(&s);
    }
}

/* As on a full disk: rank 0 may write no more than so many bytes to a file. */
static void limit_files(rlim_t bytes) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_is_everyones_error(void **unused) {
    (void)unused;
    const char *path = scratch_path("full.h5"), *before = scratch_path("before.h5");
    char part[LS_PATH_MAX];
    snprintf(part, sizeof part, "%s.part", path);
    write_together(path, 1);
    write_together(before, 1);
    for (rlim_t bytes = 0; bytes <= 540000; bytes += 180000) { /* the file has 560 KB */
        state s = new_state(ranks.rank, ranks.size, 2, true);
        if (ranks.rank == 0) limit_files(bytes);
        ls_status status = ls_checkpoint_write(&ranks, path, &s.snapshot);
        if (ranks.rank == 0) limit_files(RLIM_INFINITY);
        assert_on_all_ranks(status == LS_ERROR);
        assert_on_all_ranks(strstr(ls_failure_get()->message, "full.h5") != NULL);
        assert_on_all_ranks(access(part, F_OK) != 0);
        free_state(&s);
    }
    if (ranks.rank == 0) expect_same_files(path, before);
}

static void improve(ls_best *best, const char *run, uint32_t version, int64_t written) {
    char path[LS_PATH_MAX];
    snprintf(path, sizeof path, "%s/checkpoints/best.h5", run);
    state s = new_state(ranks.rank, ranks.size, version, true);
    ls_checkpoint_info info;
    expect_ok(ls_best_improved(best, &s.snapshot));
    if (ranks.rank == 0) {
        expect_ok(ls_checkpoint_inspect(path, &info));
        assert_int_equal(info.position.step, written);
        ls_checkpoint_info_release(&info);
    }
    free_state(&s);
}

/* The first is written at once; there is a copy only of one that waits, and the latest of those is written. */
static void the_best_waits(void **unused) {
    (void)unused;
    const char *run = new_run("best");
    ls_best best;
    ls_best_init(&best, &ranks, run, 1e6);
    improve(&best, run, 1, 1);
    assert_on_all_ranks(best.weights == NULL);
    improve(&best, run, 2, 1);
    improve(&best, run, 3, 1);
    assert_on_all_ranks((best.weights != NULL) == (ranks.rank == 0));
    state s = new_state(ranks.rank, ranks.size, 4, true), wanted = new_state(0, 1, 3, true),
          got = new_state(0, 1, 3, true);
    expect_ok(ls_best_flush(&best, &s.snapshot));
    char path[LS_PATH_MAX];
    snprintf(path, sizeof path, "%s/checkpoints/best.h5", run);
    memset(got.snapshot.weights, 0, (size_t)ls_model_flat_count(got.model) * sizeof(float));
    got.snapshot.optimizer = NULL;
    expect_ok(ls_checkpoint_read(path, &got.snapshot));
    got.snapshot.optimizer = wanted.snapshot.optimizer;
    expect_same_arrays(&wanted, &got);
    ls_best_release(&best);
    free_state(&s);
    free_state(&wanted);
    free_state(&got);
}

int main(int argc, char **argv) {
    (void)signal(SIGXFSZ, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bytes_as_one_rank),         cmocka_unit_test(every_rank_reads_its_part),
        cmocka_unit_test(all_ranks_find_the_same),        cmocka_unit_test(the_best_waits),
        cmocka_unit_test(a_full_disk_is_everyones_error),
    };
    return run_on_ranks(argc, argv, "checkpoint", tests, sizeof tests / sizeof *tests);
}

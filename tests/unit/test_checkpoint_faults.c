/* A disk that fails while a run saves or goes on: at each of the system's calls in turn, with each kind of fault. The
 * run's checkpoints stay whole, an older one is never taken for the newest, nobody crashes, and what failed says why. A
 * part of it; all of it with LOCKSTEP_TEST_FULL=1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "support/faults.h"
#include "support/nets.h"
#include "support/scratch.h"
#include "support/snapshots.h"

static const ls_comm alone = {.size = 1, .host_size = 1};
static const char *const hows[] = {"EIO",    "ENOSPC", "EINTR", "ENOMEM", "ESTALE",
                                   "EMFILE", "short",  "end",   "kill",   "tear"};
enum { HOWS = sizeof hows / sizeof *hows, KILLED = 100, SILENT, LOST };

static char folder[64] = "/dev/shm/lockstep-faults.XXXXXX"; /* where flushing takes no time */
static char run[128], reference[128];

static bool is_full(void) {
    const char *full = getenv("LOCKSTEP_TEST_FULL");
    return full && strcmp(full, "1") == 0;
}

/* --- what is done, each in a process of its own --- */

static ls_status save(uint32_t step) {
    state s = new_state(0, 1, step, true);
    ls_status status = ls_checkpoint_save_best(&alone, run, &s.snapshot);
    if (status == LS_OK) status = ls_checkpoint_save(&alone, run, &s.snapshot, 2);
    free_state(&s);
    return status;
}

static int save_second(void) { return save(2); }

static bool is_same(const state *wanted, const state *got) {
    size_t bytes = (size_t)ls_model_flat_count(got->model) * sizeof(float);
    bool same = memcmp(wanted->snapshot.weights, got->snapshot.weights, bytes) == 0;
    for (int s = 0; s < got->snapshot.optimizer->slots; s++)
        same = same && memcmp(wanted->snapshot.slot[s], got->snapshot.slot[s], bytes) == 0;
    return same;
}

/* LOST: it is an older one, or not what was saved. */
static int go_on(void) {
    ls_checkpoint_info info;
    LS_TRY(ls_checkpoint_newest(&alone, run, &info));
    state wanted = new_state(0, 1, 2, true), got = new_state(0, 1, 2, false);
    int status = (int)ls_checkpoint_read(info.path, &got.snapshot);
    if (status == LS_OK && (info.position.step != 2 || !is_same(&wanted, &got))) status = LOST;
    if (status == LS_OK) status = (int)ls_checkpoint_set_last(&alone, run, 2);
    free_state(&wanted);
    free_state(&got);
    ls_checkpoint_info_release(&info);
    return status;
}

static int use_best(void) {
    ls_checkpoint_info info;
    LS_TRY(ls_checkpoint_find(&alone, run, &info));
    bool best = !info.complete; /* not the newest in place of it */
    ls_checkpoint_info_release(&info);
    return best ? LS_OK : LOST;
}

/* In a child with a fault. Its status, KILLED, or SILENT: it failed and did not say where. */
static int try_with(const faults *fault, int (*work)(void)) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        faults_begin(fault);
        int status = work();
        (void)faults_end();
        bool silent = (status == LS_ERROR || status == LS_INVALID) && !strstr(ls_failure_get()->message, run);
        if (status == LS_INVALID) fprintf(stderr, "%s\n", ls_failure_get()->message);
        _exit(silent ? SILENT : status);
    }
    int ended;
    assert_int_equal(waitpid(child, &ended, 0), child);
    if (WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL) return KILLED;
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : -WTERMSIG(ended);
}

static int64_t count_calls(int (*work)(void)) {
    const faults fault = {.path = run};
    faults_begin(&fault);
    assert_int_equal(work(), LS_OK);
    return faults_end();
}

/* --- the run --- */

static const char *path_in(const char *name) {
    static char path[LS_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", run, name);
    return path;
}

static void remove_all(const char *path) {
    char command[256];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
}

static void new_run(uint32_t saved) {
    remove_all(run);
    expect_ok(ls_file_make_directory(path_in("checkpoints")));
    for (uint32_t step = 1; step <= saved; step++) expect_ok(save(step));
}

static int64_t newest_step(void) {
    ls_checkpoint_info info;
    expect_ok(ls_checkpoint_newest(&alone, run, &info));
    int64_t step = info.position.step;
    ls_checkpoint_info_release(&info);
    return step;
}

/* A covering part: every call fails and finds the end of the file, and has one or two of the other faults. */
static bool is_chosen(int64_t call, int how) {
    return is_full() || strcmp(hows[how], "EIO") == 0 || strcmp(hows[how], "end") == 0 || (call + how) % 9 == 0;
}

typedef void check_fn(const faults *fault, int status);

static void sweep(int (*work)(void), uint32_t saved, check_fn *check, int calls_at_least) {
    new_run(saved);
    int64_t calls = count_calls(work);
    assert_true(calls >= calls_at_least);
    for (int64_t call = 1; call <= calls; call++)
        for (int how = 0; how < HOWS; how++) {
            if (!is_chosen(call, how)) continue;
            const faults fault = {.path = run, .at = call, .how = hows[how]};
            if (work == save_second) new_run(saved);
            check(&fault, try_with(&fault, work));
        }
}

static void expect(bool right, const faults *fault, int status, const char *what) {
    if (!right) fail_msg("%s at call %lld: status %d: %s", fault->how, (long long)fault->at, status, what);
}

static void check_saved(const faults *fault, int status) {
    bool killed = strcmp(fault->how, "kill") == 0 || strcmp(fault->how, "tear") == 0;
    expect(status == LS_OK || status == LS_ERROR || (killed && status == KILLED), fault, status, "crashed or silent");
    int64_t newest = newest_step();
    expect(newest == 2 || (newest == 1 && status != LS_OK), fault, status, "a checkpoint is lost");
    expect_ok(save(2)); /* whatever was left is no hindrance, and leaves no trace */
    expect_same_files(path_in("checkpoints/step-0000000002.h5"), reference);
    expect_same_files(path_in("checkpoints/last.h5"), reference);
}

static void saving(void **unused) {
    (void)unused;
    state s = new_state(0, 1, 2, true);
    expect_ok(ls_checkpoint_write(&alone, reference, &s.snapshot));
    free_state(&s);
    sweep(save_second, 1, check_saved, 50);
}

static void check_read(const faults *fault, int status) {
    bool harmless = strcmp(fault->how, "short") == 0;
    bool right = status == LS_OK || (status == LS_ERROR && !harmless) || status == KILLED;
    expect(right, fault, status, "an older one was taken, it was called damaged, or it crashed");
}

static void going_on(void **unused) {
    (void)unused;
    sweep(go_on, 2, check_read, 20);
    sweep(use_best, 2, check_read, 5);
}

/* Reading and writing go on after a signal, and after a part. */
static void interruptions_are_no_errors(void **unused) {
    (void)unused;
    static const char *const calls[] = {"read", "write", "open", "fsync", "ftruncate", "fallocate", "flock"};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        for (int at = 1; at <= 4; at++) {
            const faults fault = {.path = path_in("checkpoints/step"), .call = calls[i], .at = at, .how = "EINTR"};
            new_run(1);
            assert_int_equal(try_with(&fault, save_second), LS_OK);
        }
}

/* All from one call on, as on a disk that is gone. */
static void a_disk_that_is_gone(void **unused) {
    (void)unused;
    new_run(1);
    int64_t calls = count_calls(save_second);
    for (int64_t call = 1; call <= calls; call += is_full() ? 1 : 5) {
        const faults fault = {.path = run, .at = call, .how = "EIO", .from = true};
        new_run(1);
        int status = try_with(&fault, save_second);
        expect(status == LS_ERROR || call == calls, &fault, status, "no error");
        expect(newest_step() >= 1, &fault, status, "a checkpoint is lost");
    }
}

static int set_up(void **unused) {
    (void)unused;
    if (!mkdtemp(folder)) snprintf(folder, sizeof folder, "%.60s", scratch_path("faults"));
    snprintf(run, sizeof run, "%s/run", folder);
    snprintf(reference, sizeof reference, "%s/reference.h5", folder);
    return 0;
}

static int tear_down(void **unused) {
    (void)unused;
    remove_all(folder);
    return 0;
}

int main(void) {
    ls_log_init(1); /* the warnings are not this test's to print */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saving),
        cmocka_unit_test(going_on),
        cmocka_unit_test(interruptions_are_no_errors),
        cmocka_unit_test(a_disk_that_is_gone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

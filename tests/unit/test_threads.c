/* The pool: every task once, threads that sleep and wake, and tasks side by side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/threads.h"

enum { TASKS_MAX = 1000, THREADS_MAX = 9 };

typedef struct record {
    int runs[TASKS_MAX]; /* plain: that no two threads share a task is what is tested */
    atomic_int by_thread[THREADS_MAX];
    atomic_int inside[THREADS_MAX]; /* a thread's number belongs to one thread at a time: it picks scratch space */
    int threads;
} record;

static void run_task(void *context, int64_t task, int thread) {
    record *r = context;
    if (thread < 0 || thread >= r->threads || atomic_fetch_add(&r->inside[thread], 1) != 0) r->threads = -1;
    r->runs[task]++;
    atomic_fetch_add(&r->by_thread[thread], 1);
    atomic_fetch_sub(&r->inside[thread], 1);
}

static void check_pool(int threads, int64_t tasks, int repeats) {
    ls_pool *pool;
    record r = {.threads = threads};
    assert_int_equal(ls_pool_create(threads, &pool), LS_OK);
    assert_int_equal(ls_pool_threads(pool), threads);
    for (int i = 0; i < repeats; i++) {
        ls_pool_run(pool, tasks, run_task, &r);
        for (int64_t t = 0; t < tasks; t++) assert_int_equal(r.runs[t], i + 1); /* read without a lock: they are done */
    }
    assert_int_equal(r.threads, threads);
    int64_t total = 0;
    for (int t = 0; t < threads; t++) total += r.by_thread[t];
    assert_int_equal(total, repeats * tasks);
    ls_pool_destroy(pool);
}

static void test_every_task_runs_once(void **state) {
    (void)state;
    const int64_t tasks[] = {0, 1, 2, 3, 7, 64, TASKS_MAX};
    for (int threads = 1; threads <= THREADS_MAX; threads += threads < 4 ? 1 : 5)
        for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) check_pool(threads, tasks[i], 20);
}

static void count_range(void *context, int64_t begin, int64_t end) {
    record *r = context;
    if (begin % r->threads != 0 || end <= begin || end - begin > r->threads) r->threads = -1; /* threads: the block */
    for (int64_t i = begin; i < end; i++) r->runs[i]++;
}

static void test_blocks_make_up_the_range(void **state) {
    (void)state;
    ls_pool *pool;
    assert_int_equal(ls_pool_create(3, &pool), LS_OK);
    for (int count = 0; count < 50; count++)
        for (int block = 1; block < 20; block++) {
            record r = {.threads = block};
            ls_pool_run_blocks(pool, count, block, count_range, &r);
            assert_int_equal(r.threads, block);
            for (int i = 0; i < TASKS_MAX; i++) assert_int_equal(r.runs[i], i < count);
        }
    ls_pool_destroy(pool);
}

static void test_pool_without_work(void **state) {
    (void)state;
    ls_pool *pool;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(ls_pool_create(4, &pool), LS_OK);
        ls_pool_destroy(pool);
    }
    ls_pool_destroy(NULL);
}

/* Idle threads must wake from their sleep, again and again. */
static void test_threads_wake_from_sleep(void **state) {
    (void)state;
    ls_pool *pool;
    record r = {.threads = 3};
    assert_int_equal(ls_pool_create(3, &pool), LS_OK);
    for (int i = 0; i < 200; i++) {
        if (i % 4 == 0) usleep(300);
        ls_pool_run(pool, 5, run_task, &r);
    }
    for (int t = 0; t < 5; t++) assert_int_equal(r.runs[t], 200);
    ls_pool_destroy(pool);
}

/* Each of two tasks waits until the other has begun. */
static void meet(void *context, int64_t task, int thread) {
    (void)task, (void)thread;
    atomic_int *begun = context;
    atomic_fetch_add(begun, 1);
    for (double end_s = ls_clock_s() + 60; atomic_load(begun) < 2 && ls_clock_s() < end_s;) usleep(1000);
    if (atomic_load(begun) < 2) atomic_store(begun, -2); /* the other will not meet it any more */
}

/* Tasks that sleep overlap, although the caller sleeps longer than it spins. */
static void test_tasks_run_at_the_same_time(void **state) {
    (void)state;
    ls_pool *pool;
    atomic_int begun = 0;
    assert_int_equal(ls_pool_create(8, &pool), LS_OK);
    ls_pool_run(pool, 2, meet, &begun);
    assert_int_equal(begun, 2);
    ls_pool_destroy(pool);
}

static void look_at_mask(void *context, int64_t task, int thread) {
    (void)task;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    if ((sigismember(&blocked, SIGTERM) == 1) != (thread != 0)) *(atomic_bool *)context = false;
    usleep(1000);
}

static void test_only_the_caller_takes_signals(void **state) {
    (void)state;
    ls_pool *pool;
    atomic_bool right = true;
    assert_int_equal(ls_pool_create(3, &pool), LS_OK);
    ls_pool_run(pool, 12, look_at_mask, &right);
    assert_true(right);
    ls_pool_destroy(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_task_runs_once),          cmocka_unit_test(test_pool_without_work),
        cmocka_unit_test(test_threads_wake_from_sleep),       cmocka_unit_test(test_tasks_run_at_the_same_time),
        cmocka_unit_test(test_only_the_caller_takes_signals), cmocka_unit_test(test_blocks_make_up_the_range),
    };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}

/* threads.c - the pool.
 *
 * A run is a door: the caller opens it, threads that are awake go in, and once no task is left the caller closes it and
 * waits for those inside. A thread that slept through a run is not waited for, so a machine with more threads than
 * cores loses little. Each thread first takes the tasks of its own share, so that the same thread tends to meet the
 * same data in run after run, and then helps with the shares of the others. */
#include "base/threads.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cores.h"
#include "base/integers.h"
#include "base/memory.h"
#include "base/spin.h"

/* The door: the number of threads inside, whether it is open, and the number of the run. The run's number wraps around,
 * which only means that a thread may mistake a run for the one that it has seen last, and not help. */
enum { INSIDE = 0x7fff, OPEN = 0x8000, RUN = 0x10000 };

typedef struct share {
    _Alignas(LS_ALIGN_BYTES) atomic_int_fast64_t next;
    int64_t end;
} share;

struct ls_pool {
    _Alignas(LS_ALIGN_BYTES) atomic_uint door;
    _Alignas(LS_ALIGN_BYTES) ls_task_fn run;
    void *context;
    void (*attend)(void *context); /* NULL: nothing to attend to */
    void *attend_context;
    int threads;
    share *shares;          /* one a thread */
    struct worker *workers; /* threads - 1 of them: the caller is thread 0 */
    int started;
    /* For those who have spun long enough. */
    pthread_mutex_t mutex;
    pthread_cond_t opened, emptied;
    atomic_int sleepers;
    atomic_bool caller_sleeps;
    atomic_bool quit;
};

typedef struct worker {
    ls_pool *pool;
    pthread_t id;
    int thread;
} worker;

/* What a worker spins for: a door that is not the one it has seen. */
typedef struct next_door {
    const ls_pool *pool;
    unsigned seen;
} next_door;

static bool door_changed(const void *context) {
    const next_door *next = context;
    return atomic_load(&next->pool->door) / RUN != next->seen || atomic_load(&next->pool->quit);
}

static bool door_empty(const void *context) {
    const ls_pool *pool = context;
    return (atomic_load(&pool->door) & INSIDE) == 0;
}

static void attend(const ls_pool *pool) {
    if (pool->attend != NULL) pool->attend(pool->attend_context);
}

static void work(ls_pool *pool, int thread) {
    for (int i = 0; i < pool->threads; i++) {
        share *from = &pool->shares[(thread + i) % pool->threads];
        int64_t task;
        while ((task = atomic_fetch_add_explicit(&from->next, 1, memory_order_relaxed)) < from->end) {
            if (thread == 0) attend(pool);
            pool->run(pool->context, task, thread);
        }
    }
}

static bool enter(ls_pool *pool) {
    unsigned door = atomic_load(&pool->door);
    while (door & OPEN)
        if (atomic_compare_exchange_weak(&pool->door, &door, door + 1)) return true;
    return false;
}

static void leave(ls_pool *pool) {
    unsigned door = atomic_fetch_sub(&pool->door, 1) - 1;
    if ((door & (OPEN | INSIDE)) != 0 || !atomic_load(&pool->caller_sleeps)) return;
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_signal(&pool->emptied);
    pthread_mutex_unlock(&pool->mutex);
}

/* Sleepers counts itself before it looks at the door, the caller opens the door before it looks at sleepers: one of
 * them sees the other. */
static void sleep_until_opened(ls_pool *pool, const next_door *next) {
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleepers, 1);
    while (!door_changed(next)) pthread_cond_wait(&pool->opened, &pool->mutex);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->mutex);
}

static void *worker_main(void *argument) {
    const worker *self = argument;
    ls_pool *pool = self->pool;
    next_door next = {.pool = pool};
    while (true) {
        if (!ls_spin(door_changed, &next)) sleep_until_opened(pool, &next);
        if (atomic_load(&pool->quit)) return NULL;
        next.seen = atomic_load(&pool->door) / RUN;
        if (!enter(pool)) continue;
        work(pool, self->thread);
        leave(pool);
    }
}

static void open_door(ls_pool *pool) {
    atomic_store(&pool->door, (atomic_load(&pool->door) / RUN + 1) * RUN | OPEN);
    if (atomic_load(&pool->sleepers) == 0) return;
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->opened);
    pthread_mutex_unlock(&pool->mutex);
}

static void close_door(ls_pool *pool) {
    atomic_fetch_and(&pool->door, ~(unsigned)OPEN);
    if (ls_spin(door_empty, pool)) return;
    pthread_mutex_lock(&pool->mutex);
    atomic_store(&pool->caller_sleeps, true);
    while (!door_empty(pool)) pthread_cond_wait(&pool->emptied, &pool->mutex);
    atomic_store(&pool->caller_sleeps, false);
    pthread_mutex_unlock(&pool->mutex);
}

static void run_alone(const ls_pool *pool, int64_t tasks, ls_task_fn run, void *context) {
    for (int64_t task = 0; task < tasks; task++) {
        attend(pool);
        run(context, task, 0);
    }
}

void ls_pool_attend(ls_pool *pool, void (*attend_fn)(void *context), void *context) {
    pool->attend = attend_fn;
    pool->attend_context = context;
}

void ls_pool_run(ls_pool *pool, int64_t tasks, ls_task_fn run, void *context) {
    bool within_run = atomic_load(&pool->door) & OPEN;
    if (pool->threads == 1 || tasks <= 1 || within_run) {
        run_alone(pool, tasks, run, context);
        return;
    }
    pool->run = run;
    pool->context = context;
    for (int t = 0; t < pool->threads; t++) {
        atomic_store_explicit(&pool->shares[t].next, t * tasks / pool->threads, memory_order_relaxed);
        pool->shares[t].end = (t + 1) * tasks / pool->threads;
    }
    open_door(pool);
    work(pool, 0);
    close_door(pool);
}

typedef struct blocks {
    int64_t count, block;
    ls_range_fn run;
    void *context;
} blocks;

static void run_block(void *context, int64_t task, int thread) {
    (void)thread;
    const blocks *b = context;
    b->run(b->context, task * b->block, ls_min((task + 1) * b->block, b->count));
}

void ls_pool_run_blocks(ls_pool *pool, int64_t count, int64_t block, ls_range_fn run, void *context) {
    blocks b = {count, block, run, context};
    ls_pool_run(pool, ls_ceil_div(count, block), run_block, &b);
}

int ls_pool_threads(const ls_pool *pool) { return pool->threads; }

ls_status ls_thread_start(pthread_t *id, void *(*run)(void *context), void *context, const char *what) {
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(id, NULL, run, context);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0 ? LS_OK : LS_RAISE(LS_ERROR, "cannot start %s: %s", what, strerror(error));
}

static ls_status start_workers(ls_pool *pool) {
    while (pool->started < pool->threads - 1) {
        char what[96];
        worker *next = &pool->workers[pool->started];
        *next = (worker){.pool = pool, .thread = pool->started + 1};
        (void)snprintf(what, sizeof what, "thread %d of %d (training.threads)", pool->started + 2, pool->threads);
        LS_TRY(ls_thread_start(&next->id, worker_main, next, what));
        pool->started++;
    }
    return LS_OK;
}

ls_status ls_pool_create(int threads, ls_pool **out) {
    assert(threads >= 1 && threads <= INSIDE);
    ls_pool *pool;
    *out = NULL;
    LS_TRY(ls_alloc(&pool, 1, sizeof *pool, "the threads' pool"));
    pool->threads = threads;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->opened, NULL);
    pthread_cond_init(&pool->emptied, NULL);

    ls_status status;
    if (LS_FAILED(status = ls_alloc(&pool->shares, threads, sizeof *pool->shares, "the threads' shares"))) goto fail;
    if (LS_FAILED(status = ls_alloc(&pool->workers, threads, sizeof *pool->workers, "the threads"))) goto fail;
    if (LS_FAILED(status = start_workers(pool))) goto fail;
    *out = pool;
    return LS_OK;
fail:
    ls_pool_destroy(pool);
    return status;
}

void ls_pool_destroy(ls_pool *pool) {
    if (pool == NULL) return;
    pthread_mutex_lock(&pool->mutex);
    atomic_store(&pool->quit, true);
    pthread_cond_broadcast(&pool->opened);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->started; i++) pthread_join(pool->workers[i].id, NULL);
    pthread_cond_destroy(&pool->emptied);
    pthread_cond_destroy(&pool->opened);
    pthread_mutex_destroy(&pool->mutex);
    ls_free(pool->workers);
    ls_free(pool->shares);
    ls_free(pool);
}

int ls_threads_default(int cores, int processes) {
    const char *environment = getenv("OMP_NUM_THREADS");
    long wanted = environment != NULL ? strtol(environment, NULL, 10) : 0;
    if (wanted >= 1) return wanted < INSIDE ? (int)wanted : INSIDE;
    ls_cpus mine = ls_cpus_allowed();
    int part = cores / processes, allowed = ls_cpus_cores(&mine);
    return part < 1 ? 1 : part < allowed ? part : allowed;
}

/* threads.h - a rank's pool of threads.
 *
 * Work is a number of tasks fixed by the caller's problem, never by the number of threads; any thread may run any task,
 * so a task's result must depend on its number alone. Then results are equal on any number of threads.
 * Idle threads spin for some microseconds and then sleep. */
#ifndef LS_BASE_THREADS_H
#define LS_BASE_THREADS_H

#include <pthread.h>
#include <stdint.h>

#include "base/status.h"

typedef struct ls_pool ls_pool;

/* task: 0..tasks-1. thread: 0..threads-1, to pick scratch space; it must not influence results. */
typedef void (*ls_task_fn)(void *context, int64_t task, int thread);

/* threads >= 1, the caller included: 1 starts none. Errors: LS_ERROR, a thread cannot be started. */
ls_status ls_pool_create(int threads, ls_pool **out);
void ls_pool_destroy(ls_pool *pool); /* NULL is allowed */
int ls_pool_threads(const ls_pool *pool);

/* How many threads a process should have where nobody says otherwise: OMP_NUM_THREADS, else the cores (cores.h) divided
 * by the processes that share them, and no more than the cores that this one may run on. */
int ls_threads_default(int cores, int processes);

/* Starts a thread that takes no signals: they are the main thread's. what: for the message, "a thread to read ahead".
 * Errors: LS_ERROR, the system has no thread; *id is not set then. */
ls_status ls_thread_start(pthread_t *id, void *(*run)(void *context), void *context, const char *what);

/* Runs all tasks and returns when they are done. Only one caller at a time, and not from inside a task. No allocation.
 */
void ls_pool_run(ls_pool *pool, int64_t tasks, ls_task_fn run, void *context);

/* The same over the numbers [0, count), `block` of them a task. A block must not influence results either. */
typedef void (*ls_range_fn)(void *context, int64_t begin, int64_t end);
void ls_pool_run_blocks(ls_pool *pool, int64_t count, int64_t block, ls_range_fn run, void *context);

/* From now on the caller of ls_pool_run calls `attend` before each task that it takes itself: work that cannot wait for
 * the end of a run, such as messages. What attend runs on the pool, its caller does alone. NULL: nothing any more. */
void ls_pool_attend(ls_pool *pool, void (*attend)(void *context), void *context);

#endif

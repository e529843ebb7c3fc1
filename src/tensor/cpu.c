/* cpu.c - which instruction set the machine has, and which the kernels use; see cpu.h. */
#include "tensor/cpu.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cores.h"
#include "base/integers.h"
#include "base/threads.h"
#include "tensor/kernels_internal.h"

static const char *const names[LS_ISA_COUNT] = {"portable", "avx2", "avx512"};

#if defined(__x86_64__)
static const ls_tile_kernels *const tile_kernels[LS_ISA_COUNT] = {&ls_tile_kernels_portable, &ls_tile_kernels_avx2,
                                                                  &ls_tile_kernels_avx512};
static const ls_vector_kernels *const vector_kernels[LS_ISA_COUNT] = {
    &ls_vector_kernels_portable, &ls_vector_kernels_avx2, &ls_vector_kernels_avx512};
static const ls_winograd_kernels *const winograd_kernels[LS_ISA_COUNT] = {
    &ls_winograd_kernels_portable, &ls_winograd_kernels_avx2, &ls_winograd_kernels_avx512};
static const ls_random_kernels *const random_kernels[LS_ISA_COUNT] = {
    &ls_random_kernels_portable, &ls_random_kernels_avx2, &ls_random_kernels_avx512};
#else
static const ls_tile_kernels *const tile_kernels[LS_ISA_COUNT] = {&ls_tile_kernels_portable};
static const ls_vector_kernels *const vector_kernels[LS_ISA_COUNT] = {&ls_vector_kernels_portable};
static const ls_winograd_kernels *const winograd_kernels[LS_ISA_COUNT] = {&ls_winograd_kernels_portable};
static const ls_random_kernels *const random_kernels[LS_ISA_COUNT] = {&ls_random_kernels_portable};
#endif

static ls_isa isa_in_use = LS_ISA_PORTABLE;

static ls_isa best_isa(void) {
#if defined(__x86_64__)
    /* What the Makefile compiles each set with. */
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return LS_ISA_PORTABLE;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        return LS_ISA_AVX512;
    return LS_ISA_AVX2;
#else
    return LS_ISA_PORTABLE;
#endif
}

ls_status ls_cpu_detect(ls_isa *isa) {
    ls_isa best = best_isa();
    const char *wanted = getenv("LOCKSTEP_ISA");
    *isa = best;
    if (wanted == NULL || *wanted == '\0') return LS_OK;
    for (int i = 0; i < LS_ISA_COUNT; i++) {
        if (strcmp(wanted, names[i]) != 0) continue;
        if (i > (int)best)
            return LS_RAISE(LS_INVALID, "LOCKSTEP_ISA=%s: this machine cannot run it; its best is %s", wanted,
                            names[best]);
        *isa = (ls_isa)i;
        return LS_OK;
    }
    return LS_RAISE(LS_INVALID, "LOCKSTEP_ISA=%s: not an instruction set; use portable, avx2 or avx512", wanted);
}

const char *ls_isa_name(ls_isa isa) { return names[isa]; }
void ls_cpu_use(ls_isa isa) { isa_in_use = isa; }

const ls_tile_kernels *ls_tile_kernels_get(void) { return tile_kernels[isa_in_use]; }
const ls_vector_kernels *ls_vector_kernels_get(void) { return vector_kernels[isa_in_use]; }
const ls_winograd_kernels *ls_winograd_kernels_get(void) { return winograd_kernels[isa_in_use]; }
const ls_random_kernels *ls_random_kernels_get(void) { return random_kernels[isa_in_use]; }

/* Long enough that starting threads does not count, short enough to stop near the time asked for. */
enum { ROUNDS = 1000000 };

/* The best rate of any task so far, in operations a second. */
static void multiply_add_task(void *context, int64_t task, int thread) {
    (void)task;
    (void)thread;
    _Atomic double *best = context;
    double begin_s = ls_clock_s(), operations = ls_tile_kernels_get()->multiply_add(ROUNDS);
    double rate = operations / (ls_clock_s() - begin_s), seen = atomic_load(best);
    while (rate > seen && !atomic_compare_exchange_weak(best, &seen, rate)) continue;
}

/* What the best task reached while all ran at once, times the threads: a busy neighbour can only make a task look
 * slower, and a thread without a core of its own adds nothing. */
double ls_cpu_peak_gflops(ls_pool *pool, double seconds) {
    int64_t tasks = ls_pool_threads(pool);
    _Atomic double best = 0;
    ls_cpus allowed = ls_cpus_allowed();
    double start_s = ls_clock_s();
    do ls_pool_run(pool, tasks, multiply_add_task, &best);
    while (ls_clock_s() - start_s < seconds);
    return (double)ls_min(tasks, ls_cpus_count(&allowed)) * atomic_load(&best) * 1e-9;
}

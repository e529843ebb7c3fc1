/* cpu.h - which instruction set the kernels use.
 *
 * The kernels are one source, compiled once an instruction set; the best that the machine has is chosen at the start,
 * and the ranks agree on the lowest among them. LOCKSTEP_ISA=portable|avx2|avx512 in the environment forces a lower
 * one. Local. */
#ifndef LS_TENSOR_CPU_H
#define LS_TENSOR_CPU_H

#include "base/status.h"

typedef enum ls_isa { LS_ISA_PORTABLE, LS_ISA_AVX2, LS_ISA_AVX512, LS_ISA_COUNT } ls_isa;

/* The best set of this machine, or what LOCKSTEP_ISA asks for. Errors: LS_INVALID, an unknown name or one that this
 * machine cannot run. */
ls_status ls_cpu_detect(ls_isa *isa);
const char *ls_isa_name(ls_isa isa);

/* The set that kernels use from now on (before the first call: the portable one). Not while kernels run. */
void ls_cpu_use(ls_isa isa);

/* GFLOP/s of a loop of register-only fused multiply-adds (float32, the set in use) on all threads of the pool at once:
 * the best of what is measured in about `seconds`. */
struct ls_pool;
double ls_cpu_peak_gflops(struct ls_pool *pool, double seconds);

#endif

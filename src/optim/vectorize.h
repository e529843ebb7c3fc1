/* vectorize.h - loops that the compiler turns into vector code. Private to optim.
 *
 * The loops consist of additions, multiplications, divisions and square roots, each rounded exactly (the build forbids
 * contraction to fused multiply-adds), so a vector of any width gives the same bits as one number at a time. */
#ifndef OPTIM_VECTORIZE_H
#define OPTIM_VECTORIZE_H

/* Compiles a function once an instruction set; the loader picks the widest that the machine has. Sanitizers instrument
 * the loader's choice itself, which runs before they do. */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LS_VECTORIZE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LS_VECTORIZE
#endif

/* A slot that only decays would end among the denormal numbers, which many machines add a hundred times slower: it ends
 * at zero. */
static inline float ls_settle(float slot) { return slot < 1e-30F && slot > -1e-30F ? 0.0F : slot; }

#endif

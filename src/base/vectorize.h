/* vectorize.h - loops that the compiler turns into vector code.
 *
 * For loops of additions, multiplications, divisions and square roots, each rounded exactly (the build forbids
 * contraction to fused multiply-adds), so that a vector of any width gives the same bits as one number at a time.
 * Their pointers are restrict, or the compiler could not know that the loops may be turned. */
#ifndef LS_BASE_VECTORIZE_H
#define LS_BASE_VECTORIZE_H

/* Compiles a function once an instruction set; the loader picks the widest that the machine has. Sanitizers instrument
 * the loader's choice itself, which runs before they do. */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LS_VECTORIZE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LS_VECTORIZE
#endif

#endif

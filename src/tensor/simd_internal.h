/* simd_internal.h - a vector of floats whose width is the instruction set's: what the kernels are written in.
 *
 * vec is a GCC vector: + - * / work on it, number by number. What GCC has no operator for is below, and that is all
 * that differs between instruction sets. Only kernels*.c include this file (and <sleef.h>, the exp, log and tanh of
 * whole vectors). */
#ifndef LS_TENSOR_SIMD_INTERNAL_H
#define LS_TENSOR_SIMD_INTERNAL_H

#include <stdint.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include <sleef.h>

#if defined(__AVX512F__)
enum { VEC_WIDTH = 16 };
#elif defined(__AVX2__) && defined(__FMA__)
enum { VEC_WIDTH = 8 };
#else
enum { VEC_WIDTH = 4 };
#endif

typedef float vec __attribute__((vector_size(VEC_WIDTH * 4)));
typedef int32_t vec_mask
    __attribute__((vector_size(VEC_WIDTH * 4))); /* numbers of all ones or zero, as comparisons give */
typedef uint64_t vec_bits __attribute__((vector_size(VEC_WIDTH * 4)));
typedef float vec_unaligned __attribute__((vector_size(VEC_WIDTH * 4), aligned(4), may_alias));

#define VEC_INLINE static inline __attribute__((always_inline))

/* Keeps x in a register, where compilers would read it from memory again at each use. */
#if defined(__x86_64__)
#define VEC_HOLD(x) __asm__("" : "+v"(x))
#else
#define VEC_HOLD(x)
#endif

VEC_INLINE vec vec_load(const float *p) { return *(const vec_unaligned *)p; }
VEC_INLINE void vec_store(float *p, vec x) { *(vec_unaligned *)p = x; }
VEC_INLINE vec vec_set(float x) { return x - (vec){0}; }

/* mask ? x : y, number by number. */
VEC_INLINE vec vec_select(vec_mask mask, vec x, vec y) { return (vec)((mask & (vec_mask)x) | (~mask & (vec_mask)y)); }
/* floor > x ? floor : x, so that a NaN in x stays one. */
VEC_INLINE vec vec_at_least(vec floor, vec x);
VEC_INLINE vec vec_abs(vec x) { return (vec)((vec_mask)x & 0x7fffffff); }

/* The first `count` numbers (1..VEC_WIDTH) are in memory, the others are zeros; no byte beyond them is touched. */
VEC_INLINE vec vec_load_part(const float *p, int64_t count);
VEC_INLINE void vec_store_part(float *p, vec x, int64_t count);

/* a b + c, rounded once. */
VEC_INLINE vec vec_fma(vec a, vec b, vec c);

/* The lower 32 bits of each of x times y. */
VEC_INLINE vec_bits vec_multiply_words(vec_bits x, uint32_t y);

VEC_INLINE vec vec_exp(vec x);
VEC_INLINE vec vec_log1p(vec x);
VEC_INLINE vec vec_tanh(vec x);

#if defined(__AVX512F__)

VEC_INLINE __mmask16 vec_first(int64_t count) { return (__mmask16)((1u << count) - 1); }
VEC_INLINE vec vec_load_part(const float *p, int64_t count) { return _mm512_maskz_loadu_ps(vec_first(count), p); }
VEC_INLINE void vec_store_part(float *p, vec x, int64_t count) { _mm512_mask_storeu_ps(p, vec_first(count), x); }
VEC_INLINE vec vec_fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
VEC_INLINE vec vec_at_least(vec floor, vec x) { return _mm512_max_ps(floor, x); }
VEC_INLINE vec_bits vec_multiply_words(vec_bits x, uint32_t y) {
    return (vec_bits)_mm512_mul_epu32((__m512i)x, _mm512_set1_epi64(y));
}
VEC_INLINE vec vec_exp(vec x) { return Sleef_expf16_u10avx512f(x); }
VEC_INLINE vec vec_log1p(vec x) { return Sleef_log1pf16_u10avx512f(x); }
VEC_INLINE vec vec_tanh(vec x) { return Sleef_tanhf16_u10avx512f(x); }

#elif defined(__AVX2__) && defined(__FMA__)

VEC_INLINE __m256i vec_first(int64_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
VEC_INLINE vec vec_load_part(const float *p, int64_t count) { return _mm256_maskload_ps(p, vec_first(count)); }
VEC_INLINE void vec_store_part(float *p, vec x, int64_t count) {
    if (count == VEC_WIDTH)
        vec_store(p, x); /* a store through a mask is slow here even when the mask is full */
    else
        _mm256_maskstore_ps(p, vec_first(count), x);
}
VEC_INLINE vec vec_fma(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
VEC_INLINE vec vec_at_least(vec floor, vec x) { return _mm256_max_ps(floor, x); }
VEC_INLINE vec_bits vec_multiply_words(vec_bits x, uint32_t y) {
    return (vec_bits)_mm256_mul_epu32((__m256i)x, _mm256_set1_epi64x(y));
}
VEC_INLINE vec vec_exp(vec x) { return Sleef_expf8_u10avx2(x); }
VEC_INLINE vec vec_log1p(vec x) { return Sleef_log1pf8_u10avx2(x); }
VEC_INLINE vec vec_tanh(vec x) { return Sleef_tanhf8_u10avx2(x); }

#else

VEC_INLINE vec vec_load_part(const float *p, int64_t count) {
    vec x = {0};
    for (int i = 0; i < count; i++) x[i] = p[i];
    return x;
}
VEC_INLINE void vec_store_part(float *p, vec x, int64_t count) {
    for (int i = 0; i < count; i++) p[i] = x[i];
}

#define VEC_EACH(expression)                                                                                           \
    vec y;                                                                                                             \
    for (int i = 0; i < VEC_WIDTH; i++) y[i] = (expression);                                                           \
    return y

VEC_INLINE vec vec_fma(vec a, vec b, vec c) {
#if defined(__aarch64__)
    return vfmaq_f32(c, a, b);
#else
    VEC_EACH(__builtin_fmaf(a[i], b[i], c[i]));
#endif
}
VEC_INLINE vec vec_at_least(vec floor, vec x) { return vec_select(floor > x, floor, x); }
VEC_INLINE vec_bits vec_multiply_words(vec_bits x, uint32_t y) {
#if defined(__x86_64__)
    return (vec_bits)_mm_mul_epu32((__m128i)x, _mm_set1_epi64x(y));
#else
    return (x & UINT32_MAX) * (uint64_t)y;
#endif
}
VEC_INLINE vec vec_exp(vec x) { VEC_EACH(Sleef_expf_u10(x[i])); }
VEC_INLINE vec vec_log1p(vec x) { VEC_EACH(Sleef_log1pf_u10(x[i])); }
VEC_INLINE vec vec_tanh(vec x) { VEC_EACH(Sleef_tanhf_u10(x[i])); }
#undef VEC_EACH

#endif

#endif

/* kernels_tile.c - the register-blocked product that dense layers and convolutions are made of.
 *
 * A tile's sums stay in registers: each step loads one row of b and multiplies it with one broadcast number a row of
 * the tile. Each number of a register is one chain of fused multiply-adds, so a number does not depend on the size of
 * the tile that it is in. */
#include "tensor/kernels_internal.h"
#include "tensor/simd_internal.h"

#define UNROLL(count) _Pragma(#count)
#define EACH_VECTOR(p, v, rows, vectors)                                                                               \
    UNROLL(GCC unroll 16)                                                                                              \
    for (int p = 0; p < (rows); p++) UNROLL(GCC unroll 4)                                                              \
    for (int v = 0; v < (vectors); v++)

typedef vec tile_sums[LS_TILE_ROWS_MAX][LS_TILE_VECTORS_MAX];

VEC_INLINE void tile_rows(const ls_tile *t, const int rows, const float *a[LS_TILE_ROWS_MAX]) {
#pragma GCC unroll 16
    for (int p = 0; p < rows; p++) a[p] = t->a + t->a_row[p];
}

/* `steps` steps of the chains: those of a that are `at` floats after its rows' beginnings, and of b. */
VEC_INLINE void tile_steps(const ls_tile *t, const int rows, const int vectors, const float *const *a, int64_t at,
                           const float *b, int64_t steps, tile_sums acc) {
    int64_t a_step = t->a_step, b_step = t->b_step;
    for (int64_t j = steps; j > 0; j--) {
        vec row[LS_TILE_VECTORS_MAX];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            row[v] = vec_load(b + v * VEC_WIDTH);
            VEC_HOLD(row[v]);
        }
#pragma GCC unroll 16
        for (int p = 0; p < rows; p++) {
            vec x = vec_set(a[p][at]);
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) acc[p][v] = vec_fma(x, row[v], acc[p][v]);
        }
        at += a_step;
        b += b_step;
    }
}

VEC_INLINE void tile_multiply(const ls_tile *t, const int rows, const int vectors, tile_sums acc) {
    const float *a[LS_TILE_ROWS_MAX];
    tile_rows(t, rows, a);
    const int64_t segments = (t->repeats + 1) * t->segments;
    for (int64_t s = 0, place = 0, begin = 0; s < segments; s++) {
        const float *b = t->b + (t->b_place != NULL ? t->b_place[s] : s * t->b_segment);
        tile_steps(t, rows, vectors, a, begin + place * t->a_segment, b, t->steps, acc);
        if (++place == t->segments) place = 0, begin += t->a_repeat;
    }
}

/* What the header says, for constant rows and vectors. Only the last vector of a row may be partly outside c. */
VEC_INLINE void tile_run(const ls_tile *t, const int rows, const int vectors) {
    tile_sums acc;
    const int last = vectors - 1;
    const int64_t rest = t->columns - last * VEC_WIDTH;
    EACH_VECTOR(p, v, rows, vectors) acc[p][v] = (vec){0};
    if (t->resume) EACH_VECTOR(p, v, rows, vectors) {
            const float *c = t->c + t->c_row[p] + v * VEC_WIDTH;
            acc[p][v] = v < last ? vec_load(c) : vec_load_part(c, rest);
        }

    tile_multiply(t, rows, vectors, acc);

    if (t->add) EACH_VECTOR(p, v, rows, vectors) {
            const float *c = t->c + t->c_row[p] + v * VEC_WIDTH;
            acc[p][v] += v < last ? vec_load(c) : vec_load_part(c, rest);
        }
    if (t->row_bias != NULL) EACH_VECTOR(p, v, rows, vectors) acc[p][v] += vec_set(t->row_bias[p]);
    if (t->bias != NULL) EACH_VECTOR(p, v, rows, vectors) {
            const float *bias = t->bias + v * VEC_WIDTH;
            acc[p][v] += v < last ? vec_load(bias) : vec_load_part(bias, rest);
        }
    if (t->relu) EACH_VECTOR(p, v, rows, vectors) acc[p][v] = vec_at_least((vec){0}, acc[p][v]);
    EACH_VECTOR(p, v, rows, vectors) {
        float *c = t->c + t->c_row[p] + v * VEC_WIDTH;
        if (v < last)
            vec_store(c, acc[p][v]);
        else
            vec_store_part(c, acc[p][v], rest);
    }
}

/* Where a tile's rows lie in c: read once, as the caller's memory would be read again after each store. */
VEC_INLINE void tile_places(const ls_tile *t, const int rows, float *c[LS_TILE_ROWS_MAX]) {
#pragma GCC unroll 16
    for (int p = 0; p < rows; p++) c[p] = t->c + t->c_row[p];
}

VEC_INLINE void tile_store(const int rows, const int vectors, tile_sums acc, float *const *c, int64_t at,
                           int64_t rest) {
    EACH_VECTOR(p, v, rows, vectors) {
        float *to = c[p] + at + v * VEC_WIDTH;
        if (v < vectors - 1)
            vec_store(to, acc[p][v]);
        else
            vec_store_part(to, acc[p][v], rest);
    }
}

/* The same for a sum over lanes. Sums that wait in the tree (lanes.h) stay in the first-level cache. */
VEC_INLINE void tile_add(const ls_tile *t, const int rows, const int vectors) {
    const float *a[LS_TILE_ROWS_MAX];
    float *c[LS_TILE_ROWS_MAX];
    tile_sums acc, waiting[LS_TREE_DEPTH_MAX];
    const int lanes = t->lanes;
    tile_rows(t, rows, a);
    tile_places(t, rows, c);
    for (int lane = 0;;) {
        int64_t begin = t->lane_begin[lane], end = t->lane_begin[lane + 1];
        int carries = ls_tree_carries(lane);
        EACH_VECTOR(p, v, rows, vectors) acc[p][v] = (vec){0};
        tile_steps(t, rows, vectors, a, begin * t->a_step, t->b + begin * t->b_step, end - begin, acc);
        for (int i = 0; i < carries; i++) EACH_VECTOR(p, v, rows, vectors) acc[p][v] += waiting[i][p][v];
        if (++lane == lanes) break;
        EACH_VECTOR(p, v, rows, vectors) waiting[carries][p][v] = acc[p][v];
    }
    tile_store(rows, vectors, acc, c, 0, t->columns - (vectors - 1) * VEC_WIDTH);
}

/* The same for several products side by side, of one segment each. */
VEC_INLINE void tile_products(const ls_tile *t, const int rows, const int vectors) {
    const float *a[LS_TILE_ROWS_MAX], *b = t->b;
    float *c[LS_TILE_ROWS_MAX];
    const int64_t products = t->products, steps = t->steps, a_next = t->a_next, b_next = t->b_next, c_next = t->c_next;
    const int64_t rest = t->columns - (vectors - 1) * VEC_WIDTH;
    const bool add = t->add;
    tile_rows(t, rows, a);
    tile_places(t, rows, c);
    for (int64_t i = 0; i < products; i++, b += b_next) {
        tile_sums acc;
        EACH_VECTOR(p, v, rows, vectors) acc[p][v] = (vec){0};
        tile_steps(t, rows, vectors, a, i * a_next, b, steps, acc);
        if (add) EACH_VECTOR(p, v, rows, vectors) {
                const float *from = c[p] + i * c_next + v * VEC_WIDTH;
                acc[p][v] += v < vectors - 1 ? vec_load(from) : vec_load_part(from, rest);
            }
        tile_store(rows, vectors, acc, c, i * c_next, rest);
    }
}

/* Tiles exist for every number of rows up to the best, which takes as many sums as there are registers, less a row of b
 * and a broadcast. Where that is more rows than general registers, their addresses come from the stack: loads that are
 * free here. */
#define ROWS_5(X, v)  X(v, 1) X(v, 2) X(v, 3) X(v, 4) X(v, 5)
#define ROWS_6(X, v)  ROWS_5(X, v) X(v, 6)
#define ROWS_9(X, v)  ROWS_6(X, v) X(v, 7) X(v, 8) X(v, 9)
#define ROWS_14(X, v) ROWS_9(X, v) X(v, 10) X(v, 11) X(v, 12) X(v, 13) X(v, 14)
#if defined(__AVX512F__)
#define TILES(X) ROWS_14(X, 1) ROWS_14(X, 2) ROWS_9(X, 3) ROWS_6(X, 4)
enum { VECTORS = 4, ROWS_OF_1 = 14, ROWS_OF_2 = 14, ROWS_OF_3 = 9, ROWS_OF_4 = 6 };
#elif defined(__AVX2__) && defined(__FMA__)
#define TILES(X) ROWS_9(X, 1) ROWS_6(X, 2)
enum { VECTORS = 2, ROWS_OF_1 = 9, ROWS_OF_2 = 6, ROWS_OF_3 = 0, ROWS_OF_4 = 0 };
#else
#define TILES(X) ROWS_6(X, 1) ROWS_6(X, 2) ROWS_6(X, 3) ROWS_5(X, 4)
enum { VECTORS = 4, ROWS_OF_1 = 6, ROWS_OF_2 = 6, ROWS_OF_3 = 6, ROWS_OF_4 = 5 };
#endif

#define TILE(v, r)                                                                                                     \
    static void tile_##v##_##r(const ls_tile *t) { tile_run(t, r, v); }                                                \
    static void add_##v##_##r(const ls_tile *t) { tile_add(t, r, v); }                                                 \
    static void products_##v##_##r(const ls_tile *t) { tile_products(t, r, v); }
TILES(TILE)

/* A multiply-add takes 4 cycles and two start in each: 12 chains keep both units busy on every machine. */
static double multiply_add(int64_t rounds) {
    enum { CHAINS = 12 };
    vec acc[CHAINS], x = vec_set(0.5f), y = vec_set(0.25f);
    for (int i = 0; i < CHAINS; i++) acc[i] = vec_set((float)i);
    for (int64_t r = 0; r < rounds; r++)
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) acc[i] = vec_fma(acc[i], x, y);
    __asm__ volatile("" : : "r"(acc) : "memory"); /* somebody might read them: they must be computed */
    return 2.0 * CHAINS * VEC_WIDTH * (double)rounds;
}

#define RUN(v, r)      [v][r] = tile_##v##_##r,
#define ADD(v, r)      [v][r] = add_##v##_##r,
#define PRODUCTS(v, r) [v][r] = products_##v##_##r,
const ls_tile_kernels LS_KERNELS_NAME(tile, LS_KERNEL_ISA) = {.width = VEC_WIDTH,
                                                              .vectors = VECTORS,
                                                              .rows = {0, ROWS_OF_1, ROWS_OF_2, ROWS_OF_3, ROWS_OF_4},
                                                              .run = {TILES(RUN)},
                                                              .add = {TILES(ADD)},
                                                              .products = {TILES(PRODUCTS)},
                                                              .multiply_add = multiply_add};

/* integers.h - small arithmetic of counts and offsets. Local. */
#ifndef LS_BASE_INTEGERS_H
#define LS_BASE_INTEGERS_H

#include <stdint.h>

static inline int64_t ls_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t ls_max(int64_t a, int64_t b) { return a > b ? a : b; }

/* For a >= 0 and b > 0: a / b rounded up, and a rounded up to a multiple of b. */
static inline int64_t ls_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t ls_round_up(int64_t a, int64_t b) { return ls_ceil_div(a, b) * b; }

/* Of runs that lie end to end, the one that holds `at`: the last i with begin[i] <= at. begin[count] rises, from at
 * most `at` on. */
int64_t ls_find_run(const int64_t *begin, int64_t count, int64_t at);

#endif

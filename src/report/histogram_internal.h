/* histogram_internal.h - how often numbers of which size occur. Local.
 *
 * Buckets are fixed and grow with the numbers in them: eight an octave on either side of zero, so that any set of
 * numbers is counted in one pass over it. A float's bits rise with its magnitude, so its bucket is its highest bits. */
#ifndef LS_REPORT_HISTOGRAM_INTERNAL_H
#define LS_REPORT_HISTOGRAM_INTERNAL_H

#include <stdint.h>

enum { LS_HISTOGRAM_HALF = 1 << 11, LS_HISTOGRAM_BUCKETS = 2 * LS_HISTOGRAM_HALF };

typedef struct ls_histogram {
    int64_t count;
    double min, max, sum, sum_squares;
    int64_t bucket[LS_HISTOGRAM_BUCKETS]; /* in rising order of the numbers */
} ls_histogram;

void ls_histogram_clear(ls_histogram *histogram);
/* Counts numbers; those that are not finite are left out. */
void ls_histogram_add(ls_histogram *histogram, const float *numbers, int64_t count);

/* The buckets that are not empty, and between them one for each gap. limit[i] is the upper end of bucket i, and the
 * lower one of the next. Returns how many there are. */
int ls_histogram_list(const ls_histogram *histogram, double limit[LS_HISTOGRAM_BUCKETS],
                      double count[LS_HISTOGRAM_BUCKETS]);

#endif

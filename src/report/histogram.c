/* histogram.c - counts numbers by the highest bits of their floats. */
#include "report/histogram_internal.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { SHIFT = 20 }; /* what is left of a float's 31 bits of magnitude: the exponent and three bits */
static const uint32_t MAGNITUDE = INT32_MAX;

void ls_histogram_clear(ls_histogram *histogram) { *histogram = (ls_histogram){.min = HUGE_VAL, .max = -HUGE_VAL}; }

static int bucket_of(float number) {
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    int size = (int)((bits & MAGNITUDE) >> SHIFT);
    return bits > MAGNITUDE ? LS_HISTOGRAM_HALF - 1 - size : LS_HISTOGRAM_HALF + size;
}

/* Where bucket i ends and the next one begins. */
static double end_of(int bucket) {
    bool negative = bucket < LS_HISTOGRAM_HALF;
    uint32_t bits = (uint32_t)(negative ? LS_HISTOGRAM_HALF - 1 - bucket : bucket - LS_HISTOGRAM_HALF + 1) << SHIFT;
    float size;
    memcpy(&size, &bits, sizeof size);
    return negative ? -(double)size : (double)size;
}

void ls_histogram_add(ls_histogram *histogram, const float *numbers, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        double number = (double)numbers[i];
        if (!isfinite(number)) continue;
        histogram->count++;
        histogram->sum += number;
        histogram->sum_squares += number * number;
        if (number < histogram->min) histogram->min = number;
        if (number > histogram->max) histogram->max = number;
        histogram->bucket[bucket_of(numbers[i])]++;
    }
}

int ls_histogram_list(const ls_histogram *histogram, double limit[LS_HISTOGRAM_BUCKETS],
                      double count[LS_HISTOGRAM_BUCKETS]) {
    int listed = 0;
    int64_t left = histogram->count;
    for (int i = 0; left > 0; i++) {
        bool empty = histogram->bucket[i] == 0;
        if (empty && listed == 0) continue;            /* below the smallest number */
        if (!empty || count[listed - 1] > 0) listed++; /* else it widens the gap before it */
        limit[listed - 1] = end_of(i);
        count[listed - 1] = (double)histogram->bucket[i];
        left -= histogram->bucket[i];
    }
    return listed;
}

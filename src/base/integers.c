/* integers.c - the search among runs; see integers.h. */
#include "base/integers.h"

int64_t ls_find_run(const int64_t *begin, int64_t count, int64_t at) {
    int64_t low = 0, high = count;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (begin[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

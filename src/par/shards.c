/* shards.c - buckets, and slices of whole grains; see shards.h. */
#include "par/shards.h"

ls_shards ls_shards_make(int64_t count, int64_t bucket, int rank, int size) {
    int64_t whole = ls_max(1, ls_shards_grains(ls_min(bucket, count))) * LS_GRAIN_FLOATS;
    return (ls_shards){
        .count = count, .bucket = whole, .buckets = ls_ceil_div(count, whole), .rank = rank, .size = size};
}

ls_range ls_shards_bucket(const ls_shards *shards, int64_t bucket) {
    int64_t begin = bucket * shards->bucket;
    return (ls_range){begin, ls_min(begin + shards->bucket, shards->count)};
}

ls_range ls_shards_slice(const ls_shards *shards, int64_t bucket, int rank) {
    ls_range whole = ls_shards_bucket(shards, bucket);
    int64_t length = whole.end - whole.begin, count = ls_shards_grains(length);
    int64_t begin = ls_min(rank * count / shards->size * LS_GRAIN_FLOATS, length);
    int64_t end = ls_min((rank + 1) * count / shards->size * LS_GRAIN_FLOATS, length);
    return (ls_range){whole.begin + begin, whole.begin + end};
}

/* All buckets before the last are alike. */
int64_t ls_shards_place(const ls_shards *shards, int64_t bucket) {
    if (bucket == 0) return 0;
    ls_range first = ls_shards_slice(shards, 0, shards->rank), last = ls_shards_slice(shards, bucket - 1, shards->rank);
    return (bucket - 1) * (first.end - first.begin) + (last.end - last.begin);
}

ls_range ls_range_common(ls_range a, ls_range b) {
    int64_t begin = ls_max(a.begin, b.begin), end = ls_min(a.end, b.end);
    return (ls_range){begin, ls_max(begin, end)};
}

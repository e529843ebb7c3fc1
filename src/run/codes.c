/* codes.c - codes from wherever they come; readers of files are in codes_npy.c and codes_csv.c. */
#include "run/codes.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/integers.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/rng.h"
#include "report/outputs.h"
#include "run/session.h"
#include "tensor/random.h"

static ls_status make_room(ls_codes *codes, int64_t count) {
    codes->count = count;
    return ls_alloc(&codes->data, count * ls_shape_count(&codes->shape), sizeof(float), "codes");
}

/* --- from files --- */

static ls_status open_dataset(const char *path, ls_codes *codes) {
    char is[LS_SHAPE_TEXT_MAX], wanted[LS_SHAPE_TEXT_MAX];
    LS_TRY(ls_dataset_open(&path, 1, &codes->dataset));
    const ls_dataset_info *info = ls_dataset_get_info(codes->dataset);
    codes->count = info->count;
    if (info->element == LS_ELEMENT_FLOAT32 && ls_shape_count(&info->shape) == ls_shape_count(&codes->shape))
        return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: has samples of %s (%s), but codes are %s (float32)", path,
                    ls_shape_text(&info->shape, is), ls_element_name(info->element),
                    ls_shape_text(&codes->shape, wanted));
}

static ls_status load_array(const char *path, ls_codes *codes) {
    if (ls_path_ends(path, ".npy")) return ls_codes_load_npy(path, codes);
    if (ls_path_ends(path, ".csv")) return ls_codes_load_csv(path, codes);
    return LS_RAISE(LS_INVALID, "%s: codes are read from .h5, .npy or .csv", path);
}

/* Rank 0 reads, so that all have the same. */
static ls_status share_array(const ls_comm *comm, const char *path, ls_codes *codes) {
    LS_TRY(ls_agree(comm, comm->rank == 0 ? load_array(path, codes) : LS_OK));
    ls_comm_broadcast(comm, &codes->count, sizeof codes->count, 0);
    LS_TRY(ls_agree(comm, comm->rank == 0 ? LS_OK : make_room(codes, codes->count)));
    int64_t bytes = codes->count * ls_shape_count(&codes->shape) * (int64_t)sizeof(float);
    ls_comm_broadcast(comm, codes->data, bytes, 0);
    return LS_OK;
}

static ls_status open_file(const ls_comm *comm, const char *path, ls_codes *codes) {
    if (!ls_path_ends(path, ".h5")) return share_array(comm, path, codes);
    LS_TRY(ls_agree(comm, open_dataset(path, codes)));
    return ls_session_check_same_data(comm, codes->dataset);
}

/* --- from the command line --- */

static ls_status read_texts(const ls_code_source *source, ls_codes *codes) {
    int64_t floats = ls_shape_count(&codes->shape);
    LS_TRY(make_room(codes, source->texts));
    for (int i = 0; i < source->texts; i++)
        if (ls_codes_parse(source->text[i], floats, codes->data + i * floats) != LS_OK)
            return ls_failure_prefix("--code %s: ", source->text[i]);
    return LS_OK;
}

/* --- made here --- */

static ls_status draw(const ls_code_source *source, ls_codes *codes) {
    int64_t floats = ls_shape_count(&codes->shape);
    LS_TRY(make_room(codes, source->count));
    ls_rng rng = ls_rng_stream(source->seed, LS_RNG_CODES, 0, 0);
    for (int64_t i = 0; i < source->count; i++) ls_random_normal(&rng, (uint64_t)i, floats, codes->data + i * floats);
    return LS_OK;
}

/* Where a share p of N(0, 1) lies below: Newton's method, which from the middle converges for all p. */
static double normal_quantile(double p) {
    double x = 0;
    for (int i = 0; i < 20; i++) {
        double below = 0.5 * erfc(-x / sqrt(2)), density = exp(-x * x / 2) / sqrt(2 * M_PI);
        x -= (below - p) / density;
    }
    return x;
}

/* Point i of n: in even steps over the range; without one, where codes of a normal distribution are equally often, at
 * its quantiles. */
static float grid_point(const ls_code_source *source, int64_t i, int64_t n) {
    double share = n > 1 ? (double)i / (double)(n - 1) : 0.5;
    if (source->range == 0) return (float)normal_quantile(0.05 + 0.9 * share);
    return (float)(source->range * (2 * share - 1));
}

/* The first number grows to the right, the second upwards. */
static ls_status lay_grid(const ls_code_source *source, ls_codes *codes) {
    char text[LS_SHAPE_TEXT_MAX];
    if (ls_shape_count(&codes->shape) != 2)
        return LS_RAISE(LS_INVALID, "a grid is over codes of two numbers, but these are %s",
                        ls_shape_text(&codes->shape, text));
    LS_TRY(make_room(codes, source->rows * source->columns));
    for (int64_t i = 0; i < codes->count; i++) {
        int64_t row = i / source->columns;
        codes->data[2 * i] = grid_point(source, i % source->columns, source->columns);
        codes->data[2 * i + 1] = grid_point(source, source->rows - 1 - row, source->rows);
    }
    return LS_OK;
}

/* --- the door --- */

ls_status ls_codes_open(const ls_comm *comm, const ls_code_source *source, const ls_shape *shape, ls_codes *out) {
    *out = (ls_codes){.shape = *shape};
    if (source->texts > 0) return ls_agree(comm, read_texts(source, out));
    if (source->rows > 0) return ls_agree(comm, lay_grid(source, out));
    if (source->file == NULL) return ls_agree(comm, draw(source, out));
    LS_TRY(open_file(comm, source->file, out));
    if (source->count > 0) out->count = ls_min(out->count, source->count);
    return LS_OK;
}

void ls_codes_close(ls_codes *codes) {
    ls_dataset_close(codes->dataset);
    ls_free(codes->data);
    *codes = (ls_codes){0};
}

ls_status ls_codes_check(const char *path, const ls_codes *codes, int64_t first, int64_t count, const float *numbers) {
    int64_t floats = ls_shape_count(&codes->shape);
    for (int64_t i = 0; i < count * floats; i++)
        if (!isfinite(numbers[i]))
            return LS_RAISE(LS_INVALID, "%s: code %" PRId64 " has a number that is not finite", path,
                            first + i / floats);
    return LS_OK;
}

ls_status ls_codes_read(ls_codes *codes, int64_t first, int64_t count, float *out) {
    int64_t floats = ls_shape_count(&codes->shape);
    if (codes->dataset != NULL) {
        LS_TRY(ls_dataset_read(codes->dataset, first, count, out, NULL));
        return ls_codes_check(ls_dataset_path(codes->dataset, 0), codes, first, count, out);
    }
    memcpy(out, codes->data + first * floats, (size_t)(count * floats) * sizeof *out);
    return LS_OK;
}

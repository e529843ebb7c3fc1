/* data_virtual.c - checks the parts of a virtual data set, one after another, and remembers which rows each one fills.
 */
#include "store/data_virtual_internal.h"

#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/integers.h"
#include "base/memory.h"
#include "store/data_array_internal.h"

static ls_status fail_part(const ls_data_file *file, const char *part, const char *what) {
    return LS_RAISE(
        LS_INVALID,
        "%s: is a virtual data set, made of parts of other files, and %s %s: HDF5 would read zeros in its place",
        file->path, part, what);
}

/* The path that HDF5 tries first: a relative path starts at the folder of the virtual file. */
static ls_status find_part(const ls_data_file *file, const char *name, char path[LS_PATH_MAX]) {
    char copy[LS_PATH_MAX];
    snprintf(copy, sizeof copy, "%s", file->path);
    const char *folder = name[0] == '/' ? "" : dirname(copy), *slash = name[0] == '/' ? "" : "/";
    if (snprintf(path, LS_PATH_MAX, "%s%s%s", folder, slash, name) >= LS_PATH_MAX)
        return LS_RAISE(LS_INVALID, "%s: the path of a part is too long", file->path);
    if (getenv("HDF5_VDS_PREFIX") != NULL)
        return fail_part(file, name, "is looked for elsewhere, because HDF5_VDS_PREFIX is set; unset it");
    if (ls_file_check_regular(path) != LS_OK) return ls_failure_prefix("%s: a part of it: ", file->path);
    return LS_OK;
}

/* Of names of files and arrays in a virtual data set. */
enum { PART_NAME_MAX = 1024 };

typedef struct part {
    char path[LS_PATH_MAX], array_name[PART_NAME_MAX];
    ls_data_file file;
    hid_t array;
    ls_data_layout layout;
} part;

static ls_status refuse_missing_chunk(void *context, const ls_data_chunk *chunk) {
    part *p = context;
    if (ls_data_array_has(p->array, &p->layout, chunk)) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: rows %" PRIuMAX " on of %s were never written", p->path,
                    (uintmax_t)chunk->offset[0], p->array_name);
}

/* Checks that the array of a part holds the rows that are mapped. */
static ls_status check_extent(const ls_data_file *file, part *p, hid_t selection) {
    hsize_t dim[H5S_MAX_RANK], begin[H5S_MAX_RANK] = {0}, end[H5S_MAX_RANK] = {0};
    H5D_space_status_t written;
    hid_t space = H5Dget_space(p->array);
    int dims = H5Sget_simple_extent_dims(space, dim, NULL);
    H5Sclose(space);
    bool fits = dims == H5Sget_simple_extent_ndims(selection) && H5Sget_select_bounds(selection, begin, end) >= 0;
    for (int d = 0; d < dims && fits; d++) fits = end[d] < dim[d];
    if (!fits) return fail_part(file, p->path, "is too short");
    if (H5Dget_space_status(p->array, &written) < 0 || written == H5D_SPACE_STATUS_NOT_ALLOCATED)
        return fail_part(file, p->path, "was never written");
    if (ls_data_array_is_full(p->array, &p->layout)) return LS_OK;
    return ls_data_array_chunks(&p->layout, (int64_t)begin[0], (int64_t)(end[0] - begin[0]) + 1, refuse_missing_chunk,
                                p);
}

static void close_part(part *p) {
    if (p->array >= 0) H5Dclose(p->array);
    ls_data_file_close_hdf5(&p->file);
    *p = (part){.file = {.hdf5 = H5I_INVALID_HID, .data = H5I_INVALID_HID}, .array = H5I_INVALID_HID};
}

static ls_status add_part(ls_data_file *file, const char *array, const part *p, ls_data_part **out) {
    ls_data_part *longer = realloc(file->parts, (size_t)(file->part_count + 1) * sizeof *longer);
    char *path = strdup(p->path);
    if (longer != NULL) file->parts = longer;
    if (longer == NULL || path == NULL) {
        free(path);
        return LS_RAISE(LS_ERROR, "%s: no memory for its parts", file->path);
    }
    *out = &file->parts[file->part_count++];
    **out = (ls_data_part){.path = path, .array = array, .bytes = p->file.bytes, .layout = p->layout};
    return LS_OK;
}

/* Whether the selection is a run of whole rows. */
static bool is_rows(hid_t selection, const ls_data_layout *layout) {
    hsize_t begin[H5S_MAX_RANK] = {0}, end[H5S_MAX_RANK] = {0};
    if (layout->dims < 1 || layout->dims > 1 + LS_DIMS_MAX) return false;
    if (H5Sget_simple_extent_ndims(selection) != layout->dims || H5Sget_select_bounds(selection, begin, end) < 0)
        return false;
    hsize_t points = end[0] - begin[0] + 1;
    for (int d = 1; d < layout->dims; d++) {
        if (begin[d] != 0 || end[d] + 1 != layout->extent[d]) return false;
        points *= layout->extent[d];
    }
    return (hsize_t)H5Sget_select_npoints(selection) == points;
}

/* Adds a part, or more rows to a part that is known; the last one is the most likely. */
static ls_status remember(ls_data_file *file, const char *array, const part *p, hid_t source, hid_t target) {
    hsize_t from[H5S_MAX_RANK] = {0}, begin[H5S_MAX_RANK] = {0}, end[H5S_MAX_RANK] = {0};
    ls_data_part *known = NULL;
    if (H5Sget_select_bounds(source, from, end) < 0 || H5Sget_select_bounds(target, begin, end) < 0)
        return ls_data_file_fail(file, "is damaged or cut short");
    for (int i = file->part_count - 1; i >= 0 && known == NULL; i--)
        if (strcmp(file->parts[i].path, p->path) == 0 && strcmp(file->parts[i].array, array) == 0)
            known = &file->parts[i];
    int64_t first = (int64_t)begin[0], after = (int64_t)end[0] + 1, shift = first - (int64_t)from[0];
    bool in_order = is_rows(source, &p->layout) && is_rows(target, &p->layout);
    if (known == NULL) {
        LS_TRY(add_part(file, array, p, &known));
        known->first = first;
        known->shift = shift;
        known->in_order = in_order;
    } else {
        known->in_order = known->in_order && in_order && known->shift == shift && known->end == first;
    }
    known->first = ls_min(known->first, first);
    known->end = ls_max(known->end, after);
    return LS_OK;
}

/* Opens the part of mapping i. Neighbours often have the same part: it stays open. */
static ls_status open_part(ls_data_file *file, hid_t properties, size_t i, part *p) {
    char name[PART_NAME_MAX] = "", array_name[PART_NAME_MAX] = "", path[LS_PATH_MAX];
    ssize_t length = H5Pget_virtual_filename(properties, i, name, sizeof name);
    ssize_t array_length = H5Pget_virtual_dsetname(properties, i, array_name, sizeof array_name);
    if (length < 1 || length >= PART_NAME_MAX || array_length < 1 || array_length >= PART_NAME_MAX)
        return ls_data_file_fail(file, "is damaged or cut short");
    if (strcmp(name, ".") == 0)
        snprintf(path, sizeof path, "%s", file->path);
    else
        LS_TRY(find_part(file, name, path));
    if (p->array >= 0 && strcmp(p->path, path) == 0 && strcmp(p->array_name, array_name) == 0) return LS_OK;
    close_part(p);
    memcpy(p->path, path, sizeof path);
    memcpy(p->array_name, array_name, sizeof array_name);
    p->file.path = p->path;
    p->file.is_part = true;
    if (ls_data_file_open_hdf5(&p->file) != LS_OK) return ls_failure_prefix("%s: a part of it: ", file->path);
    if (!ls_data_array_exists(&p->file, array_name))
        return fail_part(file, p->path, "has not the array that is mapped");
    if (ls_data_array_open(&p->file, array_name, &p->array) != LS_OK)
        return ls_failure_prefix("%s: a part of it: ", file->path);
    p->layout = ls_data_array_layout(p->array);
    return LS_OK;
}

static ls_status check_mapping(ls_data_file *file, const char *name, hid_t properties, size_t i, part *p,
                               hssize_t *mapped) {
    LS_TRY(open_part(file, properties, i, p));
    hid_t source = H5Pget_virtual_srcspace(properties, i), target = H5Pget_virtual_vspace(properties, i);
    if (H5Sget_select_type(source) == H5S_SEL_ALL) { /* which has no extent of its own */
        H5Sclose(source);
        source = H5Dget_space(p->array);
    }
    hssize_t from = H5Sget_select_npoints(source), to = H5Sget_select_npoints(target);
    ls_status status = LS_OK;
    if (from < 0 || to < 0)
        status = fail_part(file, p->path, "may grow, so that nobody knows where it ends; map parts of a fixed size");
    else
        status = from == to ? check_extent(file, p, source) : fail_part(file, p->path, "is not as long as its place");
    if (status == LS_OK) status = remember(file, name, p, source, target);
    *mapped += to;
    H5Sclose(target);
    H5Sclose(source);
    return status;
}

ls_status ls_data_virtual_check(ls_data_file *file, const char *name, hid_t array, hid_t properties) {
    size_t count = 0;
    hssize_t mapped = 0;
    if (file->is_part) return LS_RAISE(LS_INVALID, "%s: %s is itself a map of other files", file->path, name);
    if (H5Pget_virtual_count(properties, &count) < 0) return ls_data_file_fail(file, "is damaged or cut short");
    part p = {.file = {.hdf5 = H5I_INVALID_HID, .data = H5I_INVALID_HID}, .array = H5I_INVALID_HID};
    ls_status status = LS_OK;
    for (size_t i = 0; i < count && status == LS_OK; i++)
        status = check_mapping(file, name, properties, i, &p, &mapped);
    close_part(&p);
    LS_TRY(status);
    hid_t space = H5Dget_space(array);
    hssize_t all = H5Sget_simple_extent_npoints(space);
    H5Sclose(space);
    return mapped == all ? LS_OK : fail_part(file, name, "has places that no part fills");
}

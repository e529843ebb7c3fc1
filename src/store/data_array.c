/* data_array.c - opens the arrays of a data file, checks what each needs to be read, and walks over its chunks. */
#include "store/data_array_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/integers.h"
#include "store/data_format.h"
#include "store/data_virtual_internal.h"

enum { NAME_MAX_BYTES = 256 };

/* --- links --- */

typedef struct detour {
    char target[2 * NAME_MAX_BYTES];
} detour;

/* HDF5 asks this before it follows a link into another file, at any part of a path. */
static herr_t refuse_detour(const char *parent_file, const char *parent_group, const char *file, const char *object,
                            unsigned *flags, hid_t access, void *context) {
    detour *taken = context;
    (void)parent_file, (void)parent_group, (void)flags, (void)access;
    snprintf(taken->target, sizeof taken->target, "%.*s in %.*s", NAME_MAX_BYTES - 3, object, NAME_MAX_BYTES - 3, file);
    return -1;
}

static hid_t open_here(const ls_data_file *file, const char *name, detour *taken) {
    hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
    taken->target[0] = '\0';
    H5Pset_elink_cb(access, refuse_detour, taken);
    hid_t array = H5Dopen2(file->hdf5, name, access);
    H5Pclose(access);
    return array;
}

bool ls_data_array_exists(const ls_data_file *file, const char *name) {
    return H5Lexists(file->hdf5, name, H5P_DEFAULT) > 0;
}

/* --- descriptions for messages --- */

int ls_data_array_describe(hid_t array, const char *name, char *text, size_t room) {
    static const char *const classes[] = {"int",      "float",     "time", "text",  "bits",  "opaque",
                                          "compound", "reference", "enum", "lists", "arrays"};
    hsize_t dim[H5S_MAX_RANK];
    hid_t type = H5Dget_type(array), space = H5Dget_space(array);
    int dims = H5Sget_simple_extent_dims(space, dim, NULL), class = (int)H5Tget_class(type);
    bool number = class == H5T_INTEGER || class == H5T_FLOAT, known = class >= 0 && class <= H5T_ARRAY;
    const char *sign = class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "";
    int length = snprintf(text, room, "%s: %s%s", name, sign, known ? classes[class] : "other");
    if (number && (size_t)length < room)
        length += snprintf(text + length, room - (size_t)length, "%zu", 8 * H5Tget_size(type));
    for (int d = 0; d < dims && (size_t)length < room; d++)
        length += snprintf(text + length, room - (size_t)length, "%s%" PRIuMAX "%s", d == 0 ? " [" : ", ",
                           (uintmax_t)dim[d], d == dims - 1 ? "]" : "");
    H5Sclose(space);
    H5Tclose(type);
    return length;
}

/* The contents of a group: "x: uint8 [10, 28, 28]; y: no array". */
static void list(const ls_data_file *file, const char *group, char text[LS_DATA_LIST_MAX]) {
    H5G_info_t about;
    size_t used = 0;
    snprintf(text, LS_DATA_LIST_MAX, "nothing");
    if (H5Gget_info_by_name(file->hdf5, group, &about, H5P_DEFAULT) < 0) return;
    for (hsize_t i = 0; i < about.nlinks && used < LS_DATA_LIST_MAX; i++) {
        char name[NAME_MAX_BYTES] = "", path[2 * NAME_MAX_BYTES];
        detour taken;
        if (H5Lget_name_by_idx(file->hdf5, group, H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT) < 0)
            return;
        snprintf(path, sizeof path, "%s/%s", group, name);
        hid_t array = open_here(file, path, &taken);
        if (used > 0) used += (size_t)snprintf(text + used, LS_DATA_LIST_MAX - used, "; ");
        if (used >= LS_DATA_LIST_MAX) return;
        if (array >= 0)
            used += (size_t)ls_data_array_describe(array, name, text + used, LS_DATA_LIST_MAX - used);
        else
            used += (size_t)snprintf(text + used, LS_DATA_LIST_MAX - used, "%s: no array", name);
        if (array >= 0) H5Dclose(array);
    }
}

static ls_status fail_without(const ls_data_file *file, const char *name, const char *meaning) {
    char text[LS_DATA_LIST_MAX];
    list(file, "/", text);
    return LS_RAISE(
        LS_INVALID,
        "%s: has no %s, %s. It has: %s. Give the array this name, or make a data set with 'lockstep import'",
        file->path, name, meaning, text);
}

static ls_status fail_link(const ls_data_file *file, const char *name, size_t bytes) {
    char target[NAME_MAX_BYTES] = "", text[LS_DATA_LIST_MAX];
    if (bytes > sizeof target || H5Lget_val(file->hdf5, name, target, sizeof target, H5P_DEFAULT) < 0)
        return ls_data_file_fail(file, "is damaged or cut short");
    list(file, "/", text);
    return LS_RAISE(LS_INVALID,
                    "%s: %s is a link to %s, which is not there. The file has: %s. Link to an array that it has",
                    file->path, name, target, text);
}

static ls_status fail_group(const ls_data_file *file, const char *name) {
    char text[LS_DATA_LIST_MAX];
    list(file, name, text);
    return LS_RAISE(LS_INVALID,
                    "%s: %s is a group, not an array; it holds: %s. Move the array to %s, or make a data set with "
                    "'lockstep import'",
                    file->path, name, text, name);
}

static bool is_group(const ls_data_file *file, const char *name, detour *taken) {
    hid_t access = H5Pcreate(H5P_GROUP_ACCESS);
    taken->target[0] = '\0';
    H5Pset_elink_cb(access, refuse_detour, taken);
    hid_t group = H5Gopen2(file->hdf5, name, access);
    H5Pclose(access);
    if (group >= 0) H5Gclose(group);
    return group >= 0;
}

ls_status ls_data_array_find(const ls_data_file *file, const char *name, const char *meaning) {
    H5L_info_t link;
    detour taken;
    if (!ls_data_array_exists(file, name)) return fail_without(file, name, meaning);
    hid_t array = open_here(file, name, &taken);
    if (array >= 0) H5Dclose(array);
    if (array >= 0 || taken.target[0] != '\0') return LS_OK;
    if (is_group(file, name, &taken)) return fail_group(file, name);
    if (H5Oexists_by_name(file->hdf5, name, H5P_DEFAULT) > 0) return LS_OK; /* damaged: opening it tells so */
    bool soft = H5Lget_info(file->hdf5, name, &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_SOFT;
    return soft ? fail_link(file, name, link.u.val_size) : LS_OK;
}

/* --- checks --- */

static const struct {
    H5Z_filter_t filter;
    const char *name;
} filters[] = {{H5Z_FILTER_DEFLATE, "deflate"},
               {H5Z_FILTER_SHUFFLE, "shuffle"},
               {H5Z_FILTER_FLETCHER32, "fletcher32"},
               {H5Z_FILTER_SZIP, "szip"},
               {H5Z_FILTER_NBIT, "nbit"},
               {H5Z_FILTER_SCALEOFFSET, "scaleoffset"},
               {307, "bzip2"},
               {32000, "lzf"},
               {32001, "blosc"},
               {32004, "lz4"},
               {32008, "bitshuffle"},
               {32013, "zfp"},
               {32015, "zstd"},
               {32026, "blosc2"}};
enum { FILTERS = sizeof filters / sizeof *filters };

static ls_status fail_filter(const ls_data_file *file, const char *name, H5Z_filter_t filter) {
    const char *missing = "an unknown filter";
    char have[256] = "";
    for (int i = 0; i < FILTERS; i++) {
        size_t used = strlen(have);
        if (filters[i].filter == filter) missing = filters[i].name;
        if (H5Zfilter_avail(filters[i].filter) > 0)
            snprintf(have + used, sizeof have - used, "%s%s", used > 0 ? ", " : "", filters[i].name);
    }
    return LS_RAISE(LS_INVALID,
                    "%s: %s is compressed with %s (filter %d), which this HDF5 cannot read; it has %s. Set "
                    "HDF5_PLUGIN_PATH to the folder of the filter's plugin, or write the file again with one of these",
                    file->path, name, missing, (int)filter, have);
}

static ls_status check_filters(const ls_data_file *file, const char *name, hid_t properties) {
    int count = H5Pget_nfilters(properties);
    for (int i = 0; i < count; i++) {
        unsigned flags, settings;
        size_t values = 0;
        H5Z_filter_t filter = H5Pget_filter2(properties, (unsigned)i, &flags, &values, NULL, 0, NULL, &settings);
        if (filter < 0) return ls_data_file_fail(file, "is damaged or cut short");
        if (H5Zfilter_avail(filter) <= 0) return fail_filter(file, name, filter);
    }
    return LS_OK;
}

bool ls_data_array_fits(const ls_data_file *file, double bytes) {
    double held = (double)file->bytes;
    for (int i = 0; i < file->part_count; i++) held += (double)file->parts[i].bytes;
    return bytes / (2 * LS_DEFLATE_RATIO) <= held;
}

/* A chunk is read as a whole, so it must fit into memory. */
static ls_status check_chunk(const ls_data_file *file, const char *name, hid_t array, hid_t properties) {
    hsize_t chunk[H5S_MAX_RANK];
    if (H5Pget_layout(properties) != H5D_CHUNKED) return LS_OK;
    int dims = H5Pget_chunk(properties, H5S_MAX_RANK, chunk);
    hid_t type = H5Dget_type(array);
    double bytes = (double)H5Tget_size(type);
    H5Tclose(type);
    for (int d = 0; d < dims; d++) bytes *= (double)chunk[d];
    if (ls_data_array_fits(file, bytes)) return LS_OK;
    return LS_RAISE(LS_INVALID,
                    "%s: is damaged or cut short: a chunk of %s cannot have %.0f bytes in a file of %" PRId64
                    "; import it again",
                    file->path, name, bytes, file->bytes);
}

static ls_status check_external(const ls_data_file *file, const char *name, hid_t properties) {
    char target[NAME_MAX_BYTES] = "";
    off_t offset;
    hsize_t size;
    if (H5Pget_external_count(properties) <= 0) return LS_OK;
    H5Pget_external(properties, 0, sizeof target - 1, target, &offset, &size);
    return LS_RAISE(LS_INVALID,
                    "%s: the contents of %s lie in another file, '%s', and that is not followed; write a file that has "
                    "all in it",
                    file->path, name, target);
}

static ls_status check(ls_data_file *file, const char *name, hid_t array) {
    hid_t properties = H5Dget_create_plist(array);
    ls_status status = check_external(file, name, properties);
    if (status == LS_OK) status = check_filters(file, name, properties);
    if (status == LS_OK) status = check_chunk(file, name, array, properties);
    if (status == LS_OK && H5Pget_layout(properties) == H5D_VIRTUAL)
        status = ls_data_virtual_check(file, name, array, properties);
    H5Pclose(properties);
    return status;
}

ls_status ls_data_array_open(ls_data_file *file, const char *name, hid_t *array) {
    detour taken;
    *array = open_here(file, name, &taken);
    if (*array < 0 && taken.target[0] != '\0')
        return LS_RAISE(LS_INVALID,
                        "%s: %s is a link to %s, another file, and that is not followed; name that file, or write one "
                        "that has all in it",
                        file->path, name, taken.target);
    if (*array < 0) return ls_data_file_fail(file, "is damaged or cut short");
    ls_status status = check(file, name, *array);
    if (status == LS_OK) return LS_OK;
    H5Dclose(*array);
    *array = H5I_INVALID_HID;
    return status;
}

/* --- chunks --- */

static void note_filters(hid_t properties, ls_data_layout *layout) {
    int count = H5Pget_nfilters(properties);
    layout->filtered = count > 0;
    for (int i = 0; i < count; i++) {
        unsigned flags, settings;
        size_t values = 0;
        H5Z_filter_t filter = H5Pget_filter2(properties, (unsigned)i, &flags, &values, NULL, 0, NULL, &settings);
        layout->summed |= filter == H5Z_FILTER_FLETCHER32;
        layout->compressed |= filter != H5Z_FILTER_FLETCHER32 && filter != H5Z_FILTER_SHUFFLE;
    }
}

ls_data_layout ls_data_array_layout(hid_t array) {
    hsize_t extent[H5S_MAX_RANK], chunk[H5S_MAX_RANK];
    hid_t properties = H5Dget_create_plist(array), space = H5Dget_space(array), type = H5Dget_type(array);
    ls_data_layout layout = {.dims = H5Sget_simple_extent_dims(space, extent, NULL),
                             .element_bytes = (int64_t)H5Tget_size(type)};
    size_t bytes = sizeof *extent * (size_t)layout.dims;
    if (layout.dims >= 1 && layout.dims <= 1 + LS_DIMS_MAX) {
        memcpy(layout.extent, extent, bytes);
        layout.chunked =
            H5Pget_layout(properties) == H5D_CHUNKED && H5Pget_chunk(properties, H5S_MAX_RANK, chunk) == layout.dims;
        if (layout.chunked) memcpy(layout.chunk, chunk, bytes);
    }
    note_filters(properties, &layout);
    H5Tclose(type);
    H5Sclose(space);
    H5Pclose(properties);
    return layout;
}

int64_t ls_data_array_chunk_bytes(const ls_data_layout *layout) {
    int64_t bytes = layout->chunked ? layout->element_bytes : 0;
    for (int d = 0; d < layout->dims && layout->chunked; d++) bytes *= (int64_t)layout->chunk[d];
    return bytes;
}

int64_t ls_data_array_unit(const ls_data_file *file) {
    int64_t unit = file->layout.filtered ? (int64_t)file->layout.chunk[0] : 1;
    for (int i = 0; i < file->part_count; i++)
        if (strcmp(file->parts[i].array, LS_DATA_SET) == 0 && file->parts[i].layout.filtered)
            unit = ls_max(unit, (int64_t)file->parts[i].layout.chunk[0]);
    return ls_min(unit, file->info.count);
}

/* Moves to the next chunk in row-major order; false: there is none. */
static bool advance(ls_data_chunk *chunk, const hsize_t *size, const hsize_t *end) {
    for (int d = chunk->dims - 1; d >= 0; d--) {
        chunk->offset[d] += size[d];
        if (chunk->offset[d] < end[d]) return true;
        if (d > 0) chunk->offset[d] = 0;
    }
    return false;
}

ls_status ls_data_array_chunks(const ls_data_layout *layout, int64_t first, int64_t count, ls_data_chunk_fn visit,
                               void *context) {
    const hsize_t *extent = layout->extent, *size = layout->chunk;
    hsize_t end[1 + LS_DIMS_MAX];
    ls_data_chunk chunk = {.dims = layout->dims};
    if (!layout->chunked) return LS_OK;
    memcpy(end, extent, sizeof end);
    end[0] = (hsize_t)(first + count);
    chunk.offset[0] = (hsize_t)first / size[0] * size[0];
    do {
        for (int d = 0; d < chunk.dims; d++)
            chunk.dim[d] = size[d] < extent[d] - chunk.offset[d] ? size[d] : extent[d] - chunk.offset[d];
        LS_TRY(visit(context, &chunk));
    } while (advance(&chunk, size, end));
    return LS_OK;
}

/* Of a chunk without filters HDF5 tells the size even if it was never written; so its place is asked for. */
bool ls_data_array_has(hid_t array, const ls_data_layout *layout, const ls_data_chunk *chunk) {
    hsize_t bytes = 0;
    haddr_t place = HADDR_UNDEF;
    unsigned mask;
    if (layout->filtered) return H5Dget_chunk_storage_size(array, chunk->offset, &bytes) >= 0 && bytes > 0;
    return H5Dget_chunk_info_by_coord(array, chunk->offset, &mask, &place, &bytes) >= 0 && place != HADDR_UNDEF;
}

bool ls_data_array_is_full(hid_t array, const ls_data_layout *layout) {
    double bytes = (double)layout->element_bytes;
    if (!layout->chunked || layout->filtered) return false;
    for (int d = 0; d < layout->dims; d++) {
        hsize_t chunks = (layout->extent[d] + layout->chunk[d] - 1) / layout->chunk[d];
        bytes *= (double)chunks * (double)layout->chunk[d];
    }
    return (double)H5Dget_storage_size(array) >= bytes;
}

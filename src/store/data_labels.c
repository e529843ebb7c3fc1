/* data_labels.c - reads and checks the attributes of a data file, and the labels and names of its samples. Texts are
 * read as Lockstep and as h5py write them. */
#include "store/data_labels_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/integers.h"
#include "base/memory.h"
#include "store/data_array_internal.h"
#include "store/data_check_internal.h"
#include "store/data_format.h"

/* --- attributes --- */

ls_status ls_data_read_integer(const ls_data_file *file, const char *name, int64_t *value) {
    if (H5Aexists(file->hdf5, name) <= 0) return LS_OK;
    hid_t attribute = H5Aopen(file->hdf5, name, H5P_DEFAULT), type = H5Aget_type(attribute),
          space = H5Aget_space(attribute);
    bool ok = H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) <= sizeof *value &&
              H5Sget_simple_extent_npoints(space) == 1 && H5Aread(attribute, H5T_NATIVE_INT64, value) >= 0;
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return ok ? LS_OK : LS_RAISE(LS_INVALID, "%s: attribute %s must be an integer", file->path, name);
}

void ls_data_free_texts(char **texts, int64_t count) {
    for (int64_t i = 0; texts != NULL && i < count; i++) free(texts[i]);
    ls_free(texts);
}

static bool copy_texts(hid_t attribute, hid_t file_type, hid_t space, int64_t count, char **texts) {
    bool variable = H5Tis_variable_str(file_type) > 0, ok = false;
    hid_t type = H5Tcopy(file_type);
    size_t size = variable ? sizeof(char *) : H5Tget_size(file_type) + 1;
    if (!variable) H5Tset_size(type, size), H5Tset_strpad(type, H5T_STR_NULLTERM);
    char *data = calloc((size_t)count, size);
    if (data != NULL && H5Aread(attribute, type, data) >= 0) {
        ok = true;
        for (int64_t i = 0; i < count; i++) {
            const char *text = variable ? ((char **)data)[i] : data + i * (int64_t)size;
            texts[i] = strdup(text != NULL ? text : "");
            ok &= texts[i] != NULL;
        }
        if (variable) H5Dvlen_reclaim(type, space, H5P_DEFAULT, data);
    }
    free(data);
    H5Tclose(type);
    return ok;
}

ls_status ls_data_read_texts(const ls_data_file *file, const char *name, int64_t limit, char ***texts, int64_t *count) {
    *texts = NULL;
    *count = 0;
    if (H5Aexists(file->hdf5, name) <= 0) return LS_OK;
    hid_t attribute = H5Aopen(file->hdf5, name, H5P_DEFAULT), type = H5Aget_type(attribute),
          space = H5Aget_space(attribute);
    int64_t length = (int64_t)H5Sget_simple_extent_npoints(space);
    ls_status status = LS_OK;
    if (H5Tget_class(type) == H5T_STRING && length > 0 && H5Tget_size(type) > (size_t)(file->bytes / length))
        status = LS_RAISE(LS_INVALID, "%s: attribute %s is longer than the file", file->path, name);
    else if (H5Tget_class(type) != H5T_STRING || length < 1 || length > limit)
        status = LS_RAISE(LS_INVALID, "%s: attribute %s must be text", file->path, name);
    else
        status = ls_alloc(texts, length, sizeof **texts, "a data set's attributes");
    *count = length;
    if (status == LS_OK && !copy_texts(attribute, type, space, length, *texts))
        status = ls_data_file_fail(file, "is damaged or cut short");
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return status;
}

/* --- labels --- */

/* The number of classes is what the file says, else what the labels show. */
static ls_status read_classes(ls_data_file *file) {
    int32_t largest = 0;
    for (int64_t i = 0; i < file->info.count; i++)
        if (file->labels[i] > largest) largest = file->labels[i];
    int64_t classes = ls_min((int64_t)largest + 1, LS_CLASSES_MAX);
    LS_TRY(ls_data_read_integer(file, LS_DATA_CLASSES, &classes));
    if (classes < 1 || classes > LS_CLASSES_MAX)
        return LS_RAISE(LS_INVALID, "%s: attribute " LS_DATA_CLASSES " is %" PRId64 "; there must be 1 to %d",
                        file->path, classes, LS_CLASSES_MAX);
    file->info.classes = (int)classes;
    file->info.labelled = true;
    return LS_OK;
}

static ls_status check_labels(ls_data_file *file) {
    const ls_dataset_info *info = &file->info;
    LS_TRY(read_classes(file));
    for (int64_t i = 0; i < info->count; i++)
        if (file->labels[i] < 0 || file->labels[i] >= info->classes)
            return LS_RAISE(LS_INVALID, "%s: label %" PRId32 " of sample %" PRId64 " is not within 0..%d", file->path,
                            file->labels[i], i, info->classes - 1);
    LS_TRY(ls_data_read_texts(file, LS_DATA_CLASS_NAMES, LS_CLASSES_MAX, &file->class_names, &file->class_name_count));
    if (file->class_names != NULL && file->class_name_count != info->classes)
        return LS_RAISE(LS_INVALID, "%s: %" PRId64 " class names for %d classes", file->path, file->class_name_count,
                        info->classes);
    return LS_OK;
}

/* The length is checked before memory is allocated for what the file claims. */
static ls_status load_labels(ls_data_file *file, hid_t labels) {
    hid_t type = H5Dget_type(labels), space = H5Dget_space(labels);
    hsize_t length = 0;
    bool fit = H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) <= sizeof(int64_t) &&
               H5Sget_simple_extent_ndims(space) == 1 && H5Sget_simple_extent_dims(space, &length, NULL) == 1 &&
               length == (hsize_t)file->info.count;
    H5Sclose(space);
    H5Tclose(type);
    if (!fit)
        return LS_RAISE(LS_INVALID, "%s: " LS_DATA_LABELS " must be %" PRId64 " integers, one a sample", file->path,
                        file->info.count);
    LS_TRY(ls_alloc(&file->labels, file->info.count, sizeof *file->labels, "the labels of a data set"));
    if (H5Dread(labels, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, file->labels) < 0)
        return ls_data_file_fail(file, "is damaged or cut short");
    LS_TRY(ls_data_check_labels(file, labels));
    return check_labels(file);
}

/* All labels stay in memory: four bytes for each sample. */
ls_status ls_data_labels_load(ls_data_file *file) {
    hid_t labels;
    if (!ls_data_array_exists(file, LS_DATA_LABELS)) return LS_OK;
    LS_TRY(ls_data_array_find(file, LS_DATA_LABELS, "one integer a sample"));
    LS_TRY(ls_data_array_open(file, LS_DATA_LABELS, &labels));
    ls_status status = load_labels(file, labels);
    H5Dclose(labels);
    return status;
}

/* --- names --- */

/* Names of another type, such as texts of variable length, are not read. */
ls_status ls_data_names_find(ls_data_file *file) {
    enum { LONGEST = 1 << 16 };
    hid_t names;
    if (!ls_data_array_exists(file, LS_DATA_NAMES)) return LS_OK;
    LS_TRY(ls_data_array_find(file, LS_DATA_NAMES, "one text a sample"));
    LS_TRY(ls_data_array_open(file, LS_DATA_NAMES, &names));
    hid_t type = H5Dget_type(names), space = H5Dget_space(names);
    hsize_t length = 0;
    file->info.named = H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
                       H5Tget_size(type) <= LONGEST && H5Sget_simple_extent_ndims(space) == 1 &&
                       H5Sget_simple_extent_dims(space, &length, NULL) == 1 && length == (hsize_t)file->info.count;
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(names);
    return LS_OK;
}

bool ls_data_names_read_raw(hid_t array, int64_t first, int64_t count, ls_sample_name *names) {
    hsize_t start = (hsize_t)first, length = (hsize_t)count;
    hid_t file_type = H5Dget_type(array), type = H5Tcopy(file_type);
    hid_t memory = H5Screate_simple(1, &length, NULL), space = H5Dget_space(array);
    bool ok = H5Tset_size(type, sizeof *names) >= 0 && H5Tset_strpad(type, H5T_STR_NULLTERM) >= 0 &&
              H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &length, NULL) >= 0 &&
              H5Dread(array, type, memory, space, H5P_DEFAULT, names) >= 0;
    H5Sclose(space);
    H5Sclose(memory);
    H5Tclose(type);
    H5Tclose(file_type);
    return ok;
}

ls_status ls_data_names_read(ls_data_file *file, int64_t first, int64_t count, ls_sample_name *names) {
    hid_t array;
    LS_TRY(ls_data_array_open(file, LS_DATA_NAMES, &array));
    bool ok = ls_data_names_read_raw(array, first, count, names);
    ls_status status =
        ok ? ls_data_check_names(file, array, first, count, names) : ls_data_file_fail(file, "names are damaged");
    H5Dclose(array);
    return status;
}

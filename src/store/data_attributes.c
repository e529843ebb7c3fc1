/* data_attributes.c - reads the attributes of a data file: integers, and texts as Lockstep and as h5py write them. */
#include "store/data_attributes_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

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

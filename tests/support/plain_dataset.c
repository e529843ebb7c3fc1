/* plain_dataset.c - HDF5 files without Lockstep's attributes; see plain_dataset.h. */
#include "support/plain_dataset.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/dataset.h"
#include "store/hdf5.h"

unsigned char plain_byte(int64_t i, int64_t j) { return (unsigned char)(i * 7 + j * 13 + (i >> 5) * 31); }

static void write_data(hid_t file, const plain_dataset *what) {
    hsize_t count = 1, chunk[6];
    for (int d = 0; d < what->dims; d++) {
        count *= what->dim[d];
        chunk[d] = d == 0 ? what->chunk : what->dim[d];
    }
    hsize_t sample = what->dim[0] > 0 ? count / what->dim[0] : 1;
    float *data = malloc((count + 1) * sizeof *data);
    float white = H5Tget_class(what->type) == H5T_FLOAT ? 255.0F : 1.0F;
    assert(data);
    for (hsize_t i = 0; i < count; i++)
        data[i] = (float)plain_byte((int64_t)(i / sample), (int64_t)(i % sample)) / white;
    hid_t space = H5Screate_simple(what->dims, what->dim, NULL), plan = H5Pcreate(H5P_DATASET_CREATE);
    if (what->chunk > 0) H5Pset_chunk(plan, what->dims, chunk), H5Pset_fletcher32(plan);
    if (what->filter > 0) H5Pset_filter(plan, what->filter, H5Z_FLAG_MANDATORY, 0, NULL);
    hid_t set = H5Dcreate2(file, "/data", what->type, space, H5P_DEFAULT, plan, H5P_DEFAULT);
    herr_t written = H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    assert(set >= 0 && written >= 0);
    H5Dclose(set);
    H5Pclose(plan);
    H5Sclose(space);
    free(data);
}

static void write_labels(hid_t file, const plain_dataset *what) {
    hsize_t count = (hsize_t)what->label_count;
    hid_t space = H5Screate_simple(1, &count, NULL);
    hid_t set = H5Dcreate2(file, "/labels", H5T_STD_I64BE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    herr_t written = H5Dwrite(set, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, what->labels);
    assert(set >= 0 && written >= 0);
    H5Dclose(set);
    H5Sclose(space);
}

void plain_dataset_write(const char *path, const plain_dataset *what) {
    ls_hdf5_lock();
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert(file >= 0);
    write_data(file, what);
    if (what->labels) write_labels(file, what);
    H5Fclose(file);
    ls_hdf5_unlock();
}

void damage_file(const char *path, double where) {
    FILE *file = fopen(path, "r+b");
    assert(file);
    fseek(file, 0, SEEK_END);
    long at = (long)(where * (double)ftell(file));
    fseek(file, at, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, at, SEEK_SET);
    fputc(byte ^ 0x10, file);
    int closed = fclose(file);
    assert(closed == 0);
}

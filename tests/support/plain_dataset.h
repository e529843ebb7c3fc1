/* plain_dataset.h - data files as h5py users make them, not Lockstep: /data, perhaps /labels, and no attributes. Local.
 */
#ifndef TESTS_SUPPORT_PLAIN_DATASET_H
#define TESTS_SUPPORT_PLAIN_DATASET_H

#include <hdf5.h>
#include <stdint.h>

typedef struct plain_dataset {
    hid_t type; /* of /data */
    int dims;
    hsize_t dim[6]; /* samples first */
    hsize_t chunk;  /* samples; 0: not chunked */
    int filter;     /* of the chunks, beside their checksums; 0: none */
    int64_t label_count;
    const int32_t *labels; /* NULL: none */
} plain_dataset;

/* Writes it, with bytes (or bytes / 255) of plain_byte. */
void plain_dataset_write(const char *path, const plain_dataset *what);

/* Value j of sample i. */
unsigned char plain_byte(int64_t i, int64_t j);

/* Turns one bit of a file's middle. */
void damage_file(const char *path, double where);

#endif

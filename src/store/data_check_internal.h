/* data_check_internal.h - checks that samples, labels and names that were read are those that were written. HDF5 reads
 * zeros where data is missing, and its checksum of zeros is zero, so HDF5 alone does not find a hole. Local, under the
 * lock of HDF5.
 *
 * A file that Lockstep wrote has a hash of each block, and the fingerprint is their sum: each block is checked when it
 * is read. Of other files HDF5 knows whether a chunk was ever written. A chunk that was written and is all zeros may be
 * a hole. If it has a checksum and is not compressed, it is refused, unless the fingerprint of the whole file proves
 * that the zeros are right. Without a checksum, or if so few labels may all be class 0, there is a warning. */
#ifndef LS_STORE_DATA_CHECK_INTERNAL_H
#define LS_STORE_DATA_CHECK_INTERNAL_H

#include "store/data_file_internal.h"

/* Reads the hashes, if the file has them. Errors: LS_INVALID: they do not add up to the fingerprint. */
ls_status ls_data_check_load(ls_data_file *file);
/* To be called after that. Errors: LS_INVALID: no sample was ever written. */
ls_status ls_data_check_written(ls_data_file *file);

/* data: what was read of samples [first, first + count). Errors: LS_INVALID: that is not what was written. */
ls_status ls_data_check_samples(ls_data_file *file, int64_t first, int64_t count, const void *data);

/* The same for all labels, which were read, and for names [first, first + count) of an open array. The hashes cover
 * samples and labels, not names. */
ls_status ls_data_check_labels(ls_data_file *file, hid_t labels);
ls_status ls_data_check_names(ls_data_file *file, hid_t names, int64_t first, int64_t count, ls_sample_name *read);

/* Checks that the file, and the parts that hold samples [first, first + count), have the length that they had when they
 * were opened. Errors: LS_INVALID: they have not; LS_ERROR: the system cannot tell. */
ls_status ls_data_check_size(const ls_data_file *file, int64_t first, int64_t count);

#endif

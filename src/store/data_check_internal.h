/* data_check_internal.h - whether samples, labels and names that were read are those that were written: HDF5 gives
 * zeros for what is not there, and its checksum of zeros is zero. Private to the room. Local, under the lock of HDF5.
 *
 * A file that Lockstep wrote has a hash of each block, and their sum is its fingerprint: every block that is read is
 * held against its own. Of other files it is known whether a chunk was ever written. A chunk of nothing but zeros is
 * what a hole in the file looks like: with a checksum (and no compression, which has other bytes for zeros) it is
 * refused, unless the fingerprint of the whole file says that it is right; without one, and where a chunk has so few
 * labels that they may all be of class 0, there is a warning. */
#ifndef LS_STORE_DATA_CHECK_INTERNAL_H
#define LS_STORE_DATA_CHECK_INTERNAL_H

#include "store/data_file_internal.h"

/* Reads the hashes, where there are some. Errors: LS_INVALID: they do not fit the fingerprint. */
ls_status ls_data_check_load(ls_data_file *file);
/* After that. Errors: LS_INVALID: there are no samples at all. */
ls_status ls_data_check_written(ls_data_file *file);

/* Samples [first, first + count) and what was read of them. Errors: LS_INVALID, they are not what was written. */
ls_status ls_data_check_samples(ls_data_file *file, int64_t first, int64_t count, const void *data);

/* The same of all labels, which were read, and of names [first, first + count), of open arrays. Hashes of blocks are of
 * samples and labels; no hash is of names. */
ls_status ls_data_check_labels(ls_data_file *file, hid_t labels);
ls_status ls_data_check_names(ls_data_file *file, hid_t names, int64_t first, int64_t count, ls_sample_name *read);

/* That the file, and the parts that samples [first, first + count) are in, are as long as they were. Errors:
 * LS_INVALID, they are not; LS_ERROR, the system cannot tell. */
ls_status ls_data_check_size(const ls_data_file *file, int64_t first, int64_t count);

#endif

/* dataset.h - several data files (data_info.h) as one data set: samples are numbered through all of them, and blocks
 * never cross files. Each rank has its own, and reads what its lanes need, when they need it. */
#ifndef LS_DATA_DATASET_H
#define LS_DATA_DATASET_H

#include "data/sampler.h"
#include "par/comm.h"
#include "store/data_info.h"

typedef struct ls_dataset ls_dataset;

/* Local. Opens files (glob patterns allowed, matches in sorted order; a file that has just that name is no pattern) as
 * one data set, without locking them. A file that Lockstep did not write will do where /data is uint8 or float32 [N,
 * ...]: its blocks are its chunks, and its fingerprint is made of their size, the labels and 64 samples. Labels stay in
 * memory. Errors: LS_INVALID: no such file, not a Lockstep data set (what is missing and how to import), damaged,
 * samples that were never written, parts that are missing, a filter that HDF5 has not, labels out of range, files that
 * do not fit together; LS_ERROR: the system cannot read it (a disk, a network, too many open files). */
ls_status ls_dataset_open(const char *const *paths, int count, ls_dataset **out);
/* Local. The two steps of that: whether a process of its own comes through the files (see ls_data_probe_by), and
 * the opening of files that have come through. So one rank of a host tries them for all. Errors: as above. */
ls_status ls_dataset_try(const char *const *paths, int count);
ls_status ls_dataset_open_tried(const char *const *paths, int count, ls_dataset **out);
void ls_dataset_close(ls_dataset *dataset); /* NULL is allowed; see ls_dataset_cache */
const ls_dataset_info *ls_dataset_get_info(const ls_dataset *dataset);
const char *ls_dataset_class_name(const ls_dataset *dataset, int label); /* NULL where there is none */
int ls_dataset_files(const ls_dataset *dataset);
const char *ls_dataset_path(const ls_dataset *dataset, int file); /* of those that were found */
const char *ls_dataset_file_fingerprint(const ls_dataset *dataset, int file);
/* Path of the file that holds this sample, and the sample's number in it. */
const char *ls_dataset_locate(const ls_dataset *dataset, int64_t sample, int64_t *at);

/* The blocks of all files as spans, in order; *spans is the caller's (ls_free). */
ls_status ls_dataset_blocks(const ls_dataset *dataset, ls_span **spans, int64_t *count);

/* Local. Whether the files, and the parts of virtual data sets, are as long as when they were opened; each read asks
 * this of those that it reads, too. One that was removed or replaced is warned of once: what was opened is read on.
 * Errors: LS_INVALID, one was cut or written; LS_ERROR, the system cannot tell. */
ls_status ls_dataset_check_files(ls_dataset *dataset);

/* Local, thread-safe. Reads samples [first, first + count) and their labels; either may be NULL: not wanted. Errors
 * name the file and the samples: LS_INVALID, a damaged block, or one that is not what was written (zeros from a hole in
 * the file, above all); LS_ERROR, the system cannot read it. A block that is kept in memory is not looked at again. */
ls_status ls_dataset_read(ls_dataset *dataset, int64_t first, int64_t count, void *data, int32_t *labels);

/* Local, thread-safe. The names of these samples, ended by zeros. Errors: as above. */
ls_status ls_dataset_read_names(ls_dataset *dataset, int64_t first, int64_t count, ls_sample_name *names);

/* Collective, once; limit_bytes must agree. Keeps decoded blocks in memory that a host's ranks share, filled as they
 * are first read, if all samples take at most limit_bytes and every host has the room. Returns the bytes that a host
 * gives for it, the same on all ranks; 0: there is no room. ls_dataset_close is then Collective over the host. */
int64_t ls_dataset_cache(ls_dataset *dataset, const ls_comm *comm, int64_t limit_bytes);
/* Local, before the first fetch. Bounds the decoded blocks that this rank keeps for itself where the host has no cache
 * (64 MiB if never called; at least one block is kept). The one not used for longest gives way, so that a block of a
 * shuffle window is decoded once if a window of every lane of the rank fits, and up to once a sample if not. */
void ls_dataset_keep(ls_dataset *dataset, int64_t bytes);
/* Local, thread-safe. As read, for a list of samples in any order; blocks are decoded whole and kept, see above. */
ls_status ls_dataset_fetch(ls_dataset *dataset, int64_t count, const int64_t *samples, void *data, int32_t *labels);
/* Local, thread-safe. Decodes the blocks that a fetch of these samples would find missing, while other threads go on
 * fetching; *bytes: of the blocks that it decoded. What was read ahead gives way last. Errors: as above. */
ls_status ls_dataset_read_ahead(ls_dataset *dataset, int64_t count, const int64_t *samples, int64_t *bytes);

#endif

/* dataset.h - several data files (data_info.h) as one data set. Samples are numbered through all files; a block never
 * crosses files. Each rank opens the data set by itself, and reads what its lanes need, when they need it. */
#ifndef LS_DATA_DATASET_H
#define LS_DATA_DATASET_H

#include "data/sampler.h"
#include "par/comm.h"
#include "store/data_info.h"

typedef struct ls_dataset ls_dataset;

/* Local. Opens files as one data set, without locking them. paths[count]: names, or glob patterns, whose matches are
 * taken in sorted order; an existing file is not taken for a pattern. A file that Lockstep did not write is accepted if
 * its /data is uint8 or float32 [N, ...]: its blocks are its chunks, and its fingerprint is made of the size of a
 * block, the labels and 64 samples. Labels stay in memory. Errors: LS_INVALID: no such file; not a data set (the
 * message says what is missing and how to import); damaged; samples that were never written; missing parts; a filter
 * that HDF5 lacks; labels out of range; files that do not fit together. LS_ERROR: the system cannot read it (a disk, a
 * network, too many open files). */
ls_status ls_dataset_open(const char *const *paths, int count, ls_dataset **out);
/* Local. The two steps of ls_dataset_open: trying the files in a process of its own (see data_probe.h), and opening
 * files that were tried. So one rank of a host can try them for all. Errors: as above. */
ls_status ls_dataset_try(const char *const *paths, int count);
ls_status ls_dataset_open_tried(const char *const *paths, int count, ls_dataset **out);
void ls_dataset_close(ls_dataset *dataset); /* NULL is allowed; see ls_dataset_cache */
const ls_dataset_info *ls_dataset_get_info(const ls_dataset *dataset);
const char *ls_dataset_class_name(const ls_dataset *dataset, int label); /* NULL: the class has no name */
int ls_dataset_files(const ls_dataset *dataset);
const char *ls_dataset_path(const ls_dataset *dataset, int file); /* 0 <= file < ls_dataset_files */
const char *ls_dataset_file_fingerprint(const ls_dataset *dataset, int file);
/* The path of the file that holds this sample; *at: the sample's number in it. */
const char *ls_dataset_locate(const ls_dataset *dataset, int64_t sample, int64_t *at);

/* The blocks of all files as spans, in order; *spans is owned by the caller (ls_free). */
ls_status ls_dataset_blocks(const ls_dataset *dataset, ls_span **spans, int64_t *count);

/* Local. Checks that the files, and the parts of virtual data sets, have the length that they had when they were
 * opened; each read checks this too. For a file that was removed or replaced there is one warning: the opened file is
 * still read. Errors: LS_INVALID: a file was cut or written; LS_ERROR: the system cannot tell. */
ls_status ls_dataset_check_files(ls_dataset *dataset);

/* Local, thread-safe. Reads samples [first, first + count) into data [count][sample_bytes] and labels [count]; either
 * may be NULL. Errors name the file and the samples: LS_INVALID: a block is damaged, or is not what was written, such
 * as zeros from a hole in the file; LS_ERROR: the system cannot read it. */
ls_status ls_dataset_read(ls_dataset *dataset, int64_t first, int64_t count, void *data, int32_t *labels);

/* Local, thread-safe. The names of these samples. Errors: as above. */
ls_status ls_dataset_read_names(ls_dataset *dataset, int64_t first, int64_t count, ls_sample_name *names);

/* Collective, once; limit_bytes must be the same on all ranks. Keeps all decoded blocks in memory that the ranks of a
 * host share, if they take at most limit_bytes and every host has the memory. A block is decoded when it is first read.
 * Returns the bytes that a host uses, the same on all ranks; 0: there is no room. Otherwise ls_dataset_close becomes
 * Collective over the host. */
int64_t ls_dataset_cache(ls_dataset *dataset, const ls_comm *comm, int64_t limit_bytes);
/* Local, before the first fetch. Limits the decoded blocks that this rank keeps where the host has no cache of all
 * blocks (64 MiB without this call; at least one block is kept). The least recently used block is replaced. So a block
 * is decoded once in a shuffle window if a window of every lane of the rank fits, and up to once for each sample if
 * not. */
void ls_dataset_keep(ls_dataset *dataset, int64_t bytes);
/* Local, thread-safe. Reads samples[count] in any order; their blocks are decoded as a whole and kept, as above. A
 * block in memory is not checked again. */
ls_status ls_dataset_fetch(ls_dataset *dataset, int64_t count, const int64_t *samples, void *data, int32_t *labels);
/* Local, thread-safe. Decodes the blocks that a fetch of these samples would have to decode, while other threads fetch.
 * *bytes: the size of these blocks. Blocks that were read ahead are replaced last. Errors: as above. */
ls_status ls_dataset_read_ahead(ls_dataset *dataset, int64_t count, const int64_t *samples, int64_t *bytes);

#endif

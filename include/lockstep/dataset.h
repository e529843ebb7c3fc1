/* dataset.h - Lockstep's data files: plain HDF5 (1.10 and newer), readable with h5py.
 *
 *   /data      uint8 or float32 [N, ...] (pictures [N, H, W, C]), chunked by samples, fletcher32, optionally shuffle +
 *              deflate
 *   /labels    int32 [N], where there are labels (0 .. classes-1)
 *   /names     texts [N], where samples have names (file names); of one longer than LS_SAMPLE_NAME_MAX bytes the end
 *   /block_hashes uint64 [blocks], what the fingerprint is the sum of: each block that is read is held against its own
 *   attributes of /: lockstep_format (1), block_samples, fingerprint (hex text), classes, class_names, import_settings
 *
 * The fingerprint is made when the file is written: who edits a data set in place must delete the attribute (h5py:
 * del file.attrs["fingerprint"]). Until then the blocks that were edited are refused, as damaged ones are.
 *
 * Only what a file itself holds is read: links and storage that lead out of it are refused. A virtual data set, whose
 * parts are other files, will do where all parts are there, are regular files, and fill it.
 *
 * Class names and import_settings are UTF-8 (what is not in a folder's name is U+FFFD); names are bytes as they were.
 * Texts are of fixed length, padded with zeros: HDF5 cannot write others in parallel, nor checksum them.
 * A block is a run of block_samples samples (the last may be short), the unit of reading and of shuffling, and equal to
 * a chunk. Several files may be opened as one data set: samples are numbered through, blocks never cross files.
 * HDF5 is not thread-safe: every use, also the checkpoint's, is under ls_hdf5_lock. */
#ifndef LOCKSTEP_DATASET_H
#define LOCKSTEP_DATASET_H

#include <stdbool.h>
#include <stdint.h>

#include "lockstep/comm.h"
#include "lockstep/sampler.h"
#include "lockstep/shape.h"
#include "lockstep/status.h"

enum { LS_CLASSES_MAX = 32768, LS_FINGERPRINT_MAX = 17, LS_SAMPLE_NAME_MAX = 128 };

typedef enum ls_element { LS_ELEMENT_UINT8, LS_ELEMENT_FLOAT32 } ls_element;

static inline int64_t ls_element_bytes(ls_element element) { return element == LS_ELEMENT_UINT8 ? 1 : 4; }

static inline const char *ls_element_name(ls_element element) {
    return element == LS_ELEMENT_UINT8 ? "uint8" : "float32";
}

typedef struct ls_dataset_info {
    int64_t count;  /* samples of all files */
    ls_shape shape; /* of one sample */
    ls_element element;
    int64_t sample_bytes;
    bool labelled;
    int classes;                          /* 0 without labels */
    bool named;                           /* all samples have names, as Lockstep writes them */
    int64_t block_samples;                /* of the first file */
    char fingerprint[LS_FINGERPRINT_MAX]; /* of the content, 16 hex digits; of several files: a hash of theirs */
} ls_dataset_info;

typedef struct ls_dataset ls_dataset;

/* Local. Opens files (glob patterns allowed, matches in sorted order; a file that has just that name is no pattern) as
 * one data set, without locking them. A file that Lockstep did not write will do where /data is uint8 or float32 [N,
 * ...]: its blocks are its chunks, and its fingerprint is made of their size, the labels and 64 samples. Labels stay in
 * memory. Errors: LS_INVALID: no such file, not a Lockstep data set (what is missing and how to import), damaged,
 * samples that were never written, parts that are missing, a filter that HDF5 has not, labels out of range, files that
 * do not fit together; LS_ERROR: the system cannot read it (a disk, a network, too many open files). */
ls_status ls_dataset_open(const char *const *paths, int count, ls_dataset **out);
/* Local. The two steps of that: whether a process of its own comes through the files (see ls_dataset_set_prober), and
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
typedef char ls_sample_name[LS_SAMPLE_NAME_MAX + 1];
ls_status ls_dataset_read_names(ls_dataset *dataset, int64_t first, int64_t count, ls_sample_name *names);

/* Collective, once; limit_bytes must agree. Keeps decoded blocks in memory that a host's ranks share, filled as they
 * are first read, if all samples take at most limit_bytes and every host has the room. Returns the bytes that a host
 * gives for it, the same on all ranks; 0: there is no room. ls_dataset_close is then Collective over the host. */
int64_t ls_dataset_cache(ls_dataset *dataset, const ls_comm *comm, int64_t limit_bytes);
/* Local, before the first fetch. Bounds the decoded blocks that this rank keeps for itself where the node has no cache
 * (64 MiB if never called; at least one block is kept). The one not used for longest gives way, so that a block of a
 * shuffle window is decoded once if a window of every lane of the rank fits, and up to once a sample if not. */
void ls_dataset_keep(ls_dataset *dataset, int64_t bytes);
/* Local, thread-safe. As read, for a list of samples in any order; blocks are decoded whole and kept, see above. */
ls_status ls_dataset_fetch(ls_dataset *dataset, int64_t count, const int64_t *samples, void *data, int32_t *labels);
/* Local, thread-safe. Decodes the blocks that a fetch of these samples would find missing, while other threads go on
 * fetching; *bytes: of the blocks that it decoded. What was read ahead gives way last. Errors: as above. */
ls_status ls_dataset_read_ahead(ls_dataset *dataset, int64_t count, const int64_t *samples, int64_t *bytes);

/* Local. From now on ls_dataset_open first has this program, called as `PROGRAM --probe-data FILE...`, open the files
 * in a process of its own with limits of time and memory: HDF5 may loop for ever or crash on a header that was made for
 * that, and then the files are refused (LS_INVALID). Lockstep names itself; a library knows of no program, and does
 * without. */
void ls_dataset_set_prober(const char *program);
/* Local. What that program does then, and nothing else in its process; returns its exit status. */
#define LS_PROBE_WORD "--probe-data"
int ls_dataset_probe(int count, char *const *paths);

/* Local, thread-safe. Threads have the lock in the order in which they asked for it. */
void ls_hdf5_lock(void);
void ls_hdf5_unlock(void);
/* Why the last call of HDF5 failed that did since the lock was taken, in one line of its or the system's words; and
 * whose fault it was: LS_ERROR, the system's (a disk, a network); LS_INVALID, the file's. Under the lock. HDF5 itself
 * prints nothing. */
const char *ls_hdf5_reason(void);
ls_status ls_hdf5_fault(void);
/* The system's words for the first call since the lock was taken that failed by its fault; NULL: none did. Where HDF5
 * is asked what there is, such a failure looks like "nothing". */
const char *ls_hdf5_system_reason(void);
/* Whether that was for lack of memory. */
bool ls_hdf5_lacks_memory(void);

/* --- writing --- */

typedef struct ls_writer_spec {
    ls_shape shape;
    ls_element element;
    int64_t max_count; /* samples that may come; the block size follows from it: 1 MiB, less where that gives under 256
                          blocks */
    bool labelled, named;
    int classes;
    const char *const *class_names; /* [classes] or NULL */
    const char *settings;           /* what was imported and how, for the reader of the file */
    int deflate;                    /* 0: none; 1..9 */
} ls_writer_spec;

typedef struct ls_writer ls_writer;

/* Collective; spec must agree on all ranks. Writes beside `path` and renames at the end, so a file is whole or not
 * there. Errors (agreed): LS_ERROR/LS_INVALID. */
ls_status ls_writer_open(const ls_comm *comm, const char *path, const ls_writer_spec *spec, ls_writer **out);
/* Collective, counts may differ (and be 0). Appends the ranks' samples in rank order. names[i] may be NULL where a
 * sample has none. Errors (agreed): LS_INVALID, a label that is no class; LS_ERROR; then only ls_writer_close may
 * follow. */
ls_status ls_writer_append(ls_writer *writer, int64_t count, const void *data, const int32_t *labels,
                           const char *const *names);
/* Collective. Writes what is left and the fingerprint (independent of the number of ranks), flushes, renames. Frees the
 * writer in every case; with keep false the file is removed. Errors (agreed): LS_ERROR; LS_INVALID, no sample was
 * appended; what an append failed with. There is no new file then. */
ls_status ls_writer_close(ls_writer *writer, bool keep);
int64_t ls_writer_block_samples(const ls_writer_spec *spec);

#endif

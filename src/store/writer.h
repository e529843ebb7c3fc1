/* writer.h - writes a data file with all ranks together; data_info.h has the format. */
#ifndef LS_STORE_WRITER_H
#define LS_STORE_WRITER_H

#include "par/comm.h"
#include "store/data_info.h"

typedef struct ls_writer_spec {
    ls_shape shape;
    ls_element element;
    /* The most samples that may come. The block size follows from it: 1 MiB, or less, so that there are 256 blocks. */
    int64_t max_count;
    bool labelled, named;
    int classes;
    const char *const *class_names; /* [classes] or NULL */
    const char *settings;           /* the command that imports, as a text for people; NULL: none */
    int deflate;                    /* level of compression, 0 (none) to 9 */
} ls_writer_spec;

typedef struct ls_writer ls_writer;

/* Collective; spec must be the same on all ranks. Writes beside `path` and renames at the end, so a file is whole or
 * not there. Errors (agreed): LS_INVALID: a sample or the classes are too many, or path is a directory or a checkpoint;
 * LS_ERROR. */
ls_status ls_writer_open(const ls_comm *comm, const char *path, const ls_writer_spec *spec, ls_writer **out);
/* Collective; counts may differ and be 0. Appends the samples of all ranks in rank order. names[i] is NULL for a sample
 * without a name. Errors (agreed): LS_INVALID: a label is no class; LS_ERROR; then only ls_writer_close may follow. */
ls_status ls_writer_append(ls_writer *writer, int64_t count, const void *data, const int32_t *labels,
                           const char *const *names);
/* Collective. Writes the rest and the fingerprint, which does not depend on the number of ranks; flushes and renames.
 * Frees the writer in every case. With keep false, and after an error, there is no new file. Errors (agreed):
 * LS_INVALID: no sample was appended; the failure of an append; LS_ERROR. */
ls_status ls_writer_close(ls_writer *writer, bool keep);
/* Samples of a block. */
int64_t ls_writer_block_samples(const ls_writer_spec *spec);

#endif

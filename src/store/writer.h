/* writer.h - writes a data file (data_info.h says what is in it), by all ranks together. */
#ifndef LS_STORE_WRITER_H
#define LS_STORE_WRITER_H

#include "par/comm.h"
#include "store/data_info.h"

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

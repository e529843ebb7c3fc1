/* importer.h - importers make data sets. Each importer is a file import_<name>.c or synth_<name>.c, and a line in
 * importers.c.
 *
 * An importer gives its samples by number, the same ones on every rank. The driver (import.c) shuffles them once by a
 * seed, shares them among the ranks and their threads, skips those that fail, and writes the file. So the file is the
 * same for any number of ranks and threads. */
#ifndef LS_DATA_IMPORTER_H
#define LS_DATA_IMPORTER_H

#include "base/options.h"
#include "base/threads.h"
#include "data/dataset.h"
#include "par/comm.h"

/* What is known of an open source. Its strings live until it is closed. */
typedef struct ls_source_info {
    int64_t count;   /* samples, with those that will fail */
    int64_t skipped; /* paths that were skipped when it was opened */
    uint64_t hash;   /* of the files' names or contents, to find ranks that see other files under the same path */
    ls_shape shape;
    ls_element element;
    bool labelled, named;
    int classes;
    const char *const *class_names; /* [classes]; NULL: no names */
} ls_source_info;

/* What to open. */
typedef struct ls_source_request {
    const ls_comm *comm;
    ls_pool *pool;
    const void *options;
    uint64_t seed;            /* of generated samples */
    const char *const *files; /* [count] the words of the command line */
    int count;
    bool strict; /* a path that cannot be used is an error */
} ls_source_request;

typedef struct ls_importer_type {
    const char *name;         /* "idx", "cifar10", "images"; "digits" */
    bool generates;           /* it belongs to `synth`: it takes no files, and has an option "count" */
    const char *usage, *help; /* usage: the words it takes, "IMAGES [LABELS]" */
    const ls_option *options;
    size_t options_bytes;
    /* Collective; the request must be the same on all ranks, except for its pool. Errors (the driver agrees on them):
     * LS_INVALID: names the file or option; LS_ERROR: no memory, the disk. */
    ls_status (*open)(const ls_source_request *request, void **source, ls_source_info *info);
    /* Local, thread-safe. Writes all of data, *label, and *name (which lives as long as the source; NULL: no name) of a
     * sample. Errors: LS_INVALID: this sample cannot be read (names the file); the driver skips it. Any other error
     * ends the import. */
    ls_status (*sample)(void *source, int64_t index, void *data, int32_t *label, const char **name);
    void (*close)(void *source);
    /* Collective, at the end of the import: warns about the samples that were read. NULL: nothing to warn about. */
    void (*report)(const ls_comm *comm, const void *source);
} ls_importer_type;

extern const ls_importer_type *const ls_importer_types[]; /* ended by NULL */

typedef struct ls_import_settings {
    char output[4096];
    int64_t seed;    /* of the shuffle, and of generated samples */
    int64_t deflate; /* level of compression */
    bool strict;     /* a sample that fails is an error */
    bool overwrite;  /* replace a data set of this name */
    int64_t limit;   /* import the first samples of the shuffled order that do not fail, this many; 0: all */
} ls_import_settings;
extern const ls_option ls_import_options[]; /* of ls_import_settings */

typedef struct ls_import_result {
    int64_t written, skipped;
    double seconds;
    ls_dataset_info info;
} ls_import_result;

/* Collective; the arguments must be the same on all ranks, except for the pool. Rank 0 shows progress and names each
 * skipped sample. Errors (agreed): LS_INVALID: the output exists, or its folder does not; the errors of the importer
 * and the writer; no sample could be read; with `strict` a sample fails. There is no new file then. */
ls_status ls_import_run(const ls_comm *comm, ls_pool *pool, const ls_importer_type *type, const void *options,
                        const char *const *files, int count, const ls_import_settings *settings,
                        ls_import_result *result);

#endif

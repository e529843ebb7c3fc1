/* importer.h - what makes data sets: one file src/data/import_<name>.c or synth_<name>.c each, one line in importers.c.
 *
 * An importer is asked for its samples by number and gives the same ones on any rank; the driver shuffles them once
 * (seeded), shares them out over the ranks and their threads, leaves out those that fail, and writes the file. So the
 * file is the same for any number of ranks and threads. */
#ifndef LS_DATA_IMPORTER_H
#define LS_DATA_IMPORTER_H

#include "base/options.h"
#include "base/threads.h"
#include "data/dataset.h"
#include "par/comm.h"

/* What an opened source says of itself; strings live until it is closed. */
typedef struct ls_source_info {
    int64_t count;   /* samples, those that will fail included */
    int64_t skipped; /* what else was found, named and left out */
    uint64_t hash;   /* of the files' names or contents: ranks that see others under the same path are found out */
    ls_shape shape;
    ls_element element;
    bool labelled, named;
    int classes;
    const char *const *class_names; /* [classes], or NULL where they have none */
} ls_source_info;

/* What is to be opened. */
typedef struct ls_source_request {
    const ls_comm *comm;
    ls_pool *pool;
    const void *options;
    uint64_t seed;            /* of what is generated */
    const char *const *files; /* [count] the command line's other words */
    int count;
    bool strict; /* what cannot be used is an error */
} ls_source_request;

typedef struct ls_importer_type {
    const char *name;         /* "idx", "cifar10", "images"; "digits" */
    bool generates;           /* belongs to `synth`, not to `import`: takes no files, has an option "count" */
    const char *usage, *help; /* usage: the files, "IMAGES [LABELS]" */
    const ls_option *options;
    size_t options_bytes;
    /* Collective; the request must agree, but for its pool. The source is the same on all ranks. Errors (not agreed:
     * the driver does that): LS_INVALID, names the file or option; LS_ERROR: no memory, the disk. */
    ls_status (*open)(const ls_source_request *request, void **source, ls_source_info *info);
    /* Local, thread-safe. Sample `index`: its data (whatever was there before), label and name (a string that lives as
     * long as the source; NULL: none). Errors: LS_INVALID: this sample cannot be had (names the file); the driver goes
     * on with the others. Any other error ends the import. */
    ls_status (*sample)(void *source, int64_t index, void *data, int32_t *label, const char **name);
    void (*close)(void *source);
    /* Collective; NULL: nothing to say. At the end, of the samples that were asked for: warns of what they lost. */
    void (*report)(const ls_comm *comm, const void *source);
} ls_importer_type;

extern const ls_importer_type *const ls_importer_types[]; /* ended by NULL */

typedef struct ls_import_settings {
    char output[4096];
    int64_t seed; /* of the one shuffle at import, and of generated samples */
    int64_t deflate;
    bool strict;    /* a sample that fails is an error */
    bool overwrite; /* a data set may have the output's name already */
    int64_t limit;  /* this many samples, the first in the shuffle's order that do not fail; 0: all */
} ls_import_settings;
extern const ls_option ls_import_options[]; /* of ls_import_settings */

typedef struct ls_import_result {
    int64_t written, skipped;
    double seconds;
    ls_dataset_info info;
} ls_import_result;

/* Collective; the arguments must agree, threads may differ. Rank 0 shows progress and names each sample that was
 * skipped. Errors (agreed): LS_INVALID: the output is there already, or its folder is not; what the importer or the
 * writer says; no sample at all; with `strict` the first that fails. No file is left then. */
ls_status ls_import_run(const ls_comm *comm, ls_pool *pool, const ls_importer_type *type, const void *options,
                        const char *const *files, int count, const ls_import_settings *settings,
                        ls_import_result *result);

#endif

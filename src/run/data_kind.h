/* data_kind.h - whether data is what a model is made for: one place for training, validation and every use of a
 * trained model. Local. (The numbers of the samples are looked at by the loader, as they come.) */
#ifndef LS_RUN_DATA_KIND_H
#define LS_RUN_DATA_KIND_H

#include "data/dataset.h"

/* The data that a model is made for. */
typedef struct ls_data_kind {
    const char *name;            /* for messages: its file, or the checkpoint that was trained on it */
    const ls_dataset_info *info; /* of which shape, element and classes are looked at */
    const char *class_names;     /* see ls_kind_class_names */
} ls_data_kind;

/* The names of a data set's classes, a line each; "" where they have none. *names is the caller's (ls_free). */
ls_status ls_kind_class_names(const ls_dataset *dataset, char **names);

/* Whether samples have the same shape and element. Errors: LS_INVALID, both files and the mend. */
ls_status ls_kind_check_samples(const ls_dataset *dataset, const ls_data_kind *kind);
/* Whether the data has labels, and they mean the same: it may have fewer classes, the first ones. Where one of both has
 * no names they are taken for the same numbers. Errors: LS_INVALID, the first class that differs and the mend. */
ls_status ls_kind_check_labels(const ls_dataset *dataset, const ls_data_kind *kind);
/* Warns where names could not be compared. */
void ls_kind_warn_unnamed(const ls_dataset *dataset, const ls_data_kind *kind);

/* Warns of files that both have, under whatever names. */
void ls_kind_warn_shared(const ls_dataset *train, const ls_dataset *validation);

#endif

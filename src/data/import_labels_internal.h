/* import_labels_internal.h - classes of pictures: of their folders, or of the beginnings of their names. Private to the
 * room. */
#ifndef LS_DATA_IMPORT_LABELS_INTERNAL_H
#define LS_DATA_IMPORT_LABELS_INTERNAL_H

#include "data/import_files_internal.h"

/* Names of classes, in the order of their labels. */
typedef struct ls_class_list {
    char **name; /* [count], owned, each too */
    int64_t count, room;
} ls_class_list;

void ls_class_list_release(ls_class_list *list);

/* Collective, rank 0 reads. list: "cat,dog", or "@FILE" with one a line; of: a data set whose classes are wanted; one
 * of them is "". Errors (agreed): LS_INVALID: no such file, no names, one twice, more than LS_CLASSES_MAX. Release it
 * in every case. */
ls_status ls_class_list_read(const ls_comm *comm, const char *list, const char *of, ls_class_list *out);

typedef enum ls_labels_from { LS_LABELS_AUTO, LS_LABELS_FOLDER, LS_LABELS_PREFIX, LS_LABELS_NONE } ls_labels_from;

/* Local, the same on all ranks. labels[files->count] of the files that are pictures, and in *classes their names;
 * without a count there are no labels. Where *classes has names already, they are what there is, in their order.
 * LS_LABELS_AUTO says in the log what it did. Errors: LS_INVALID: too many classes, or a picture of none of those
 * given. */
ls_status ls_labels_make(const ls_file_list *files, const uint8_t *is_picture, ls_labels_from from, int32_t *labels,
                         ls_class_list *classes);

#endif

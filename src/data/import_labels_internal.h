/* import_labels_internal.h - the classes of pictures, from their folders or from the beginnings of their file names. */
#ifndef LS_DATA_IMPORT_LABELS_INTERNAL_H
#define LS_DATA_IMPORT_LABELS_INTERNAL_H

#include "data/import_files_internal.h"

/* The names of the classes, in the order of their labels. */
typedef struct ls_class_list {
    char **name; /* [count]; the array and each name are owned */
    int64_t count, room;
} ls_class_list;

void ls_class_list_release(ls_class_list *list);

/* Collective; rank 0 reads. list: "cat,dog", or "@FILE" with a class in each line; of: a data set whose classes are
 * taken; one of both is "". Errors (agreed): LS_INVALID: no such file, no names, a repeated name, more than
 * LS_CLASSES_MAX. ls_class_list_release in every case. */
ls_status ls_class_list_read(const ls_comm *comm, const char *list, const char *of, ls_class_list *out);

typedef enum ls_labels_from { LS_LABELS_AUTO, LS_LABELS_FOLDER, LS_LABELS_PREFIX, LS_LABELS_NONE } ls_labels_from;

/* Local, the same on all ranks. Sets labels[files->count] for the files that are pictures, and *classes; if that stays
 * empty, there are no labels. If *classes has names before the call, each picture gets one of these. LS_LABELS_AUTO
 * says in the log what it did. Errors: LS_INVALID: too many classes, or a picture of another class than those given. */
ls_status ls_labels_make(const ls_file_list *files, const uint8_t *is_picture, ls_labels_from from, int32_t *labels,
                         ls_class_list *classes);

#endif

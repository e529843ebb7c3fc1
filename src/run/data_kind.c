/* data_kind.c - compares shapes, elements, classes and files of two sets of data. */
#include "run/data_kind.h"

#include <stdio.h>
#include <string.h>

#include "base/integers.h"
#include "base/log.h"
#include "base/memory.h"

/* --- names of classes --- */

/* A line break in a name would make two of it. */
static char *append_line(const char *name, char *end) {
    for (; *name; name++) *end++ = (char)(*name == '\n' ? ' ' : *name);
    *end++ = '\n';
    return end;
}

ls_status ls_kind_class_names(const ls_dataset *dataset, char **names) {
    int classes = ls_dataset_get_info(dataset)->classes;
    bool named = classes > 0 && ls_dataset_class_name(dataset, classes - 1) != NULL;
    int64_t bytes = 1;
    for (int c = 0; named && c < classes; c++) bytes += (int64_t)strlen(ls_dataset_class_name(dataset, c)) + 1;
    LS_TRY(ls_alloc(names, bytes, 1, "the names of classes"));
    char *end = *names;
    for (int c = 0; named && c < classes; c++) end = append_line(ls_dataset_class_name(dataset, c), end);
    return LS_OK;
}

/* --- samples --- */

ls_status ls_kind_check_samples(const ls_dataset *dataset, const ls_data_kind *kind) {
    const ls_dataset_info *info = ls_dataset_get_info(dataset), *like = kind->info;
    if (ls_shape_equal(&info->shape, &like->shape) && info->element == like->element) return LS_OK;
    char a[LS_SHAPE_TEXT_MAX], b[LS_SHAPE_TEXT_MAX];
    return LS_RAISE(LS_INVALID,
                    "the samples of %s (%s %s) are not like those of %s (%s %s); import both in the same way",
                    ls_dataset_path(dataset, 0), ls_shape_text(&info->shape, a), ls_element_name(info->element),
                    kind->name, ls_shape_text(&like->shape, b), ls_element_name(like->element));
}

/* --- labels --- */

/* Compares line after line; both have as many at least. */
static ls_status compare_names(const ls_dataset *dataset, const ls_data_kind *kind, int classes, const char *names) {
    const char *theirs = kind->class_names;
    for (int c = 0; c < classes; c++) {
        int length = (int)strcspn(names, "\n"), their_length = (int)strcspn(theirs, "\n");
        if (length != their_length || strncmp(names, theirs, (size_t)length) != 0)
            return LS_RAISE(
                LS_INVALID,
                "class %d is '%.*s' in %s, but '%.*s' in %s; import it with --classes-of TRAIN.h5, the data "
                "of the training",
                c, length, names, ls_dataset_path(dataset, 0), their_length, theirs, kind->name);
        names += length + 1;
        theirs += their_length + 1;
    }
    return LS_OK;
}

ls_status ls_kind_check_labels(const ls_dataset *dataset, const ls_data_kind *kind) {
    const ls_dataset_info *info = ls_dataset_get_info(dataset);
    const char *path = ls_dataset_path(dataset, 0);
    char *names;
    if (!info->labelled)
        return LS_RAISE(LS_INVALID, "%s has no labels, and they are the target; import it with labels", path);
    LS_TRY(ls_kind_class_names(dataset, &names));
    int both = (int)ls_min(info->classes, kind->info->classes);
    ls_status status = LS_OK;
    if (names[0] && kind->class_names[0]) status = compare_names(dataset, kind, both, names);
    if (status == LS_OK && info->classes > kind->info->classes)
        status = LS_RAISE(LS_INVALID, "%s has %d classes, but %s has %d", path, info->classes, kind->name,
                          kind->info->classes);
    ls_free(names);
    return status;
}

void ls_kind_warn_unnamed(const ls_dataset *dataset, const ls_data_kind *kind) {
    bool named = ls_dataset_class_name(dataset, 0) != NULL;
    if (!ls_dataset_get_info(dataset)->labelled || named == (kind->class_names[0] != '\0')) return;
    ls_log_warn("%s has no names of classes to compare with those of %s: equal numbers are taken for equal classes",
                named ? kind->name : ls_dataset_path(dataset, 0), named ? ls_dataset_path(dataset, 0) : kind->name);
}

/* --- files --- */

static int find_file(const ls_dataset *dataset, const char *fingerprint) {
    for (int f = 0; f < ls_dataset_files(dataset); f++)
        if (strcmp(ls_dataset_file_fingerprint(dataset, f), fingerprint) == 0) return f;
    return -1;
}

/* One file under two names has one fingerprint, and so has a copy. That of a file that Lockstep did not write is made
 * of some samples: two that differ may have the same. */
void ls_kind_warn_shared(const ls_dataset *train, const ls_dataset *validation) {
    int shared = 0, first = 0, same = 0;
    for (int f = ls_dataset_files(validation) - 1; f >= 0; f--) {
        int found = find_file(train, ls_dataset_file_fingerprint(validation, f));
        if (found < 0) continue;
        shared++;
        first = f;
        same = found;
    }
    if (shared == 0) return;
    const char *path = ls_dataset_path(validation, first), *other = ls_dataset_path(train, same);
    char more[64] = "";
    if (shared > 1) (void)snprintf(more, sizeof more, " (and %d more)", shared - 1);
    if (strcmp(path, other) == 0)
        ls_log_warn("%s%s is validation data and training data: the validation loss says nothing of unseen samples",
                    path, more);
    else
        ls_log_warn("%s%s is validation data, and %s, which looks the same, is training data: the validation loss says "
                    "nothing of unseen samples",
                    path, more, other);
}

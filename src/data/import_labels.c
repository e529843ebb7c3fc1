/* import_labels.c - gives pictures their classes: by the folder or by the beginning of the file name, or as one of the
 * classes that were given. */
#include "data/import_labels_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/dataset.h"

/* --- lists of classes --- */

void ls_class_list_release(ls_class_list *list) {
    for (int64_t i = 0; i < list->count; i++) free(list->name[i]);
    ls_free(list->name);
    *list = (ls_class_list){0};
}

static ls_status add_class(ls_class_list *list, const char *text, size_t length) {
    LS_TRY(ls_grow(&list->name, &list->room, list->count + 1, sizeof *list->name, "class names"));
    char *name = strndup(text, length);
    if (name == NULL) return LS_RAISE(LS_ERROR, "no memory for class names");
    list->name[list->count++] = name;
    return LS_OK;
}

/* Adds the parts of a text between separators; empty parts are left out. */
static ls_status split(const char *text, const char *separators, ls_class_list *out) {
    while (*text != '\0') {
        size_t length = strcspn(text, separators);
        if (length > 0) LS_TRY(add_class(out, text, length));
        text += length + (text[length] != '\0');
    }
    return LS_OK;
}

static ls_status read_lines(const char *path, ls_class_list *out) {
    static const char mark[] = "\xEF\xBB\xBF";
    char *line = NULL;
    size_t room = 0;
    LS_TRY(ls_file_check_regular(path));
    FILE *file = fopen(path, "rb");
    if (file == NULL) return LS_RAISE(LS_INVALID, "%s: cannot be opened: %s", path, strerror(errno));
    ls_status status = LS_OK;
    for (bool first = true; status == LS_OK && getline(&line, &room, file) > 0; first = false) {
        const char *text = first && strncmp(line, mark, strlen(mark)) == 0 ? line + strlen(mark) : line;
        if (first && (strncmp(line, "\xFF\xFE", 2) == 0 || strncmp(line, "\xFE\xFF", 2) == 0))
            status = LS_RAISE(LS_INVALID, "%s: is text in UTF-16; save it as UTF-8", path);
        else
            status = split(text, "\r\n", out);
    }
    if (status == LS_OK && ferror(file)) status = LS_RAISE(LS_ERROR, "%s: cannot be read: %s", path, strerror(errno));
    fclose(file);
    free(line);
    return status;
}

static ls_status read_dataset(const char *path, ls_class_list *out) {
    ls_dataset *dataset = NULL;
    LS_TRY(ls_dataset_open(&path, 1, &dataset));
    int classes = ls_dataset_get_info(dataset)->classes;
    ls_status status = LS_OK;
    for (int i = 0; i < classes && status == LS_OK; i++) {
        const char *name = ls_dataset_class_name(dataset, i);
        if (name != NULL) status = add_class(out, name, strlen(name));
    }
    ls_dataset_close(dataset);
    if (status == LS_OK && out->count == 0) return LS_RAISE(LS_INVALID, "%s: its classes have no names", path);
    return status;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static ls_status check_list(const ls_class_list *list) {
    char **sorted;
    if (list->count < 1) return LS_RAISE(LS_INVALID, "no class is named");
    if (list->count > LS_CLASSES_MAX)
        return LS_RAISE(LS_INVALID, "%" PRId64 " classes are more than the %d that a data set can have", list->count,
                        LS_CLASSES_MAX);
    LS_TRY(ls_alloc(&sorted, list->count, sizeof *sorted, "class names"));
    memcpy(sorted, list->name, (size_t)list->count * sizeof *sorted);
    qsort(sorted, (size_t)list->count, sizeof *sorted, by_name);
    ls_status status = LS_OK;
    for (int64_t i = 1; i < list->count && status == LS_OK; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            status = LS_RAISE(LS_INVALID, "the class '%s' is named twice", sorted[i]);
    ls_free(sorted);
    return status;
}

static ls_status read_here(const char *list, const char *of, ls_class_list *out) {
    ls_status status = of[0] != '\0'    ? read_dataset(of, out)
                       : list[0] == '@' ? read_lines(list + 1, out)
                                        : split(list, ",", out);
    if (status == LS_OK) status = check_list(out);
    return status == LS_OK ? LS_OK : ls_failure_prefix(of[0] != '\0' ? "--classes-of: " : "--classes: ");
}

/* Sends the names as one text, a name in each line. */
static ls_status share(const ls_comm *comm, ls_class_list *list) {
    int64_t bytes = 0;
    char *text = NULL;
    for (int64_t i = 0; i < list->count; i++) bytes += (int64_t)strlen(list->name[i]) + 1;
    ls_comm_broadcast(comm, &bytes, sizeof bytes, 0);
    LS_TRY(ls_agree(comm, ls_alloc(&text, bytes + 1, 1, "class names")));
    char *end = text;
    for (int64_t i = 0; i < list->count; i++) end = stpcpy(stpcpy(end, list->name[i]), "\n");
    ls_comm_broadcast(comm, text, bytes, 0);
    ls_status status = ls_agree(comm, comm->rank == 0 ? LS_OK : split(text, "\n", list));
    ls_free(text);
    return status;
}

ls_status ls_class_list_read(const ls_comm *comm, const char *list, const char *of, ls_class_list *out) {
    *out = (ls_class_list){0};
    LS_TRY(ls_agree(comm, comm->rank == 0 ? read_here(list, of, out) : LS_OK));
    return share(comm, out);
}

/* --- the class of a file --- */

/* A part of a path, which names a class. */
typedef struct part {
    const char *text;
    size_t length;
    int32_t label; /* of a class in a table */
} part;

static part last_part(const char *path, size_t length) {
    size_t begin = length;
    while (begin > 0 && path[begin - 1] != '/') begin--;
    return (part){path + begin, length - begin, 0};
}

/* The first folder below the folder of the command line; else the folder that the file is in. */
static part folder_of(const char *path, int32_t name_at) {
    const char *slash = strchr(path + name_at, '/');
    if (slash != NULL && name_at > 0) return (part){path + name_at, (size_t)(slash - path) - (size_t)name_at, 0};
    slash = strrchr(path, '/');
    return slash != NULL ? last_part(path, (size_t)(slash - path)) : (part){".", 1, 0};
}

static part prefix_of(const char *path) {
    part name = last_part(path, strlen(path));
    name.length = strcspn(name.text, "._-");
    return name;
}

static int by_text(const void *a, const void *b) {
    const part *x = a, *y = b;
    int order = memcmp(x->text, y->text, x->length < y->length ? x->length : y->length);
    return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

/* --- ways to label the pictures --- */

typedef struct labelling {
    const ls_file_list *files;
    const uint8_t *is_picture;
    ls_labels_from from;
    part *classes; /* [count] sorted; of classes that were found, `filled` have pictures */
    int64_t pictures, filled, count;
} labelling;

static part class_of(const labelling *l, int64_t i) {
    const char *path = ls_file_list_path(l->files, i);
    return l->from == LS_LABELS_FOLDER ? folder_of(path, l->files->files[i].name) : prefix_of(path);
}

/* Sorts the parts and removes duplicates; returns how many are left. */
static int64_t sort_unique(part *parts, int64_t count) {
    int64_t kept = 0;
    if (count > 1) qsort(parts, (size_t)count, sizeof *parts, by_text);
    for (int64_t i = 0; i < count; i++)
        if (kept == 0 || by_text(&parts[kept - 1], &parts[i]) != 0) parts[kept++] = parts[i];
    return kept;
}

/* Finds the classes of the pictures. Folders without pictures are classes as well. */
static ls_status find_classes(labelling *l) {
    const ls_file_list *files = l->files;
    LS_TRY(ls_alloc(&l->classes, files->count + files->folder_count, sizeof *l->classes, "class names"));
    for (int64_t i = 0; i < files->count; i++)
        if (l->is_picture[i]) l->classes[l->pictures++] = class_of(l, i);
    l->filled = l->count = sort_unique(l->classes, l->pictures);
    for (int64_t i = 0; l->from == LS_LABELS_FOLDER && i < files->folder_count; i++) {
        const char *name = files->text + files->folders[i];
        l->classes[l->count++] = (part){name, strlen(name), 0};
    }
    l->count = sort_unique(l->classes, l->count);
    for (int64_t c = 0; c < l->count; c++) l->classes[c].label = (int32_t)c;
    return LS_OK;
}

/* Takes the classes that were given, whose labels are their order. */
static ls_status take_classes(const ls_class_list *given, labelling *l) {
    LS_TRY(ls_alloc(&l->classes, given->count, sizeof *l->classes, "class names"));
    for (; l->count < given->count; l->count++)
        l->classes[l->count] = (part){given->name[l->count], strlen(given->name[l->count]), (int32_t)l->count};
    qsort(l->classes, (size_t)l->count, sizeof *l->classes, by_text);
    return LS_OK;
}

/* The label, or -1. Names in a data set are UTF-8, so a folder's name that is not UTF-8 is compared in its cleaned
 * form. */
static int32_t find_label(const labelling *l, part name) {
    const part *found = bsearch(&name, l->classes, (size_t)l->count, sizeof name, by_text);
    if (found != NULL) return found->label;
    char *copy = strndup(name.text, name.length), *clean = copy != NULL ? ls_utf8_copy(copy) : NULL;
    if (clean != NULL && strcmp(copy, clean) != 0) {
        part cleaned = {clean, strlen(clean), 0};
        found = bsearch(&cleaned, l->classes, (size_t)l->count, sizeof cleaned, by_text);
    }
    free(copy);
    free(clean);
    return found != NULL ? found->label : -1;
}

/* Labels all pictures; returns the first picture of another class, or -1. */
static int64_t label_pictures(const labelling *l, int32_t *labels) {
    for (int64_t i = 0; i < l->files->count; i++) {
        labels[i] = l->is_picture[i] ? find_label(l, class_of(l, i)) : 0; /* other files will be refused */
        if (labels[i] < 0) return i;
    }
    return -1;
}

/* --- classes that were found --- */

/* "labels from file names: cat 150, dog 150 (--labels none: no labels)" */
static ls_status say_labels(const labelling *l, const int32_t *labels) {
    enum { NAMED = 12 };
    char text[LS_MESSAGE_MAX] = "";
    size_t used = 0;
    int64_t *pictures;
    LS_TRY(ls_alloc(&pictures, l->count, sizeof *pictures, "a count of pictures"));
    for (int64_t i = 0; i < l->files->count; i++)
        if (l->is_picture[i]) pictures[labels[i]]++;
    for (int64_t c = 0; c < l->count && c < NAMED && used < sizeof text / 2; c++) {
        int length = (int)(l->classes[c].length < 40 ? l->classes[c].length : 40);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s %" PRId64, c > 0 ? ", " : "", length,
                                 l->classes[c].text, pictures[c]);
    }
    ls_free(pictures);
    ls_log_info("labels from %s: %s%s (--labels none: no labels)",
                l->from == LS_LABELS_FOLDER ? "folders" : "file names", text, l->count > NAMED ? ", ..." : "");
    return LS_OK;
}

static ls_status use(const labelling *l, int32_t *labels, ls_class_list *classes) {
    for (int64_t i = 0; i < l->count; i++) LS_TRY(add_class(classes, l->classes[i].text, l->classes[i].length));
    label_pictures(l, labels);
    return say_labels(l, labels);
}

static ls_status use_as_wanted(const labelling *l, int32_t *labels, ls_class_list *classes) {
    if (l->count <= LS_CLASSES_MAX) return use(l, labels, classes);
    return LS_RAISE(LS_INVALID, "--labels %s gives %" PRId64 " classes, and a data set can have %d",
                    l->from == LS_LABELS_FOLDER ? "folder" : "prefix", l->count, LS_CLASSES_MAX);
}

/* There should be at least two classes, with two pictures or more on average. */
static bool look_like_classes(const labelling *l) { return l->filled >= 2 && l->filled <= l->pictures / 2; }

/* By folders, if they look like classes; else by the beginnings of names, if these do. The log says which. */
static ls_status choose(const labelling *folders, const labelling *prefixes, int32_t *labels, ls_class_list *classes) {
    bool by_folder = look_like_classes(folders), by_prefix = !by_folder && look_like_classes(prefixes);
    const labelling *l = by_folder ? folders : prefixes;
    if ((by_folder || by_prefix) && l->count > LS_CLASSES_MAX) {
        ls_log_warn("no labels: %" PRId64 " %s are more than the %d classes that a data set can have", l->count,
                    by_folder ? "folders" : "beginnings of names", LS_CLASSES_MAX);
        return LS_OK;
    }
    if (!by_folder && folders->filled >= 2)
        ls_log_warn("%" PRId64 " folders for %" PRId64 " pictures do not look like classes: %s", folders->filled,
                    folders->pictures,
                    by_prefix ? "labels are made of the beginnings of file names" : "no labels are made");
    return by_folder || by_prefix ? use(l, labels, classes) : LS_OK;
}

static ls_status label_by_found(labelling *folders, labelling *prefixes, ls_labels_from from, int32_t *labels,
                                ls_class_list *classes) {
    if (from != LS_LABELS_PREFIX) LS_TRY(find_classes(folders));
    if (from != LS_LABELS_FOLDER) LS_TRY(find_classes(prefixes));
    if (from == LS_LABELS_AUTO) return choose(folders, prefixes, labels, classes);
    return use_as_wanted(from == LS_LABELS_FOLDER ? folders : prefixes, labels, classes);
}

/* --- classes that were given --- */

/* LS_LABELS_AUTO: by folders or by the beginnings of names, the first that gives each picture one of the classes. */
static ls_status label_by_given(labelling *folders, labelling *prefixes, ls_labels_from from, int32_t *labels,
                                const ls_class_list *classes) {
    labelling *first = from == LS_LABELS_PREFIX ? prefixes : folders;
    LS_TRY(take_classes(classes, folders));
    LS_TRY(take_classes(classes, prefixes));
    int64_t stranger = label_pictures(first, labels);
    if (stranger < 0 || (from == LS_LABELS_AUTO && label_pictures(prefixes, labels) < 0)) return LS_OK;
    part name = class_of(first, stranger);
    return LS_RAISE(LS_INVALID, "%s: its class would be '%.*s', which is none of the %" PRId64 " that were given",
                    ls_file_list_path(first->files, stranger), (int)name.length, name.text, classes->count);
}

ls_status ls_labels_make(const ls_file_list *files, const uint8_t *is_picture, ls_labels_from from, int32_t *labels,
                         ls_class_list *classes) {
    labelling folders = {.files = files, .is_picture = is_picture, .from = LS_LABELS_FOLDER}, prefixes = folders;
    prefixes.from = LS_LABELS_PREFIX;
    if (from == LS_LABELS_NONE) return LS_OK;
    ls_status status = classes->count > 0 ? label_by_given(&folders, &prefixes, from, labels, classes)
                                          : label_by_found(&folders, &prefixes, from, labels, classes);
    ls_free(folders.classes);
    ls_free(prefixes.classes);
    return status;
}

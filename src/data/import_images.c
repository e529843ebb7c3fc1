/* import_images.c - folders of JPEG and PNG files of any size. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data_format.h"
#include "image_codec.h"
#include "importers.h"
#include "lockstep/file.h"
#include "lockstep/memory.h"

/* What one picture may take while it is decoded, on each thread: some 89 million pixels in colour, or any JPEG that is
 * not progressive. */
static const int64_t picture_bytes_max = INT64_C(512) << 20;

typedef enum labels_from { FROM_AUTO, FROM_FOLDER, FROM_PREFIX, FROM_NONE } labels_from;
static const char *const labels_names[] = {"auto", "folder", "prefix", "none", NULL};
static const char *const channels_names[] = {"1", "3", NULL};

typedef struct images_options {
    char size[LS_SIZE_TEXT_MAX];
    int fit, channels, labels; /* indices into their names */
} images_options;

static const ls_option options[] = {
    {"size", LS_OPTION_STRING, offsetof(images_options, size), .required = true, .capacity = LS_SIZE_TEXT_MAX,
     .help = "HEIGHTxWIDTH to resize to"},
    {"fit", LS_OPTION_CHOICE, offsetof(images_options, fit), .preset = "crop", .choices = ls_fit_names,
     .help = "for other proportions: crop to the middle, stretch, or pad with black"},
    {"channels", LS_OPTION_CHOICE, offsetof(images_options, channels), .preset = "3", .choices = channels_names,
     .help = "3: colour, 1: grey"},
    {"labels", LS_OPTION_CHOICE, offsetof(images_options, labels), .preset = "auto", .choices = labels_names,
     .help = "from the folder, or the file's name up to '.', '_' or '-'; auto: the first that gives classes"},
    LS_OPTIONS_END,
};

typedef struct picture {
    char *path;       /* owned */
    const char *name; /* in path, relative to the folder that was given */
    bool recognized;  /* by its content; else it will be refused */
    int32_t label;
} picture;

typedef struct images_source {
    int64_t h, w, channels;
    ls_fit fit;
    picture *pictures;
    int64_t count, room;
    char **class_names; /* [classes], owned */
    int classes;
} images_source;

/* --- finding files --- */

static ls_status add_file(images_source *source, const char *path, size_t name_at) {
    LS_TRY(
        ls_grow(&source->pictures, &source->room, source->count + 1, sizeof *source->pictures, "a list of pictures"));
    char *copy = strdup(path);
    if (!copy) return LS_RAISE(LS_ERROR, "no memory for a list of pictures");
    source->pictures[source->count++] = (picture){.path = copy, .name = copy + name_at};
    return LS_OK;
}

/* The folders that we are in, to see when a link leads back into one. */
typedef struct folder {
    const struct folder *parent;
    dev_t device;
    ino_t inode;
} folder;

static bool contains(const folder *inner, const struct stat *about) {
    for (; inner; inner = inner->parent)
        if (inner->device == about->st_dev && inner->inode == about->st_ino) return true;
    return false;
}

static ls_status add_folder(images_source *source, const char *path, size_t name_at, const folder *parent,
                            const struct stat *about);

/* Files and folders, through links. Anything else (a pipe, a link to nowhere) is passed over within a folder: parent is
 * not NULL there. */
static ls_status add_path(images_source *source, const char *path, size_t name_at, const folder *parent) {
    struct stat about;
    const bool known = stat(path, &about) == 0;
    if (known && S_ISREG(about.st_mode)) return add_file(source, path, name_at);
    if (known && S_ISDIR(about.st_mode)) return add_folder(source, path, name_at, parent, &about);
    if (parent) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: %s", path, known ? "neither a file nor a folder" : strerror(errno));
}

static ls_status add_folder(images_source *source, const char *path, size_t name_at, const folder *parent,
                            const struct stat *about) {
    if (contains(parent, about)) return LS_OK;
    const folder here = {parent, about->st_dev, about->st_ino};
    DIR *directory = opendir(path);
    if (!directory) return LS_RAISE(LS_INVALID, "%s: %s", path, strerror(errno));
    ls_status status = LS_OK;
    for (struct dirent *entry; status == LS_OK && (entry = readdir(directory));) {
        if (entry->d_name[0] == '.') continue; /* hidden, or this folder and the one above */
        char inner[LS_PATH_MAX];
        if (snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) >= (int)sizeof inner)
            status = LS_RAISE(LS_INVALID, "%s/%s: the name is too long", path, entry->d_name);
        else
            status = add_path(source, inner, name_at, &here);
    }
    closedir(directory);
    return status;
}

static ls_status add_argument(images_source *source, const char *argument) {
    char path[LS_PATH_MAX];
    if (snprintf(path, sizeof path, "%s", argument) >= (int)sizeof path)
        return LS_RAISE(LS_INVALID, "%s: the name is too long", argument);
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') path[--length] = '\0';
    struct stat about;
    const bool is_folder = stat(path, &about) == 0 && S_ISDIR(about.st_mode);
    return add_path(source, path, is_folder ? length + 1 : 0, NULL);
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const picture *)a)->path, ((const picture *)b)->path);
}

static ls_status find_files(images_source *source, const char *const *files, int count) {
    for (int i = 0; i < count; i++) LS_TRY(add_argument(source, files[i]));
    if (source->count > 0) qsort(source->pictures, (size_t)source->count, sizeof *source->pictures, by_path);
    int64_t recognized = 0;
    for (int64_t i = 0; i < source->count; i++) {
        source->pictures[i].recognized = ls_image_recognize(source->pictures[i].path);
        recognized += source->pictures[i].recognized;
    }
    if (recognized > 0) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: no JPEG or PNG file there", count > 0 ? files[0] : "no file or folder is given");
}

/* --- labels --- */

/* A part of a path. */
typedef struct part {
    const char *text;
    size_t length;
} part;

static part last_part(const char *path, size_t length) {
    size_t begin = length;
    while (begin > 0 && path[begin - 1] != '/') begin--;
    return (part){path + begin, length - begin};
}

/* The sub-folder of the folder that was given; of other files, the folder that they are in. */
static part folder_of(const picture *p) {
    const char *slash = strchr(p->name, '/');
    if (slash && p->name > p->path) return (part){p->name, (size_t)(slash - p->name)};
    slash = strrchr(p->path, '/');
    return slash ? last_part(p->path, (size_t)(slash - p->path)) : (part){".", 1};
}

static part prefix_of(const picture *p) {
    part name = last_part(p->path, strlen(p->path));
    name.length = strcspn(name.text, "._-");
    return name;
}

static part class_of(const picture *p, labels_from from) { return from == FROM_FOLDER ? folder_of(p) : prefix_of(p); }

static int by_text(const void *a, const void *b) {
    const part *x = a, *y = b;
    const int order = memcmp(x->text, y->text, x->length < y->length ? x->length : y->length);
    return order ? order : (x->length > y->length) - (x->length < y->length);
}

/* Sorts them and keeps each once; returns how many there are. */
static int64_t sort_unique(part *parts, int64_t count) {
    qsort(parts, (size_t)count, sizeof *parts, by_text);
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i++)
        if (kept == 0 || by_text(&parts[kept - 1], &parts[i]) != 0) parts[kept++] = parts[i];
    return kept;
}

static ls_status set_labels(images_source *source, labels_from from, const part *classes, int count) {
    LS_TRY(ls_alloc(&source->class_names, count, sizeof *source->class_names, "class names"));
    for (; source->classes < count; source->classes++) {
        const part *c = &classes[source->classes];
        char *name = strndup(c->text, c->length);
        if (!name) return LS_RAISE(LS_ERROR, "no memory for class names");
        source->class_names[source->classes] = name;
    }
    for (int64_t i = 0; i < source->count; i++) {
        picture *p = &source->pictures[i];
        const part name = class_of(p, from);
        const part *found = bsearch(&name, classes, (size_t)count, sizeof name, by_text);
        if (found) p->label = (int32_t)(found - classes); /* else it is no picture, and will be refused */
    }
    return LS_OK;
}

/* Where nothing was asked for, labels are made only of what looks like classes: at least two, and pictures that share
 * them. */
static ls_status make_labels(images_source *source, labels_from from, bool asked) {
    part *parts;
    LS_TRY(ls_alloc(&parts, source->count, sizeof *parts, "class names"));
    int64_t pictures = 0;
    for (int64_t i = 0; i < source->count; i++)
        if (source->pictures[i].recognized) parts[pictures++] = class_of(&source->pictures[i], from);
    const int64_t classes = sort_unique(parts, pictures);
    ls_status status = LS_OK;
    if (asked && classes > LS_CLASSES_MAX)
        status = LS_RAISE(LS_INVALID, "--labels %s gives more than %d classes", labels_names[from], LS_CLASSES_MAX);
    else if (asked || (classes >= 2 && classes <= pictures / 2 && classes <= LS_CLASSES_MAX))
        status = set_labels(source, from, parts, (int)classes);
    ls_free(parts);
    return status;
}

static ls_status choose_labels(images_source *source, labels_from from) {
    if (from == FROM_NONE) return LS_OK;
    if (from != FROM_AUTO) return make_labels(source, from, true);
    LS_TRY(make_labels(source, FROM_FOLDER, false));
    return source->classes > 0 ? LS_OK : make_labels(source, FROM_PREFIX, false);
}

/* --- the importer --- */

static uint64_t hash_names(const images_source *source) {
    uint64_t hash = 0;
    for (int64_t i = 0; i < source->count; i++) {
        const picture *p = &source->pictures[i];
        hash += ls_sample_hash(p->name, (int64_t)strlen(p->name), p->label, i);
    }
    return hash;
}

static void close_images(void *context) {
    images_source *source = context;
    for (int64_t i = 0; i < source->count; i++) free(source->pictures[i].path);
    ls_free(source->pictures);
    for (int i = 0; i < source->classes; i++) free(source->class_names[i]);
    ls_free(source->class_names);
    ls_free(source);
}

static ls_status open_images(const void *record, uint64_t seed, const char *const *files, int count, void **out,
                             ls_source_info *info) {
    (void)seed;
    const images_options *o = record;
    images_source *source;
    LS_TRY(ls_alloc(&source, 1, sizeof *source, "an import of pictures"));
    source->fit = (ls_fit)o->fit;
    source->channels = o->channels == 0 ? 1 : 3;
    ls_status status = ls_size_parse(o->size, &source->h, &source->w);
    if (status == LS_OK) status = find_files(source, files, count);
    if (status == LS_OK) status = choose_labels(source, (labels_from)o->labels);
    if (LS_FAILED(status)) {
        close_images(source);
        return status;
    }
    *info = (ls_source_info){
        .count = source->count,
        .hash = hash_names(source),
        .shape = {3, {source->h, source->w, source->channels}},
        .element = LS_ELEMENT_UINT8,
        .named = true,
        .labelled = source->classes > 0,
        .classes = source->classes,
        .class_names = (const char *const *)source->class_names,
    };
    *out = source;
    return LS_OK;
}

static ls_status sample_images(void *context, int64_t index, void *data, int32_t *label, const char **name) {
    const images_source *source = context;
    const picture *p = &source->pictures[index];
    ls_image image, resized;
    LS_TRY(ls_image_read(p->path, (int)source->channels, source->h, source->w, picture_bytes_max, &image));
    ls_status status = ls_image_resize(&image, source->h, source->w, source->fit, &resized);
    if (status == LS_OK) memcpy(data, resized.pixels, (size_t)(resized.h * resized.w * resized.c));
    ls_image_release(&image);
    ls_image_release(&resized);
    *label = p->label;
    *name = p->name;
    return status;
}

const ls_importer_type ls_import_images = {
    .name = "images",
    .usage = "DIR|FILE...",
    .help = "JPEG and PNG files of any size and kind; folders are searched through",
    .options = options,
    .options_bytes = sizeof(images_options),
    .open = open_images,
    .sample = sample_images,
    .close = close_images,
};

/* import_images.c - imports folders of JPEG and PNG files of any size; the classes come from folders or file names. */
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/integers.h"
#include "base/log.h"
#include "base/memory.h"
#include "data/image_codec_internal.h"
#include "data/import_labels_internal.h"
#include "data/importers_internal.h"
#include "store/data_format.h"

/* The memory of a thread for decoding a picture: enough for about 89 million pixels in colour, or for any JPEG that is
 * not progressive. */
static const int64_t picture_bytes_max = INT64_C(512) << 20;

enum { CLASSES_TEXT_MAX = 4096 };
static const char *const labels_names[] = {"auto", "folder", "prefix", "none", NULL};

typedef struct images_options {
    char size[LS_SIZE_TEXT_MAX];
    int fit, channels, labels; /* indices into their names; labels: an ls_labels_from */
    char classes[CLASSES_TEXT_MAX], classes_of[LS_PATH_MAX];
} images_options;

static const ls_option options[] = {
    {"size", LS_OPTION_STRING, offsetof(images_options, size), .required = true, .capacity = LS_SIZE_TEXT_MAX,
     .help = "HEIGHTxWIDTH, the size of all samples"},
    {"fit", LS_OPTION_CHOICE, offsetof(images_options, fit), .preset = "crop", .choices = ls_fit_names,
     .help = "how a picture of other proportions fits: crop to its middle, stretch, or pad with black"},
    {"channels", LS_OPTION_CHOICE, offsetof(images_options, channels), .preset = "3", .choices = ls_channels_names,
     .help = "3: colour, 1: grey"},
    {"labels", LS_OPTION_CHOICE, offsetof(images_options, labels), .preset = "auto", .choices = labels_names,
     .help = "where classes come from: the folder, or the prefix of the file name up to '.', '_' or '-'; auto: the "
             "first of them that gives classes"},
    {"classes", LS_OPTION_STRING, offsetof(images_options, classes), .preset = "", .capacity = CLASSES_TEXT_MAX,
     .help = "the classes in their order: cat,dog, or @FILE with one in each line; any other class is an error"},
    {"classes-of", LS_OPTION_STRING, offsetof(images_options, classes_of), .preset = "", .capacity = LS_PATH_MAX,
     .help = "use the classes of this data set, in their order"},
    LS_OPTIONS_END,
};

typedef struct images_source {
    int64_t h, w, channels;
    ls_fit fit;
    ls_file_list files;
    uint8_t *is_picture; /* [files.count] by its content; other files will be refused */
    int32_t *labels;     /* [files.count] */
    ls_class_list classes;
    atomic_llong *readable; /* [classes.count] pictures of each class that this rank read; NULL: classes were given */
    atomic_llong deep;      /* pictures with more than 8 bits that this rank read */
} images_source;

/* --- which files are pictures: each rank looks into its share of the files --- */

typedef struct look {
    const ls_comm *comm;
    const ls_file_list *files;
    int64_t first;
    uint8_t *is_picture;  /* [files->count], filled in for this rank's share */
    atomic_llong missing; /* a file that this rank does not see; -1: none */
} look;

static void look_task(void *context, int64_t task, int thread) {
    (void)thread;
    look *l = context;
    const char *path = ls_file_list_path(l->files, l->first + task);
    l->is_picture[l->first + task] = ls_image_recognize(path);
    struct stat about;
    if (!l->is_picture[l->first + task] && l->comm->rank > 0 && lstat(path, &about) != 0 && errno == ENOENT)
        l->missing = l->first + task;
}

/* Local. In portions, to show progress. */
static ls_status look_at_share(ls_pool *pool, look *l, int64_t begin, int64_t end) {
    enum { PORTION = 4096 };
    ls_progress progress;
    ls_progress_begin(&progress, "looking", l->files->count);
    for (l->first = begin; l->first < end; l->first += PORTION) {
        ls_pool_run(pool, ls_min(PORTION, end - l->first), look_task, l);
        ls_progress_update(&progress, l->comm->size * (l->first - begin), "");
    }
    if (l->missing < 0) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: is not there, but rank 0 sees it: all ranks must see the same files",
                    ls_file_list_path(l->files, l->missing));
}

/* Collective. */
static ls_status find_pictures(const ls_source_request *request, images_source *source) {
    const ls_comm *comm = request->comm;
    int64_t count = source->files.count;
    int64_t begin = count * comm->rank / comm->size, end = count * (comm->rank + 1) / comm->size;
    ls_status status = ls_alloc(&source->is_picture, count, 1, "a list of pictures");
    if (status == LS_OK) status = ls_alloc(&source->labels, count, sizeof *source->labels, "a list of pictures");
    LS_TRY(ls_agree(comm, status));
    look l = {.comm = comm, .files = &source->files, .is_picture = source->is_picture, .missing = -1};
    LS_TRY(ls_agree(comm, look_at_share(request->pool, &l, begin, end)));
    ls_comm_collect(comm, source->is_picture + begin, end - begin, source->is_picture);
    ls_comm_broadcast(comm, source->is_picture, count, 0);
    for (int64_t i = 0; i < count; i++)
        if (source->is_picture[i]) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: no JPEG or PNG file there%s", request->files[0],
                    source->files.skipped > 0 ? " that can be opened" : "");
}

/* --- the importer --- */

static uint64_t hash_names(const images_source *source) {
    uint64_t hash = 0;
    for (int64_t i = 0; i < source->files.count; i++) {
        const char *path = ls_file_list_path(&source->files, i);
        hash += ls_sample_hash(path, (int64_t)strlen(path), source->labels[i], i);
    }
    return hash;
}

static void close_images(void *context) {
    images_source *source = context;
    ls_file_list_release(&source->files);
    ls_class_list_release(&source->classes);
    ls_free(source->is_picture);
    ls_free(source->labels);
    ls_free(source->readable);
    ls_free(source);
}

static ls_status check_options(const images_options *o, images_source *source) {
    source->fit = (ls_fit)o->fit;
    source->channels = ls_channels(o->channels);
    bool classes = o->classes[0] != '\0', classes_of = o->classes_of[0] != '\0';
    if (classes && classes_of) return LS_RAISE(LS_INVALID, "give --classes or --classes-of, not both");
    if ((classes || classes_of) && o->labels == LS_LABELS_NONE)
        return LS_RAISE(LS_INVALID, "--classes and --classes-of have no effect with --labels none");
    return ls_size_parse(o->size, &source->h, &source->w);
}

/* Collective. */
static ls_status read_source(const ls_source_request *request, images_source *source) {
    const images_options *o = request->options;
    LS_TRY(check_options(o, source));
    if (o->classes[0] != '\0' || o->classes_of[0] != '\0')
        LS_TRY(ls_class_list_read(request->comm, o->classes, o->classes_of, &source->classes));
    LS_TRY(ls_file_list_find(request->comm, request->files, request->count, request->strict, &source->files));
    LS_TRY(find_pictures(request, source));
    bool given = source->classes.count > 0;
    ls_status status =
        ls_labels_make(&source->files, source->is_picture, (ls_labels_from)o->labels, source->labels, &source->classes);
    if (status == LS_OK && !given)
        status = ls_alloc(&source->readable, source->classes.count, sizeof *source->readable, "a count of pictures");
    return ls_agree(request->comm, status);
}

static ls_status open_images(const ls_source_request *request, void **out, ls_source_info *info) {
    images_source *source;
    LS_TRY(ls_agree(request->comm, ls_alloc(&source, 1, sizeof *source, "an import of pictures")));
    ls_status status = read_source(request, source);
    if (status != LS_OK) {
        close_images(source);
        return status;
    }
    *info = (ls_source_info){
        .count = source->files.count,
        .skipped = source->files.skipped,
        .hash = hash_names(source),
        .shape = {3, {source->h, source->w, source->channels}},
        .element = LS_ELEMENT_UINT8,
        .named = true,
        .labelled = source->classes.count > 0,
        .classes = (int)source->classes.count,
        .class_names = (const char *const *)source->classes.name,
    };
    *out = source;
    return LS_OK;
}

static ls_status sample_images(void *context, int64_t index, void *data, int32_t *label, const char **name) {
    images_source *source = context;
    const char *path = ls_file_list_path(&source->files, index);
    ls_image image, resized;
    LS_TRY(ls_image_read(path, (int)source->channels, source->h, source->w, picture_bytes_max, &image));
    ls_status status = ls_image_resize(&image, source->h, source->w, source->fit, &resized);
    if (status == LS_OK) memcpy(data, resized.pixels, (size_t)(resized.h * resized.w * resized.c));
    source->deep += image.was_deep;
    if (status == LS_OK && source->readable != NULL && source->classes.count > 0)
        source->readable[source->labels[index]]++;
    ls_image_release(&image);
    ls_image_release(&resized);
    *label = source->labels[index];
    *name = path + source->files.files[index].name;
    return status;
}

/* Collective. Warns of classes without pictures: they keep their number, and no sample has it. */
static void warn_of_empty(const ls_comm *comm, const images_source *source) {
    int64_t empty = 0, first = -1;
    for (int64_t c = 0; source->readable != NULL && c < source->classes.count; c++) {
        if (ls_comm_sum(comm, source->readable[c]) > 0) continue;
        if (empty++ == 0) first = c;
    }
    if (empty == 1)
        ls_log_warn("class '%s' (number %" PRId64 ") has no picture", source->classes.name[first], first);
    else if (empty > 1)
        ls_log_warn("%" PRId64 " of the %" PRId64 " classes have no picture, such as '%s' (number %" PRId64 ")", empty,
                    source->classes.count, source->classes.name[first], first);
}

static void report_images(const ls_comm *comm, const void *context) {
    const images_source *source = context;
    int64_t deep = ls_comm_sum(comm, source->deep);
    warn_of_empty(comm, source);
    if (deep > 0) ls_log_warn("%" PRId64 " of the pictures have 16 bits for each value, of which 8 are kept", deep);
}

const ls_importer_type ls_import_images = {
    .name = "images",
    .usage = "DIR|FILE...",
    .help = "JPEG and PNG files of any size and kind, also in folders",
    .options = options,
    .options_bytes = sizeof(images_options),
    .open = open_images,
    .sample = sample_images,
    .close = close_images,
    .report = report_images,
};

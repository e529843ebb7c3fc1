/* event_file.c - event files for TensorBoard: messages of protobuf (event.proto) in the frames of tfrecord.c. */
#include "report/event_file.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/file.h"
#include "base/memory.h"
#include "report/event.pb-c.h"
#include "report/tfrecord_internal.h"

struct ls_event_file {
    int fd;
    char path[LS_PATH_MAX];
    uint8_t *records; /* that wait */
    int64_t bytes, room;
    double limit[LS_HISTOGRAM_BUCKETS], count[LS_HISTOGRAM_BUCKETS]; /* of the histogram that is added */
};

ls_status ls_event_file_supported(void) { return LS_OK; }

/* --- events --- */

static double seconds_of(const struct timespec *time) { return (double)time->tv_sec + 1e-9 * (double)time->tv_nsec; }

static ls_status add_event(ls_event_file *file, int64_t step, Ls__Event *event) {
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    event->wall_time = seconds_of(&now);
    event->step = step;
    size_t bytes = ls__event__get_packed_size(event);
    if (bytes > LS_TFRECORD_DATA_BYTES_MAX) return LS_RAISE(LS_ERROR, "%s: an event is too large", file->path);
    int64_t end = file->bytes + LS_TFRECORD_HEAD_BYTES + (int64_t)bytes + LS_TFRECORD_TAIL_BYTES;
    LS_TRY(ls_grow(&file->records, &file->room, end, 1, "TensorBoard's events"));
    uint8_t *record = file->records + file->bytes;
    ls__event__pack(event, record + LS_TFRECORD_HEAD_BYTES);
    ls_tfrecord_frame(record, (int64_t)bytes);
    file->bytes = end;
    return LS_OK;
}

static ls_status add_value(ls_event_file *file, int64_t step, Ls__Summary__Value *value) {
    Ls__Summary summary = LS__SUMMARY__INIT;
    Ls__Event event = LS__EVENT__INIT;
    summary.n_value = 1;
    summary.value = &value;
    event.what_case = LS__EVENT__WHAT_SUMMARY;
    event.summary = &summary;
    return add_event(file, step, &event);
}

static Ls__Summary__Value value_of(const char *tag, Ls__Summary__Value__ValueCase kind) {
    Ls__Summary__Value value = LS__SUMMARY__VALUE__INIT;
    value.tag = (char *)tag; /* packing only reads it */
    value.value_case = kind;
    return value;
}

ls_status ls_event_file_add_scalar(ls_event_file *file, int64_t step, const char *tag, double number) {
    Ls__Summary__Value value = value_of(tag, LS__SUMMARY__VALUE__VALUE_SIMPLE_VALUE);
    value.simple_value = (float)number;
    return add_value(file, step, &value);
}

ls_status ls_event_file_add_histogram(ls_event_file *file, int64_t step, const char *tag,
                                      const ls_histogram *histogram) {
    Ls__HistogramProto histo = LS__HISTOGRAM_PROTO__INIT;
    Ls__Summary__Value value = value_of(tag, LS__SUMMARY__VALUE__VALUE_HISTO);
    histo.min = histogram->min;
    histo.max = histogram->max;
    histo.num = (double)histogram->count;
    histo.sum = histogram->sum;
    histo.sum_squares = histogram->sum_squares;
    histo.n_bucket_limit = histo.n_bucket = (size_t)ls_histogram_list(histogram, file->limit, file->count);
    histo.bucket_limit = file->limit;
    histo.bucket = file->count;
    value.histo = &histo;
    return add_value(file, step, &value);
}

/* --- pictures --- */

/* The first chunk of a PNG says how large it is, and whether it is grey (ISO/IEC 15948, 11.2.2). */
enum { PNG_WIDTH_AT = 16, PNG_HEIGHT_AT = 20, PNG_COLOUR_AT = 25, PNG_HEAD_BYTES = 33, PNG_GREY = 0 };

static int32_t png_number(const uint8_t *png, int at) {
    uint32_t number;
    memcpy(&number, png + at, sizeof number);
    return (int32_t)be32toh(number);
}

static ls_status read_png(const char *path, uint8_t **data, int64_t *bytes) {
    struct stat info;
    *data = NULL;
    FILE *in = fopen(path, "rb");
    if (in == NULL) return LS_RAISE(LS_ERROR, "%s: cannot be read: %s", path, strerror(errno));
    ls_status status = LS_OK;
    if (fstat(fileno(in), &info) != 0 || info.st_size < PNG_HEAD_BYTES)
        status = LS_RAISE(LS_ERROR, "%s: is not the picture that was written", path);
    if (status == LS_OK) status = ls_alloc(data, *bytes = info.st_size, 1, "a picture");
    if (status == LS_OK && fread(*data, 1, (size_t)*bytes, in) != (size_t)*bytes)
        status = LS_RAISE(LS_ERROR, "%s: cannot be read to its end", path);
    fclose(in);
    return status;
}

ls_status ls_event_file_add_png(ls_event_file *file, int64_t step, const char *tag, const char *path) {
    Ls__Summary__Image image = LS__SUMMARY__IMAGE__INIT;
    Ls__Summary__Value value = value_of(tag, LS__SUMMARY__VALUE__VALUE_IMAGE);
    uint8_t *png;
    int64_t bytes = 0;
    ls_status status = read_png(path, &png, &bytes);
    if (status == LS_OK) {
        image.width = png_number(png, PNG_WIDTH_AT);
        image.height = png_number(png, PNG_HEIGHT_AT);
        image.colorspace = png[PNG_COLOUR_AT] == PNG_GREY ? 1 : 3;
        image.encoded_image_string = (ProtobufCBinaryData){.len = (size_t)bytes, .data = png};
        value.image = &image;
        status = add_value(file, step, &value);
    }
    ls_free(png);
    return status;
}

/* --- the file --- */

static ls_status fail(const ls_event_file *file) {
    return LS_RAISE(LS_ERROR, "%s: cannot be written: %s", file->path, strerror(errno));
}

/* TensorBoard takes what has "tfevents" in its name, in alphabetic order. */
static ls_status make_file(const char *folder, ls_event_file *file) {
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    int length = snprintf(file->path, sizeof file->path, "%s/events.out.tfevents.%010" PRId64 ".%09ld.lockstep", folder,
                          (int64_t)now.tv_sec, now.tv_nsec);
    if (length >= (int)sizeof file->path) return LS_RAISE(LS_ERROR, "the path %s is too long", folder);
    LS_TRY(ls_file_make_directory(folder));
    file->fd = ls_fd_open(file->path, O_WRONLY | O_CREAT | O_EXCL);
    return file->fd >= 0 ? LS_OK : fail(file);
}

static ls_status begin(ls_event_file *file, int64_t step) {
    char version[] = "brain.Event:2";
    Ls__Event first = LS__EVENT__INIT, restart = LS__EVENT__INIT;
    Ls__SessionLog session = LS__SESSION_LOG__INIT;
    first.what_case = LS__EVENT__WHAT_FILE_VERSION;
    first.file_version = version;
    LS_TRY(add_event(file, 0, &first));
    session.status = LS__SESSION_LOG__STATUS__START;
    restart.what_case = LS__EVENT__WHAT_SESSION_LOG;
    restart.session_log = &session;
    if (step > 0) LS_TRY(add_event(file, step + 1, &restart)); /* steps are known by how many are done */
    return ls_event_file_flush(file);
}

ls_status ls_event_file_open(const char *folder, int64_t step, ls_event_file **out) {
    ls_event_file *file;
    *out = NULL;
    LS_TRY(ls_alloc(&file, 1, sizeof *file, "TensorBoard's events"));
    file->fd = -1;
    ls_status status = make_file(folder, file);
    if (status == LS_OK) status = begin(file, step);
    if (status == LS_OK)
        *out = file;
    else
        ls_event_file_close(file);
    return status;
}

ls_status ls_event_file_flush(ls_event_file *file) {
    if (!ls_fd_write(file->fd, file->records, file->bytes)) return fail(file);
    file->bytes = 0;
    return LS_OK;
}

void ls_event_file_close(ls_event_file *file) {
    if (file == NULL) return;
    if (file->fd >= 0) (void)close(file->fd);
    ls_free(file->records);
    ls_free(file);
}

/* image.c - recognizes the format of a picture file, has it decoded, and finishes the picture: orientation and
 * channels. */
#include "data/image.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/gzip_internal.h"
#include "data/image_codec_internal.h"
#include "store/data_format.h"

/* A PNG with one bit for each pixel can have this many; a JPEG needs at least a bit for a block of 8 x 8 pixels. */
enum { SIGNATURE_BYTES = 8, PIXELS_A_BYTE_MAX = 8 * LS_DEFLATE_RATIO };

typedef ls_status (*decode_fn)(FILE *file, const ls_decode_request *request, ls_image *out, int *orientation);

static const struct format {
    uint8_t signature[SIGNATURE_BYTES];
    size_t length;
    decode_fn decode;
} formats[] = {
    {{0xFF, 0xD8, 0xFF}, 3, ls_jpeg_decode},
    {{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'}, 8, ls_png_decode},
};
enum { FORMATS = sizeof formats / sizeof formats[0] };

void ls_image_release(ls_image *image) {
    ls_free(image->pixels);
    *image = (ls_image){0};
}

/* The product cannot overflow: both libraries limit a side to less than 2^31. */
bool ls_image_fits(int64_t h, int64_t w, int64_t c, const ls_decode_request *request) {
    return h * w * (c + request->channels) < request->limit_bytes;
}

ls_status ls_image_make(int64_t h, int64_t w, int64_t c, const ls_decode_request *request, ls_image *out) {
    if (!ls_image_fits(h, w, c, request))
        return LS_RAISE(LS_INVALID, "%lld x %lld pixels need more memory than the %lld MiB that a picture may take",
                        (long long)h, (long long)w, (long long)(request->limit_bytes >> 20));
    if (h * w / PIXELS_A_BYTE_MAX > request->file_bytes)
        return LS_RAISE(LS_INVALID, "%lld x %lld pixels cannot be in a file of %lld bytes", (long long)h, (long long)w,
                        (long long)request->file_bytes);
    LS_TRY(ls_alloc(&out->pixels, h * w * c, 1, "a picture"));
    out->h = h;
    out->w = w;
    out->c = c;
    return LS_OK;
}

/* *out: the format; NULL: another kind of file. A failing disk or network is an error, not a bad picture. */
static ls_status recognize(FILE *file, const struct format **out) {
    uint8_t head[SIGNATURE_BYTES];
    *out = NULL;
    size_t got = fread(head, 1, sizeof head, file);
    if (ferror(file)) return LS_RAISE(LS_ERROR, "cannot be read: %s", strerror(errno));
    rewind(file);
    for (int i = 0; i < FORMATS; i++)
        if (got >= formats[i].length && memcmp(head, formats[i].signature, formats[i].length) == 0) *out = &formats[i];
    return LS_OK;
}

/* A picture that is missing or not readable for us is skipped (LS_INVALID); any other failure is not the picture's
 * fault. */
static ls_status open_picture(const char *path, FILE **out) {
    *out = NULL;
    LS_TRY(ls_file_check_regular(path));
    *out = fopen(path, "rb");
    if (*out != NULL) return LS_OK;
    bool refused = errno == ENOENT || errno == EACCES || errno == EPERM;
    return LS_RAISE(refused ? LS_INVALID : LS_ERROR, "%s: cannot be opened: %s", path, strerror(errno));
}

bool ls_image_recognize(const char *path) {
    FILE *file;
    const struct format *format;
    if (open_picture(path, &file) != LS_OK) return false;
    bool known = recognize(file, &format) == LS_OK && format != NULL;
    fclose(file);
    return known;
}

/* Luma of ITU-R BT.601, as JPEG has it. */
static uint8_t luma(const uint8_t *rgb) { return (uint8_t)((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000); }

static void convert_pixel(const uint8_t *in, int64_t in_c, uint8_t *out, int64_t out_c) {
    if (in_c == out_c)
        memcpy(out, in, (size_t)in_c);
    else if (out_c == 1)
        *out = luma(in);
    else
        memset(out, *in, (size_t)out_c);
}

/* Turns the picture upright and gives it c channels. In the eight cases of EXIF, pixel (y, x) of the output is the
 * stored pixel at that place, counted from the bottom, from the right, or with rows and columns exchanged. */
static ls_status finish(ls_image *image, int orientation, int64_t c) {
    if (orientation == LS_ORIENTATION_UPRIGHT && image->c == c) return LS_OK;
    bool turned = orientation >= LS_ORIENTATION_TRANSPOSED;
    bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    ls_image out = {
        .h = turned ? image->w : image->h, .w = turned ? image->h : image->w, .c = c, .was_deep = image->was_deep};
    LS_TRY(ls_alloc(&out.pixels, out.h * out.w * c, 1, "a picture"));
    uint8_t *to = out.pixels;
    for (int64_t y = 0; y < out.h; y++)
        for (int64_t x = 0; x < out.w; x++, to += c) {
            int64_t row = turned ? x : y, column = turned ? y : x;
            if (from_bottom) row = image->h - 1 - row;
            if (from_right) column = image->w - 1 - column;
            convert_pixel(image->pixels + (row * image->w + column) * image->c, image->c, to, c);
        }
    ls_image_release(image);
    *image = out;
    return LS_OK;
}

static ls_status read_file(FILE *file, const ls_decode_request *request, ls_image *out) {
    const struct format *format;
    LS_TRY(recognize(file, &format));
    if (format == NULL) return LS_RAISE(LS_INVALID, "not a JPEG or PNG file");
    int orientation;
    ls_status status = format->decode(file, request, out, &orientation);
    if (ferror(file)) return LS_RAISE(LS_ERROR, "cannot be read: %s", strerror(errno));
    LS_TRY(status);
    return finish(out, orientation, request->channels);
}

ls_status ls_image_read(const char *path, int channels, int64_t want_h, int64_t want_w, int64_t limit_bytes,
                        ls_image *out) {
    *out = (ls_image){0};
    FILE *file;
    struct stat about = {0};
    LS_TRY(open_picture(path, &file));
    ls_status status = LS_OK;
    if (fstat(fileno(file), &about) != 0) status = LS_RAISE(LS_ERROR, "cannot be read: %s", strerror(errno));
    ls_decode_request request = {channels, want_h, want_w, limit_bytes, (int64_t)about.st_size};
    if (status == LS_OK) status = read_file(file, &request, out);
    fclose(file);
    if (status == LS_OK) return LS_OK;
    ls_image_release(out);
    return ls_failure_prefix("%s: ", path);
}

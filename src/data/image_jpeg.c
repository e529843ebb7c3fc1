/* image_jpeg.c - decodes JPEG files. Only this file knows libjpeg (libjpeg-turbo). */
#include "data/image_codec_internal.h"

#include <setjmp.h>

#include <jpeglib.h>

#include <jerror.h>

/* An encoder writes about ten scans. A file with thousands of empty scans would take hours: it is an attack. */
enum { SCANS_MAX = 200, EXIF_MARKER = JPEG_APP0 + 1, MARKER_BYTES_MAX = 0xFFFF };

/* The library reports errors by callbacks, which leave by longjmp. The state that must survive that is here; it lives
 * in the frame of ls_jpeg_decode. */
typedef struct reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    char message[JMSG_LENGTH_MAX];
    FILE *file;
    const ls_decode_request *request;
    ls_image *out;
    int orientation;
} reader;

static void on_error(j_common_ptr jpeg) {
    reader *r = jpeg->client_data;
    jpeg->err->format_message(jpeg, r->message);
    longjmp(r->escape, 1);
}

/* The library warns about damage, and invents the missing pixels. As other readers do, we accept odd headers, stray
 * bytes and a damaged stretch, but not a picture whose end is missing: the file ends, or a marker other than the next
 * restart comes too early. */
static void on_message(j_common_ptr jpeg, int level) {
    if (level >= 0) return;
    int marker = ((j_decompress_ptr)jpeg)->unread_marker;
    bool restart = marker >= JPEG_RST0 && marker < JPEG_RST0 + 8;
    int code = jpeg->err->msg_code;
    if (code == JWRN_JPEG_EOF || (code == JWRN_HIT_MARKER && !restart)) on_error(jpeg);
}

static void on_progress(j_common_ptr jpeg) {
    reader *r = jpeg->client_data;
    if (r->jpeg.input_scan_number <= SCANS_MAX) return;
    snprintf(r->message, sizeof r->message, "more than %d scans", SCANS_MAX);
    longjmp(r->escape, 1);
}

static void open_reader(reader *r) {
    r->jpeg.err = jpeg_std_error(&r->errors);
    r->jpeg.client_data = r;
    r->errors.error_exit = on_error;
    r->errors.emit_message = on_message;
    jpeg_create_decompress(&r->jpeg);
    r->progress.progress_monitor = on_progress;
    r->jpeg.progress = &r->progress;
    jpeg_stdio_src(&r->jpeg, r->file);
    jpeg_save_markers(&r->jpeg, EXIF_MARKER, MARKER_BYTES_MAX);
}

static int find_orientation(const struct jpeg_decompress_struct *jpeg) {
    for (jpeg_saved_marker_ptr m = jpeg->marker_list; m != NULL; m = m->next)
        if (m->marker == EXIF_MARKER && ls_exif_signed(m->data, m->data_length))
            return ls_exif_orientation(m->data, m->data_length);
    return LS_ORIENTATION_UPRIGHT;
}

static bool is_cmyk(const struct jpeg_decompress_struct *jpeg) {
    return jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
}

/* Chooses the colours and the scale. Pictures are decoded at full size: the smaller scales (1/2, 1/4, 1/8) blur and
 * shift the picture, photographs by up to 3 of 255, stripes by up to 30. They are only used for pictures that would not
 * fit. */
static void choose_output(reader *r) {
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    bool grey = r->request->channels == 1 || jpeg->jpeg_color_space == JCS_GRAYSCALE;
    jpeg->out_color_space = is_cmyk(jpeg) ? JCS_CMYK : grey ? JCS_GRAYSCALE : JCS_RGB;
    int64_t c = jpeg->out_color_space == JCS_GRAYSCALE ? 1 : 3;
    bool turned = r->orientation >= LS_ORIENTATION_TRANSPOSED;
    int64_t h = turned ? r->request->want_w : r->request->want_h, w = turned ? r->request->want_h : r->request->want_w;
    jpeg->scale_denom = 8;
    for (jpeg->scale_num = 8;; jpeg->scale_num /= 2) {
        jpeg_calc_output_dimensions(jpeg);
        bool fits = ls_image_fits(jpeg->output_height, jpeg->output_width, c, r->request);
        if (fits || jpeg->scale_num == 1 || h <= 0 || w <= 0) return;
        if (jpeg->output_height < 2 * h || jpeg->output_width < 2 * w) return;
    }
}

/* Adobe's programs store ink inverted (255 is no ink), and say so by a marker; others follow the standard. */
static void convert_cmyk(const uint8_t *cmyk, int64_t count, bool inverted, uint8_t *rgb) {
    for (int64_t i = 0; i < count; i++, cmyk += 4)
        for (int k = 0; k < 3; k++) {
            int light = inverted ? cmyk[k] * cmyk[3] : (255 - cmyk[k]) * (255 - cmyk[3]);
            rgb[3 * i + k] = (uint8_t)((light + 127) / 255);
        }
}

static void read_rows(reader *r) {
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    int64_t stride = r->out->w * r->out->c;
    JSAMPARRAY ink = NULL;
    if (is_cmyk(jpeg)) ink = jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, jpeg->output_width * 4, 1);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = r->out->pixels + (int64_t)jpeg->output_scanline * stride;
        jpeg_read_scanlines(jpeg, ink != NULL ? ink : &row, 1);
        if (ink != NULL) convert_cmyk(ink[0], r->out->w, jpeg->saw_Adobe_marker, row);
    }
    jpeg_finish_decompress(jpeg);
}

static ls_status read_picture(reader *r) {
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    open_reader(r);
    jpeg_read_header(jpeg, TRUE);
    r->orientation = find_orientation(jpeg);
    choose_output(r);
    int64_t c = jpeg->out_color_space == JCS_GRAYSCALE ? 1 : 3;
    LS_TRY(ls_image_make(jpeg->output_height, jpeg->output_width, c, r->request, r->out));
    /* A picture in several scans is held in memory as coefficients; the library keeps this limit, or fails. */
    jpeg->mem->max_memory_to_use = r->request->limit_bytes - r->out->h * r->out->w * c;
    jpeg_start_decompress(jpeg);
    read_rows(r);
    return LS_OK;
}

static ls_status read_guarded(reader *r) {
    if (setjmp(r->escape)) return LS_RAISE(LS_INVALID, "damaged or unusual JPEG: %s", r->message);
    return read_picture(r);
}

ls_status ls_jpeg_decode(FILE *file, const ls_decode_request *request, ls_image *out, int *orientation) {
    reader r = {.file = file, .request = request, .out = out};
    ls_status status = read_guarded(&r);
    jpeg_destroy_decompress(&r.jpeg);
    *orientation = r.orientation;
    return status;
}

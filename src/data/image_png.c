/* image_png.c - decodes and writes PNG files. Only this file knows libpng. */
#include "data/image_codec_internal.h"

#include <setjmp.h>
#include <string.h>

#include <png.h>

#include "base/file.h"

enum { MESSAGE_MAX = 256, TEXTS_MAX = 64 };

/* The library leaves by longjmp. The state that must survive that is here; it lives in the frame of the calling
 * function. */
typedef struct codec {
    png_structp png;
    png_infop info;
    jmp_buf escape;
    char message[MESSAGE_MAX];
    /* Of reading: */
    FILE *source;
    const ls_decode_request *request;
    ls_image *out;
    int orientation;
    /* Of writing: */
    ls_file *target;
    const ls_image *in;
} codec;

static void on_error(png_structp png, png_const_charp message) {
    codec *c = png_get_error_ptr(png);
    snprintf(c->message, sizeof c->message, "%s", message);
    longjmp(c->escape, 1);
}

/* Warnings are about side information that we do not use. */
static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

/* --- reading --- */

/* Profiles, compressed texts and other chunks that are not needed are not decompressed. */
static void ignore_side_information(png_structp png) {
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_AS_DEFAULT, (png_const_bytep) "eXIf\0tEXt", 2);
    png_set_chunk_cache_max(png, TEXTS_MAX);
}

/* From the chunk for EXIF data, or from the text that ImageMagick wrote before that chunk existed. */
static int find_orientation(codec *c) {
    png_uint_32 bytes = 0;
    png_bytep data = NULL;
    if (png_get_eXIf_1(c->png, c->info, &bytes, &data)) return ls_exif_orientation(data, bytes);
    png_textp text = NULL;
    for (int i = png_get_text(c->png, c->info, &text, NULL); i-- > 0;)
        if (strcmp(text[i].key, "Raw profile type exif") == 0) return ls_exif_orientation_of_hex(text[i].text);
    return LS_ORIENTATION_UPRIGHT;
}

static uint8_t over_white(uint8_t value, uint8_t alpha) {
    return (uint8_t)((value * alpha + 255 * (255 - alpha) + 127) / 255);
}

/* Pixels of c values and alpha become pixels of c values, in place. */
static void flatten_alpha(ls_image *image) {
    int64_t c = image->c - 1, count = image->h * image->w;
    uint8_t *out = image->pixels;
    for (const uint8_t *in = image->pixels; in < image->pixels + count * (c + 1); in += c + 1)
        for (int64_t k = 0; k < c; k++) *out++ = over_white(in[k], in[c]);
    image->c = c;
}

static void read_rows(codec *c) {
    int passes = png_set_interlace_handling(c->png);
    int64_t stride = c->out->w * c->out->c;
    png_start_read_image(c->png);
    for (int pass = 0; pass < passes; pass++)
        for (int64_t y = 0; y < c->out->h; y++) png_read_row(c->png, c->out->pixels + y * stride, NULL);
    png_read_end(c->png, c->info);
}

static ls_status read_picture(codec *c) {
    ignore_side_information(c->png);
    png_init_io(c->png, c->source);
    png_read_info(c->png, c->info);
    png_set_expand(c->png); /* palettes, fewer bits than 8, and transparent colours */
    png_set_scale_16(c->png);
    c->out->was_deep = png_get_bit_depth(c->png, c->info) > 8;
    int64_t h = png_get_image_height(c->png, c->info), w = png_get_image_width(c->png, c->info);
    bool palette = png_get_color_type(c->png, c->info) == PNG_COLOR_TYPE_PALETTE;
    bool transparent = png_get_valid(c->png, c->info, PNG_INFO_tRNS);
    int64_t channels = (palette ? 3 : png_get_channels(c->png, c->info)) + transparent;
    LS_TRY(ls_image_make(h, w, channels, c->request, c->out));
    read_rows(c);
    if (channels % 2 == 0) flatten_alpha(c->out);
    c->orientation = find_orientation(c); /* it may follow the pixels */
    return LS_OK;
}

static ls_status read_guarded(codec *c) {
    if (setjmp(c->escape)) return LS_RAISE(LS_INVALID, "damaged PNG: %s", c->message);
    return read_picture(c);
}

ls_status ls_png_decode(FILE *file, const ls_decode_request *request, ls_image *out, int *orientation) {
    codec c = {.source = file, .request = request, .out = out, .orientation = LS_ORIENTATION_UPRIGHT};
    c.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &c, on_error, on_warning);
    c.info = c.png != NULL ? png_create_info_struct(c.png) : NULL;
    ls_status status = c.info != NULL ? read_guarded(&c) : LS_RAISE(LS_ERROR, "no memory for the PNG decoder");
    png_destroy_read_struct(&c.png, &c.info, NULL);
    *orientation = c.orientation;
    return status;
}

/* --- writing --- */

static void write_bytes(png_structp png, png_bytep data, size_t bytes) {
    codec *c = png_get_io_ptr(png);
    if (LS_FAILED(ls_file_write(c->target, data, (int64_t)bytes))) longjmp(c->escape, 1);
}

static void write_picture(codec *c) {
    const ls_image *in = c->in;
    png_set_write_fn(c->png, c, write_bytes, NULL);
    png_set_IHDR(c->png, c->info, (png_uint_32)in->w, (png_uint_32)in->h, 8,
                 in->c == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(c->png, c->info);
    for (int64_t y = 0; y < in->h; y++) png_write_row(c->png, in->pixels + y * in->w * in->c);
    png_write_end(c->png, c->info);
}

static ls_status write_guarded(codec *c) {
    if (setjmp(c->escape))
        return c->message[0] != '\0' ? LS_RAISE(LS_ERROR, "%s: %s", c->target->path, c->message) : LS_ERROR;
    write_picture(c);
    return LS_OK;
}

ls_status ls_image_write_png(const char *path, const ls_image *image) {
    ls_file file;
    LS_TRY(ls_file_create(path, &file));
    codec c = {.target = &file, .in = image};
    c.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &c, on_error, on_warning);
    c.info = c.png != NULL ? png_create_info_struct(c.png) : NULL;
    ls_status status = c.info != NULL ? write_guarded(&c) : LS_RAISE(LS_ERROR, "no memory for the PNG encoder");
    png_destroy_write_struct(&c.png, &c.info);
    if (status == LS_OK) return ls_file_commit(&file);
    ls_file_discard(&file);
    return status;
}

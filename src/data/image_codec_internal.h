/* image_codec_internal.h - the decoders of picture formats, as image.c calls them. Each decoder is the only file that
 * knows its library. */
#ifndef LS_DATA_IMAGE_CODEC_INTERNAL_H
#define LS_DATA_IMAGE_CODEC_INTERNAL_H

#include <stdbool.h>
#include <stdio.h>

#include "data/image.h"

enum { LS_ORIENTATION_UPRIGHT = 1, LS_ORIENTATION_TRANSPOSED = 5 /* from 5 on height and width are exchanged */ };

/* What the caller wants; see ls_image_read. */
typedef struct ls_decode_request {
    int channels; /* of the finished picture; a decoder may give 1 or 3 */
    int64_t want_h, want_w, limit_bytes;
    int64_t file_bytes; /* length of the file, which limits the pixels that it can hold */
} ls_decode_request;

/* Local, thread-safe. Reads a picture from the start of the file, with 1 or 3 channels, as it is stored; *orientation
 * (1..8, as in EXIF) says how to turn it upright. The caller frees out->pixels, also after an error. Errors:
 * LS_INVALID, without the file's name; LS_ERROR: no memory. */
ls_status ls_jpeg_decode(FILE *file, const ls_decode_request *request, ls_image *out, int *orientation);
ls_status ls_png_decode(FILE *file, const ls_decode_request *request, ls_image *out, int *orientation);

/* Whether h x w x c values and the finished picture stay within limit_bytes. */
bool ls_image_fits(int64_t h, int64_t w, int64_t c, const ls_decode_request *request);
/* Allocates out->pixels for h x w x c values. Errors: LS_INVALID: the limit is too small, or the file too short for
 * them. */
ls_status ls_image_make(int64_t h, int64_t w, int64_t c, const ls_decode_request *request, ls_image *out);

/* The orientation in a block of EXIF data: a TIFF file, with or without JPEG's signature in front. Upright, if the data
 * has none or is damaged. */
int ls_exif_orientation(const uint8_t *data, int64_t bytes);
/* The same for the text that ImageMagick writes: three lines with a name and the length, then hexadecimal digits. */
int ls_exif_orientation_of_hex(const char *text);
bool ls_exif_signed(const uint8_t *data, int64_t bytes); /* whether it begins with the signature */

/* Whether a file begins like a JPEG or PNG. */
bool ls_image_recognize(const char *path);

#endif

/* image_codec_internal.h - between image.c, which tells files apart and finishes pictures, and the decoders, each the
 * one door to its library. */
#ifndef LS_DATA_IMAGE_CODEC_INTERNAL_H
#define LS_DATA_IMAGE_CODEC_INTERNAL_H

#include <stdbool.h>
#include <stdio.h>

#include "data/image.h"

enum { LS_ORIENTATION_UPRIGHT = 1, LS_ORIENTATION_TRANSPOSED = 5 /* from here on height and width change places */ };

/* How to decode; see ls_image_read. */
typedef struct ls_decode_request {
    int channels; /* of the finished picture; the decoder may give 1 or 3 */
    int64_t want_h, want_w, limit_bytes;
    int64_t file_bytes; /* how long the file is: it must account for the pixels that its header claims */
} ls_decode_request;

/* Local, thread-safe. Reads one picture from the start of the file, with 1 or 3 channels, as it is stored; *orientation
 * (1..8, as in EXIF) says how to turn it upright. What was made of out->pixels is the caller's also after an error.
 * Errors: LS_INVALID, without the file's name; LS_ERROR: memory. */
ls_status ls_jpeg_decode(FILE *file, const ls_decode_request *request, ls_image *out, int *orientation);
ls_status ls_png_decode(FILE *file, const ls_decode_request *request, ls_image *out, int *orientation);

/* Whether h x w x c pixels and the finished picture stay within the limit. */
bool ls_image_fits(int64_t h, int64_t w, int64_t c, const ls_decode_request *request);
/* Makes out->pixels for h x w x c, if that and the finished picture stay within the limit, and the file can hold so
 * many pixels. Errors: LS_INVALID: they do not. */
ls_status ls_image_make(int64_t h, int64_t w, int64_t c, const ls_decode_request *request, ls_image *out);

/* The orientation in a block of EXIF data (a TIFF file, with or without the signature that JPEG puts before it),
 * upright where there is none or it is damaged. */
int ls_exif_orientation(const uint8_t *data, int64_t bytes);
/* The same for ImageMagick's text form: three lines with a name and the length, then hexadecimal digits. */
int ls_exif_orientation_of_hex(const char *text);
bool ls_exif_signed(const uint8_t *data, int64_t bytes); /* whether the signature is there */

/* Whether a file begins as a JPEG or PNG does. */
bool ls_image_recognize(const char *path);

#endif

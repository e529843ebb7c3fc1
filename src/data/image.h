/* image.h - decodes, resizes and writes pictures. Pixels are 8-bit and interleaved, rows go from the top. Local,
 * thread-safe. */
#ifndef LS_DATA_IMAGE_H
#define LS_DATA_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct ls_image {
    int64_t h, w, c; /* c: 1 grey or 3 RGB */
    uint8_t *pixels; /* [h][w][c], owned: ls_image_release */
    bool was_deep;   /* the file has more than 8 bits for each value, of which 8 were kept */
} ls_image;

void ls_image_release(ls_image *image);

/* Decodes a JPEG or PNG file, recognized by its content, into `channels` (1 or 3). All kinds are read: grey, CMYK, 16
 * bits, palette, alpha (over white), interlaced; the EXIF orientation is applied. Memory is limited to limit_bytes,
 * whatever a header claims. A JPEG that would need more is decoded at 1/2, 1/4 or 1/8 of its size, if that is not below
 * want_h x want_w (0: only at its size). A JPEG with stray or wrong bytes is decoded, as other readers do, but its end
 * must be there; a PNG must be whole. Errors: LS_INVALID: the file and the reason; LS_ERROR: no memory, or the disk. */
ls_status ls_image_read(const char *path, int channels, int64_t want_h, int64_t want_w, int64_t limit_bytes,
                        ls_image *out);

typedef enum ls_fit { LS_FIT_CROP, LS_FIT_STRETCH, LS_FIT_PAD, LS_FIT_COUNT } ls_fit;
extern const char *const ls_fit_names[]; /* ended by NULL */

/* Resizes to h x w. An output pixel is the area-weighted mean of the pixels that it covers, or bilinear where the
 * picture is enlarged. crop: the largest middle part of the right proportions; pad: the whole picture with black bars;
 * stretch: the whole picture with other proportions. out->pixels is allocated. Errors: LS_ERROR: no memory. */
ls_status ls_image_resize(const ls_image *image, int64_t h, int64_t w, ls_fit fit, ls_image *out);

/* Writes an 8-bit PNG, whole or not at all (file.h). Errors: LS_ERROR names the file. */
ls_status ls_image_write_png(const char *path, const ls_image *image);

#endif

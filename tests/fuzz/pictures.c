/* pictures.c - JPEG and PNG files, decoded as an import does, and resized. */
#include <assert.h>

#include "data/image.h"
#include "targets.h"

enum { SIDE = 20, LIMIT_BYTES = 16 << 20 };

static void read_picture(const char *path, int channels, int64_t side) {
    ls_image image, resized;
    if (ls_image_read(path, channels, side, side, LIMIT_BYTES, &image) != LS_OK) return;
    assert(image.c == channels && image.h > 0 && image.w > 0 && image.h * image.w * image.c <= LIMIT_BYTES);
    for (ls_fit fit = 0; fit < LS_FIT_COUNT; fit++)
        if (ls_image_resize(&image, SIDE, SIDE + 1, fit, &resized) == LS_OK) ls_image_release(&resized);
    ls_image_release(&image);
}

void fuzz_jpeg(const uint8_t *data, size_t size) {
    const char *path = fuzz_file(data, size);
    read_picture(path, 3, SIDE);
    read_picture(path, 1, 0);
}

void fuzz_png(const uint8_t *data, size_t size) { read_picture(fuzz_file(data, size), size % 2 == 0 ? 1 : 3, SIDE); }

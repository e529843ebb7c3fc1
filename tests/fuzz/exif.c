/* exif.c - EXIF data, as it stands in JPEG and PNG, and as ImageMagick's text. */
#include <assert.h>
#include <stdlib.h>

#include "data/image_codec_internal.h"
#include "targets.h"

void fuzz_exif(const uint8_t *data, size_t size) {
    char *text = fuzz_text(data, size);
    const int binary = ls_exif_orientation(data, (int64_t)size), hex = ls_exif_orientation_of_hex(text);
    assert(binary >= 1 && binary <= 8 && hex >= 1 && hex <= 8);
    free(text);
}

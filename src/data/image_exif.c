/* image_exif.c - reads the orientation of a picture from EXIF data, and nothing else.
 *
 * EXIF 2.3 is a TIFF 6.0 file: a header ("II" or "MM" for the byte order; 42; the offset of the first directory), then
 * directories of 12-byte entries (tag, type, count, value). An entry that is out of bounds or of another type is
 * ignored.
 */
#include "data/image_codec_internal.h"

#include <ctype.h>
#include <string.h>

/* The directory with the orientation comes first, so HEX_BYTES of the data are enough. */
enum { SIGNATURE_BYTES = 6, HEX_BYTES = 4096 };
enum { HEADER_BYTES = 8, ENTRY_BYTES = 12, TYPE_SHORT = 3, TAG_ORIENTATION = 0x0112 };

typedef struct tiff {
    const uint8_t *data;
    bool little;
} tiff;

static uint32_t get16(const tiff *t, int64_t at) {
    uint32_t a = t->data[at], b = t->data[at + 1];
    return t->little ? a | b << 8 : a << 8 | b;
}

static uint32_t get32(const tiff *t, int64_t at) {
    uint32_t a = get16(t, at), b = get16(t, at + 2);
    return t->little ? a | b << 16 : a << 16 | b;
}

bool ls_exif_signed(const uint8_t *data, int64_t bytes) {
    return bytes >= SIGNATURE_BYTES && memcmp(data, "Exif\0\0", SIGNATURE_BYTES) == 0;
}

int ls_exif_orientation(const uint8_t *data, int64_t bytes) {
    if (ls_exif_signed(data, bytes)) {
        data += SIGNATURE_BYTES;
        bytes -= SIGNATURE_BYTES;
    }
    if (bytes < HEADER_BYTES || data[0] != data[1] || (data[0] != 'I' && data[0] != 'M')) return LS_ORIENTATION_UPRIGHT;
    tiff t = {data, .little = data[0] == 'I'};
    int64_t at = get32(&t, 4);
    if (get16(&t, 2) != 42 || at + 2 > bytes) return LS_ORIENTATION_UPRIGHT;
    int64_t entries = get16(&t, at);
    at += 2;
    for (int64_t i = 0; i < entries && at + ENTRY_BYTES <= bytes; i++, at += ENTRY_BYTES) {
        if (get16(&t, at) != TAG_ORIENTATION) continue;
        uint32_t value = get16(&t, at + 8);
        bool valid = get16(&t, at + 2) == TYPE_SHORT && value >= 1 && value <= 8;
        return valid ? (int)value : LS_ORIENTATION_UPRIGHT;
    }
    return LS_ORIENTATION_UPRIGHT;
}

static int hex_value(int c) { return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1; }

int ls_exif_orientation_of_hex(const char *text) {
    uint8_t data[HEX_BYTES];
    int64_t digits = 0;
    for (int line = 0; line < 3 && text != NULL; line++) {
        text = strchr(text, '\n');
        if (text != NULL) text++;
    }
    for (; text != NULL && *text != '\0' && digits < 2 * HEX_BYTES; text++) {
        int value = hex_value((unsigned char)*text);
        if (value < 0) continue;
        data[digits / 2] = (uint8_t)(digits % 2 ? data[digits / 2] | value : value << 4);
        digits++;
    }
    return ls_exif_orientation(data, digits / 2);
}

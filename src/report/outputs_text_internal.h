/* outputs_text_internal.h - words in pictures. Local. */
#ifndef LS_REPORT_OUTPUTS_TEXT_INTERNAL_H
#define LS_REPORT_OUTPUTS_TEXT_INTERNAL_H

#include "data/image.h"

enum { LS_TEXT_HEIGHT = 18 }; /* pixels */

int64_t ls_text_width(const char *text);

/* Draws black letters with their corner at row y, column x; what lies outside of the image is left out. Letters,
 * digits, - and _ are known, anything else is blank. */
void ls_text_draw(const char *text, int64_t y, int64_t x, ls_image *image);

#endif

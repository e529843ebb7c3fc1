/* importers.c - the table of importers, and the options that several of them have. */
#include "data/importers_internal.h"

#include <ctype.h>

const ls_importer_type *const ls_importer_types[] = {
    &ls_import_idx, &ls_import_cifar10, &ls_import_images, &ls_synth_digits, NULL,
};

const char *const ls_channels_names[] = {"1", "3", NULL};

/* Reads digits from *text on, and moves *text behind them. */
static bool parse_side(const char **text, int64_t *side) {
    *side = 0;
    while (isdigit((unsigned char)**text) && *side <= LS_SIDE_MAX) *side = 10 * *side + *(*text)++ - '0';
    return *side >= 1 && *side <= LS_SIDE_MAX;
}

ls_status ls_size_parse(const char *text, int64_t *h, int64_t *w) {
    const char *next = text;
    if (parse_side(&next, h) && *next++ == 'x' && parse_side(&next, w) && *next == '\0') return LS_OK;
    return LS_RAISE(LS_INVALID, "size must be HEIGHTxWIDTH, each 1 to %d, such as 80x80, not '%s'", LS_SIDE_MAX, text);
}

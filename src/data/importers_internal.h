/* importers_internal.h - the importers, for their table, and what they share. */
#ifndef LS_DATA_IMPORTERS_INTERNAL_H
#define LS_DATA_IMPORTERS_INTERNAL_H

#include "data/importer.h"

extern const ls_importer_type ls_import_idx, ls_import_cifar10, ls_import_images, ls_synth_digits, ls_synth_scenes;

enum { LS_SIZE_TEXT_MAX = 24, LS_SIDE_MAX = 16384 };

/* The option "size": "80x80", height first. Errors: LS_INVALID. */
ls_status ls_size_parse(const char *text, int64_t *h, int64_t *w);

#endif

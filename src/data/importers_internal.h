/* importers_internal.h - the importers, for their table, and the options that several of them have. */
#ifndef LS_DATA_IMPORTERS_INTERNAL_H
#define LS_DATA_IMPORTERS_INTERNAL_H

#include "data/importer.h"

extern const ls_importer_type ls_import_idx, ls_import_cifar10, ls_import_images, ls_synth_digits;

enum { LS_SIZE_TEXT_MAX = 24, LS_SIDE_MAX = 16384 };

/* The option "size": "80x80", height first. Errors: LS_INVALID. */
ls_status ls_size_parse(const char *text, int64_t *h, int64_t *w);

/* The option "channels": 1 is grey, 3 is colour. */
extern const char *const ls_channels_names[]; /* ended by NULL */
static inline int64_t ls_channels(int index) { return index == 0 ? 1 : 3; }

#endif

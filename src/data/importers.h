/* importers.h - the importers, for their table, and what they share. */
#ifndef LOCKSTEP_DATA_IMPORTERS_H
#define LOCKSTEP_DATA_IMPORTERS_H

#include "lockstep/importer.h"

extern const ls_importer_type ls_import_idx, ls_import_cifar10, ls_import_images, ls_synth_digits, ls_synth_scenes;

enum { LS_SIZE_TEXT_MAX = 24, LS_SIDE_MAX = 16384 };

/* The option "size": "80x80", height first. Errors: LS_INVALID. */
ls_status ls_size_parse(const char *text, int64_t *h, int64_t *w);

#endif

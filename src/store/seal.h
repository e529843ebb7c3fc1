/* seal.h - the first 512 bytes of a checkpoint, which show whether the file is damaged. Local.
 *
 *   0  "LOCKSTEP"             magic
 *   8  u32 format             1
 *  12  u32 block bytes        4 MiB
 *  16  u64 file bytes         the seal included
 *  24  zeros
 * 496  XXH3-128 (canonical)   over these 496 bytes and the XXH3-128s of the blocks of the rest, the last one short
 *
 * Numbers are little-endian. Each block has a hash of its own, so that threads or ranks could share the work. */
#ifndef LS_STORE_SEAL_H
#define LS_STORE_SEAL_H

#include "base/file.h"

enum { LS_SEAL_BYTES = 512 };

/* Seals a file that is complete except for its first LS_SEAL_BYTES. Errors: LS_ERROR. */
ls_status ls_seal_write(const ls_file *file);

/* Errors: LS_INVALID: not a checkpoint, cut short or damaged, as the message says; LS_ERROR: it cannot be read. */
ls_status ls_seal_verify(const char *path);

#endif

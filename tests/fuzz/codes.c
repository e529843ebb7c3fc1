/* codes.c - codes to decode, three numbers each: from .npy, from .csv, and from the command line. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "run/codes.h"
#include "targets.h"

enum { NUMBERS = 3 };

static void load(ls_status (*read)(const char *path, ls_codes *codes), const uint8_t *data, size_t size) {
    ls_codes codes = {.shape = {1, {NUMBERS, 1, 1, 1}}};
    if (read(fuzz_file(data, size), &codes) == LS_OK) {
        assert(codes.count > 0 && codes.count <= (int64_t)size);
        for (int64_t i = 0; i < codes.count * NUMBERS; i++) assert(isfinite(codes.data[i]));
    }
    ls_free(codes.data);
}

void fuzz_npy(const uint8_t *data, size_t size) { load(ls_codes_load_npy, data, size); }

void fuzz_csv(const uint8_t *data, size_t size) {
    float code[NUMBERS];
    char *text = fuzz_text(data, size);
    load(ls_codes_load_csv, data, size);
    (void)ls_codes_parse(text, NUMBERS, code);
    free(text);
}

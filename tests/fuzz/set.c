/* set.c - "--set path.to.key=value", one a line, on a small config. */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "targets.h"

static const char base[] = "data: {train: a.h5, input: [{rescale: [0, 1]}], validation: none}\n"
                           "model:\n"
                           "  - flatten\n"
                           "  - dense: {units: 3, activation: relu, name: code}\n"
                           "  - dense: 4\n"
                           "loss: mean_squared_error\n"
                           "optimizer: adam\n"
                           "training: {epochs: 2, batch_size: 16}\n";

void fuzz_set(const uint8_t *data, size_t size) {
    enum { SETTINGS = 1000 };
    char *text = fuzz_text(data, size), *rest = text;
    const char *settings[SETTINGS];
    int count = 0;
    for (char *line; count < SETTINGS && (line = strsep(&rest, "\n"));) settings[count++] = line;
    ls_config *config;
    if (ls_config_parse("fuzz.yaml", base, settings, count, &config) == LS_OK) ls_config_destroy(config);
    free(text);
}

/* config.c - YAML as a run's settings. Law: the text that is printed means the same, so it is printed again as it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "targets.h"

void fuzz_config(const uint8_t *data, size_t size) {
    char *text = fuzz_text(data, size);
    ls_config *config, *again;
    if (ls_config_parse("fuzz.yaml", text, NULL, 0, &config) == LS_OK) {
        const bool same = ls_config_parse("fuzz.yaml", config->text, NULL, 0, &again) == LS_OK &&
                          strcmp(config->text, again->text) == 0 && ls_config_compare(config, again, true) == LS_OK;
        if (!same) {
            fprintf(stderr, "%s\nis read as something else: %s\n", config->text, ls_failure_get()->message);
            abort();
        }
        ls_config_destroy(again);
        ls_config_destroy(config);
    }
    free(text);
}

/* checkpoint.c - a checkpoint that somebody forged: the bytes are what follows the seal, and get the seal that fits, so
 * that what is behind the hash is reached. Its settings are read, a model made of them, and its weights read. */
#include <assert.h>

#include "base/memory.h"
#include "config/config.h"
#include "state/checkpoint.h"
#include "store/seal.h"
#include "targets.h"

enum { FLOATS_MAX = 1 << 20 };

static void read_weights(const char *path, ls_model *model) {
    const ls_limits limits = {.max_rows = 1, .threads = 1, .lanes = 1};
    ls_snapshot snapshot = {.model = model};
    if (ls_model_param_count(model) > FLOATS_MAX || ls_model_prepare(model, &limits, false) != LS_OK) return;
    if (ls_alloc(&snapshot.weights, ls_model_flat_count(model), sizeof(float), "weights") == LS_OK) {
        (void)ls_checkpoint_read(path, &snapshot);
        (void)ls_checkpoint_read_common(path, &snapshot);
    }
    ls_free(snapshot.weights);
}

static void use(const char *path, const ls_checkpoint_info *info) {
    ls_config *config;
    ls_pipeline *input, *target;
    ls_model *model;
    if (ls_config_parse(path, info->config, NULL, 0, &config) != LS_OK) return;
    if (ls_config_pipelines(config, &info->data, &input, &target) == LS_OK) {
        const ls_shape in = ls_pipeline_shape(input), out = ls_pipeline_shape(target);
        if (ls_config_model(config, &in, &out, &model) == LS_OK) {
            read_weights(path, model);
            ls_model_destroy(model);
        }
        ls_pipeline_destroy(input);
        ls_pipeline_destroy(target);
    }
    ls_config_destroy(config);
}

void fuzz_checkpoint(const uint8_t *data, size_t size) {
    static const char seal[LS_SEAL_BYTES];
    const char *path = fuzz_file(data, 0);
    ls_file file;
    if (ls_file_create(path, &file) != LS_OK) return;
    ls_status status = ls_file_write(&file, seal, sizeof seal);
    if (status == LS_OK) status = ls_file_write(&file, data, (int64_t)size);
    if (status == LS_OK) status = ls_seal_write(&file);
    if (status == LS_OK) status = ls_file_commit(&file);
    assert(status == LS_OK);
    ls_checkpoint_info info;
    if (ls_checkpoint_inspect(path, &info) != LS_OK) return;
    assert(info.position.epoch >= 0 && info.position.epoch_step >= 0 && info.lanes > 0);
    use(path, &info);
    ls_checkpoint_info_release(&info);
}

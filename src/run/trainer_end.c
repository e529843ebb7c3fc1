/* trainer_end.c - what a run that is over tells: its best epoch, where its results are, and what to do with them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"
#include "run/trainer_parts.h"

static bool has_validation(const ls_config *config) {
    return config->data.split > 0 || config->data.validation.count > 0;
}

static void tell_best(const ls_trainer *t) {
    bool judged = has_validation(t->config) && t->config->training.early_stopping.monitor == LS_MONITOR_VAL_LOSS;
    if (t->position.best_epoch >= 0)
        ls_log_info("best epoch: %" PRId64 " of %" PRId64 ", with %s %.6g; its weights are in %s/checkpoints/best.h5",
                    t->position.best_epoch + 1, t->position.epoch, judged ? "val_loss" : "loss", t->position.best,
                    t->run);
}

/* A picture says most where there are pictures to see, else losses do. A model that was trained without validation data
 * needs to be told what to use. */
static void print_next(const ls_trainer *t, FILE *out) {
    ls_shape target = ls_pipeline_shape(t->session.task.target);
    bool pictures = !t->config->data.target_labels && target.dims == 3 && (target.dim[2] == 1 || target.dim[2] == 3);
    ls_program_print(out);
    fprintf(out, " %s ", pictures ? "reconstruct" : "evaluate");
    ls_word_print(t->run, out);
    if (!has_validation(t->config)) {
        fputs(" --data ", out);
        ls_word_print(ls_dataset_path(t->session.task.train, 0), out);
    }
    if (pictures) fputs(" -o pictures.png", out);
}

void ls_trainer_tell_end(const ls_trainer *t) {
    char *next = NULL;
    size_t bytes = 0;
    tell_best(t);
    FILE *out = open_memstream(&next, &bytes);
    if (out == NULL) return;
    print_next(t, out);
    if (fclose(out) == 0) ls_log_info("%s holds metrics, pictures and checkpoints; next: %s", t->run, next);
    free(next);
}

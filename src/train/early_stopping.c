/* early_stopping.c - see early_stopping.h. Stops as keras.callbacks.EarlyStopping with mode "min" does; the best epoch
 * is that of keras.callbacks.ModelCheckpoint with save_best_only. */
#include "train/early_stopping.h"

#include <stddef.h>

const char *const ls_monitor_names[] = {"val_loss", "loss", NULL};

ls_verdict ls_early_stopping_update(const ls_early_stopping *settings, int64_t parts, double value,
                                    ls_position *position) {
    position->cycle_sum += value;
    if ((position->epoch + 1) % parts != 0) return (ls_verdict){0};
    double mean = position->cycle_sum / (double)parts;
    position->cycle_sum = 0;
    bool improved = mean < position->best; /* false for NaN, and so is what follows */
    if (improved) {
        position->best = mean;
        position->best_epoch = position->epoch;
    }
    position->wait++;
    if (mean + settings->min_delta < position->stopping_best) {
        position->stopping_best = mean;
        position->wait = 0;
    }
    return (ls_verdict){.improved = improved, .stop = ls_early_stopping_is_over(settings, position)};
}

/* With a patience of 0 the first epoch that does not improve is the last, as with 1. */
bool ls_early_stopping_is_over(const ls_early_stopping *settings, const ls_position *position) {
    return settings->enabled && position->wait > 0 && position->wait >= settings->patience;
}

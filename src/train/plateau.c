/* plateau.c - the rules of a plateau in Keras' order, which decides what an epoch at the end of a cooldown counts for.
 */
#include "train/plateau.h"

static bool improves(const ls_plateau *settings, double mean, const ls_position *position) {
    return mean < position->plateau_best - settings->min_delta; /* false for NaN */
}

/* In Keras' order: a cooldown that ends now already counts as over. */
static bool reduces(const ls_plateau *settings, double mean, ls_position *position) {
    if (position->plateau_cooldown > 0) {
        position->plateau_cooldown--;
        position->plateau_wait = 0;
    }
    if (improves(settings, mean, position)) {
        position->plateau_best = mean;
        position->plateau_wait = 0;
        return false;
    }
    if (position->plateau_cooldown > 0 || ++position->plateau_wait < settings->patience) return false;
    position->plateau_cooldown = settings->cooldown;
    position->plateau_wait = 0;
    return true;
}

bool ls_plateau_update(const ls_plateau *settings, int64_t parts, double value, ls_position *position) {
    if (!settings->enabled) return false;
    position->plateau_sum += value;
    if ((position->epoch + 1) % parts != 0) return false;
    double mean = position->plateau_sum / (double)parts;
    position->plateau_sum = 0;
    bool reduced = reduces(settings, mean, position);
    position->lr_reductions += reduced;
    return reduced;
}

double ls_plateau_rate(const ls_plateau *settings, double rate, int64_t reductions) {
    for (int64_t i = 0; i < reductions && rate > settings->min_lr; i++) {
        rate *= settings->factor;
        if (rate < settings->min_lr) rate = settings->min_lr;
    }
    return rate;
}

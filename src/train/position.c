/* position.c - the position of a run that has not begun. */
#include "train/position.h"

#include <math.h>

ls_position ls_position_start(void) {
    return (ls_position){.best = INFINITY, .best_epoch = -1, .stopping_best = INFINITY, .plateau_best = INFINITY};
}

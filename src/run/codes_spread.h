/* codes_spread.h - how the codes of real samples lie: their mean and deviation, number by number. */
#ifndef LS_RUN_CODES_SPREAD_H
#define LS_RUN_CODES_SPREAD_H

#include "run/codes.h"
#include "run/trained.h"

/* Collective. Codes of N(0, 1) become such as the outputs of `layer` for the samples of `t` are: each number times
 * their deviation, and their mean. Errors (agreed): what reading met. */
ls_status ls_codes_spread(const ls_trained *t, int layer, ls_codes *codes);

#endif

/* settle_internal.h - what keeps slots from decaying for ever. Private to optim. */
#ifndef LS_OPTIM_SETTLE_INTERNAL_H
#define LS_OPTIM_SETTLE_INTERNAL_H

/* A slot that only decays would end among the denormal numbers, which many machines add a hundred times slower: it ends
 * at zero. */
static inline float ls_settle(float slot) { return slot < 1e-30f && slot > -1e-30f ? 0.0f : slot; }

#endif

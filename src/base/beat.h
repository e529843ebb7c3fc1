/* beat.h - how work that takes long says that it gets on, for whoever watches (training.stall_timeout). Local,
 * thread-safe. */
#ifndef LS_BASE_BEAT_H
#define LS_BASE_BEAT_H

#include <stdint.h>

void ls_beat(void);
/* How often this process has said so. */
int64_t ls_beats(void);

#endif

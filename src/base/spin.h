/* spin.h - waiting for another thread or process that is nearly there. Local. */
#ifndef LS_BASE_SPIN_H
#define LS_BASE_SPIN_H

#include <stdbool.h>

/* Looks until holds(context). Returns false where that takes more than 50 microseconds: those who do the same work are
 * less apart, and a longer wait is worth a system call. Gives the core away between some looks, for with more threads
 * than cores the one that is waited for may need it. */
bool ls_spin(bool (*holds)(const void *context), const void *context);

#endif

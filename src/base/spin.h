/* spin.h - waiting for another thread or process that is nearly there. Local. */
#ifndef LS_BASE_SPIN_H
#define LS_BASE_SPIN_H

#include <stdbool.h>

/* Looks until holds(context); false where that took more than 50 microseconds: longer than those who do the same work
 * are apart, and what is longer is worth a system call. Gives the core away between some looks: with more threads than
 * cores the one that is waited for may need it. */
bool ls_spin(bool (*holds)(const void *context), const void *context);

#endif

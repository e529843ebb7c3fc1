/* ranks.h - tests that run on several ranks. A failed assertion leaves a test at once, and the other ranks would wait
 * for its rank in the next collective: so these tests assert only what all ranks know. */
#ifndef TESTS_SUPPORT_RANKS_H
#define TESTS_SUPPORT_RANKS_H

#include <stdbool.h>
#include <stddef.h>

#include "par/comm.h"

struct CMUnitTest;

/* The ranks of this run; valid while its tests run. */
extern ls_comm ranks;

/* Collective. Fails the test on all ranks unless the condition holds on all of them; a rank where it does not says so.
 */
#define assert_on_all_ranks(condition) assert_ranks_agree((condition), #condition, __FILE__, __LINE__)
void assert_ranks_agree(bool ok, const char *condition, const char *file, int line);

/* Collective. The same ranks, but those of one host that pass different numbers count as ranks of different hosts. So
 * tests have several hosts on one machine. Give it to free_hosts. */
ls_comm on_hosts(int host);
void free_hosts(ls_comm *comm);

/* Main of a test program: starts MPI, runs the tests, returns the exit status. */
int run_on_ranks(int argc, char **argv, const char *name, const struct CMUnitTest *tests, size_t count);

#endif

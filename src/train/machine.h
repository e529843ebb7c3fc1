/* machine.h - which kernels and how many threads a job computes with. */
#ifndef LS_TRAIN_MACHINE_H
#define LS_TRAIN_MACHINE_H

#include "par/comm.h"
#include "tensor/cpu.h"

/* Collective. From now on all ranks compute with the lowest instruction set of all: kernels of one width give one
 * result. Warns where that is not everyone's. Errors (agreed): those of ls_cpu_detect. */
ls_status ls_machine_choose_isa(const ls_comm *comm, ls_isa *isa);

/* Collective. Threads of this rank: so many as are wanted; 0: OMP_NUM_THREADS, else the host's cores divided by its
 * ranks. A core counts once, however many hardware threads it has. Warns of a binding that is too narrow. */
int ls_machine_threads(const ls_comm *comm, int64_t wanted);

#endif

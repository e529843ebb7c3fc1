# common.sh - what train.sbatch and sweep.sbatch share: the place to fit them to a cluster.
#
# From the environment (for example: LAUNCHER=mpirun sbatch ...):
#   LOCKSTEP_HOME   the project's directory (default: where sbatch is called)
#   LOCKSTEP        the program (default: $LOCKSTEP_HOME/build/lockstep)
#   LAUNCHER        srun (default) or mpirun

# Your cluster's names of what the program was built with:
# module load gcc openmpi hdf5-parallel

LOCKSTEP=${LOCKSTEP:-$LOCKSTEP_HOME/build/lockstep}

# A rank has as many threads as cores (--cpus-per-task), and is bound to its cores, where the cluster can bind. srun no
# longer takes the number from sbatch by itself since Slurm 22.05.
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
export SRUN_CPUS_PER_TASK=$OMP_NUM_THREADS
if scontrol show config | grep -q '^TaskPlugin *=.*affinity'; then export SLURM_CPU_BIND=${SLURM_CPU_BIND:-cores}; fi
export OMPI_MCA_rmaps_base_mapping_policy=${OMPI_MCA_rmaps_base_mapping_policy:-slot:PE=$OMP_NUM_THREADS}

# mpirun gives up a node that it has not heard of for some 20 s; by default it waits for ever.
export OMPI_MCA_oob_tcp_keepalive_time=10 OMPI_MCA_oob_tcp_keepalive_intvl=3 OMPI_MCA_oob_tcp_keepalive_probes=3

# launch WORD...: lockstep on all ranks of the job; when one of them fails, all are ended.
launch() {
    case ${LAUNCHER:-srun} in
    srun) exec srun --mpi=pmix --kill-on-bad-exit=1 "$LOCKSTEP" "$@" ;;
    mpirun) exec mpirun -np "$SLURM_NTASKS" "$LOCKSTEP" "$@" ;;
    esac
}

# train CONFIG [OPTION...]: goes on where the run is, or starts it. Shortly before the time limit Slurm sends USR1 (see
# --signal in the job scripts); it is passed on, Lockstep saves and ends, and the job goes back into the queue, to go on
# on whatever nodes it is given next. Any other end is the job's end: finished (0), failed (1), a wrong config or wrong
# data (2: trying again would not help), scancel.
train() {
    local status=0 limit_reached=
    launch train "$@" --resume &
    local launcher=$!
    trap 'limit_reached=yes; kill -USR1 $launcher' USR1
    wait $launcher || status=$?
    # A trapped signal ends the wait, not what is waited for.
    while kill -0 $launcher 2>/dev/null; do
        status=0
        wait $launcher || status=$?
    done
    # After the signal: 75, saved; or more than 128, where a rank was still starting or was ended with the first one.
    if [ -n "$limit_reached" ] && [ $status -gt 2 ]; then
        echo "time limit near: back into the queue"
        scontrol requeue "$SLURM_JOB_ID"
    fi
    exit $status
}

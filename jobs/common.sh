# common.sh - what train.sbatch and sweep.sbatch share. Change this file to adapt them to a cluster.
#
# These variables of the environment change it, too (for example: LAUNCHER=mpirun sbatch ...):
#   LOCKSTEP_HOME   the project's directory (default: that of the job script, else where sbatch is called)
#   LOCKSTEP        the program (default: $LOCKSTEP_HOME/build/lockstep)
#   LAUNCHER        srun (default) or mpirun, Open MPI's
#   SLURM_MPI_TYPE  how srun connects the ranks, see srun --mpi=list (default: pmix)

# The modules that the program was built with, by your cluster's names:
# module load gcc openmpi hdf5-parallel

LOCKSTEP=${LOCKSTEP:-$LOCKSTEP_HOME/build/lockstep}

# After so many attempts in a row without a new checkpoint, a job is not tried again.
ATTEMPTS=3

# A rank has as many threads as cores (--cpus-per-task), and is bound to its cores where the cluster can bind. Since Slurm
# 22.05 srun does not take that number from sbatch by itself.
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
export SRUN_CPUS_PER_TASK=$OMP_NUM_THREADS
if scontrol show config | grep -q '^TaskPlugin *=.*affinity'; then export SLURM_CPU_BIND=${SLURM_CPU_BIND:-cores}; fi
map_by=${OMPI_MCA_rmaps_base_mapping_policy:-${PRTE_MCA_rmaps_default_mapping_policy:-slot:PE=$OMP_NUM_THREADS}}

# With these, mpirun gives up a host that it has not heard from for some 20 s; by default it waits some 300 s. Open MPI 4
# reads the first line, and Open MPI 5 the second.
export OMPI_MCA_oob_tcp_keepalive_time=10 OMPI_MCA_oob_tcp_keepalive_intvl=3 OMPI_MCA_oob_tcp_keepalive_probes=3
export PRTE_MCA_oob_tcp_keepalive_time=10 PRTE_MCA_oob_tcp_keepalive_intvl=3 PRTE_MCA_oob_tcp_keepalive_probes=3

# The job's name for scontrol and squeue. A task of an array is ARRAY_TASK, since for one of the tasks the number alone means
# the whole array.
job=$SLURM_JOB_ID
[ -z "${SLURM_ARRAY_JOB_ID:-}" ] || job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID

# launch WORD...: runs lockstep on all ranks of the job. When one of them fails, all are ended. If a job has a number of nodes
# and none of tasks, srun starts one rank a node, and mpirun is told to do the same.
launch() {
    case ${LAUNCHER:-srun} in
    srun) exec srun --mpi="${SLURM_MPI_TYPE:-pmix}" --kill-on-bad-exit=1 "$LOCKSTEP" "$@" ;;
    mpirun) exec mpirun -np "${SLURM_NTASKS:-$SLURM_JOB_NUM_NODES}" --map-by "$map_by" "$LOCKSTEP" "$@" ;;
    *) echo "LAUNCHER is '$LAUNCHER'; it can be srun or mpirun"; exit 2 ;;
    esac
}

# is_run DIR: whether a run has begun there: it has logged, recorded an epoch, or saved.
is_run() {
    [ -s "$1/metrics.jsonl" ] || compgen -G "$1/checkpoints/*.h5" >/dev/null || grep -qs '^20[^ ]* *[^ ]*:[0-9][0-9] lockstep' "$1/log.txt"
}

# run_of WORD...: the run's directory, as `lockstep train` finds it.
run_of() {
    local config= run=
    while [ $# -gt 0 ]; do
        case $1 in
        --run) run=${2:-} ;;
        --run=*) run=${1#*=} ;;
        esac
        case $1 in
        --run | --set) shift ;;
        -*) ;;
        *) config=${config:-$1} ;;
        esac
        [ $# = 0 ] || shift
    done
    if [ -n "$run" ]; then
        echo "$run"
    elif [ -d "$config" ]; then
        echo "$config"
    elif [ "${config##*/}" = config.yaml ] && is_run "$(dirname "$config")"; then
        dirname "$config"
    else
        config=${config##*/}
        echo "runs/${config%.*}"
    fi
}

# saved RUN: its checkpoints, each with inode and time, which tell it from an earlier file of the same name.
saved() { stat -c '%n %i %y' "$1"/checkpoints/step-*.h5 2>/dev/null; }

# finished RUN: whether its last start came to the end of the run. Early stopping is an end, too.
finished() {
    awk '$3 == "lockstep" { over = 0 } / holds the metrics and checkpoints; next: / { over = 1 } END { exit !over }' \
        "$1/log.txt" 2>/dev/null
}

# requeue WHY: puts the job back into the queue, unless it was cancelled meanwhile.
requeue() {
    case $(squeue --noheader --jobs="$job" --format=%T) in
    RUNNING) echo "$1: back into the queue" && scontrol requeue "$job" ;;
    esac
}

# try_again RUN WHY: requeues the job after an attempt that brought no new checkpoint, or ends it after ATTEMPTS of them.
try_again() {
    local count="$1/job-$SLURM_JOB_ID.attempts" attempts=0
    [ ! -f "$count" ] || attempts=$(cat "$count")
    attempts=$((attempts + 1))
    if [ $attempts -ge $ATTEMPTS ]; then
        echo "$2, and $attempts attempts brought no new checkpoint: the job ends"
        rm -f "$count"
    else
        mkdir -p "$1" && echo $attempts >"$count" && requeue "$2, attempt $attempts of $ATTEMPTS without a new checkpoint"
    fi
}

# train CONFIG [OPTION...]: starts the run, or continues it.
#
# Shortly before the time limit Slurm sends USR1 (see --signal in the job scripts). It is passed on, Lockstep saves and ends,
# and the job goes back into the queue, to continue on whatever hosts it is given next. The same happens when the job is
# preempted and given the time to save (75), and when a rank or a host is lost (76, or what a launcher makes of it). After any
# other failure (1) it happens only if there is a new checkpoint. A wrong config or wrong data (2) and scancel end the job.
# mpirun may end with 0 although it has lost a host, so 0 counts only if the run's log says that the run is finished.
train() {
    local status=0 why= run before advanced=
    run=$(run_of "$@")
    before=$(saved "$run")
    launch train "$@" --resume &
    local launcher=$!
    trap 'why="time limit near"; kill -USR1 $launcher' USR1
    wait $launcher || status=$?
    # A trapped signal ends the wait, and not the launcher.
    while kill -0 $launcher 2>/dev/null; do
        status=0
        wait $launcher || status=$?
    done
    if [ $status = 0 ] && ! finished "$run"; then
        why=${why:-the launcher ended with 0 before the run was finished}
        status=76
    fi
    case $status in 0 | 2 | 126 | 127) exit $status ;; esac # 126 and 127: there is no such program
    if [ $status = 75 ]; then
        why=${why:-stopped after saving}
        advanced=yes
    fi
    [ "$(saved "$run")" = "$before" ] || advanced=yes
    why=${why:-ended with exit status $status}
    if [ -n "$advanced" ]; then
        rm -f "$run/job-$SLURM_JOB_ID.attempts"
        requeue "$why"
    elif [ $status != 1 ]; then
        try_again "$run" "$why"
    fi
    exit $status
}

# What starts the program: a launcher that MPI knows nothing of ends the job with the cause, on all processes, before anything
# is written; a process alone does not start MPI, and neither does a wrong command line; the exit codes; advice that works; and
# the host that lowers the others' instruction set.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >config.yaml

# launched VARIABLE=VALUE... : three processes that find themselves so started, %r being the process's number.
launched() {
    local process status=()
    for process in 0 1 2; do
        (status=0
        env "${@//%r/$process}" timeout $(patience 20) "$LOCKSTEP" train config.yaml --run mismatch >launched.$process 2>&1 || status=$?
        echo $status >status.$process) &
    done
    wait
    for process in 0 1 2; do
        [ "$(cat status.$process)" = 2 ] || fail "process $process of $*: exit $(cat status.$process): $(cat launched.$process)"
    done
    cat launched.? >messages
    said "started 3 processes"
    [ ! -e mismatch ] || fail "a run was begun under: $*"
}
srun=(SLURM_JOB_ID=7 SLURM_NTASKS=3 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=3 SLURM_PROCID=%r)
launched "${srun[@]}"
grep -q "srun --mpi=pmix" messages || fail "no way out: $(cat messages)"
launched PMI_SIZE=3 PMI_RANK=%r MPI_LOCALNRANKS=3 MPI_LOCALRANKID=%r
launched OMPI_COMM_WORLD_SIZE=3 OMPI_COMM_WORLD_RANK=%r OMPI_COMM_WORLD_LOCAL_SIZE=3

# What only looks like a launcher is none: the shell of a batch job, and of srun --pty.
for shell in "SLURM_JOB_ID=7 SLURM_NTASKS=3 SLURM_PROCID=0" "SLURM_STEP_NUM_TASKS=3 SLURM_PROCID=0 SLURM_PTY_PORT=4000"; do
    quietly env $shell "$LOCKSTEP" train config.yaml --run alone --overwrite
done

# Alone, nothing starts MPI, which login nodes may forbid. (Open MPI would end here, for want of such a component.)
forbidden=(env OMPI_MCA_pml=none_of_this_name OMPI_MCA_ess=none_of_this_name)
quietly "${forbidden[@]}" "$LOCKSTEP" train config.yaml --run forbidden
quietly ranks 2 "$LOCKSTEP" train config.yaml --run two
same_run two forbidden
for command in 'evaluate two' 'encode two -o codes.h5' 'decode two --data codes.h5 -o out.npy' 'reconstruct two -o out.png' \
    'inspect two' 'inspect config.yaml' 'inspect codes.h5' 'bench config.yaml --steps 2' 'synth digits -n 200 -o more.h5'; do
    quietly "${forbidden[@]}" "$LOCKSTEP" $command
done
quietly ranks 3 "$LOCKSTEP" synth digits -n 200 -o others.h5
quietly "$LOCKSTEP" train config.yaml --run more --set data.train=more.h5
quietly "$LOCKSTEP" train config.yaml --run more --resume --set data.train=others.h5 # the same fingerprint

# Nor do a wrong command line and help, on several ranks: one of them speaks.
expect_exit 2 ranks 3 "${forbidden[@]}" "$LOCKSTEP" train config.yaml --run --resume >messages 2>&1
said "--run needs a value, and '--resume' is an option; if it is the value, write --run=--resume"
quietly ranks 3 "${forbidden[@]}" "$LOCKSTEP" help
[ "$(grep -c '^usage:' messages)" = 1 ] || fail "help was printed by several ranks: $(cat messages)"

# Advice that works: a run that goes on keeps its lanes.
expect_exit 2 ranks 9 "$LOCKSTEP" train config.yaml --run nine >messages 2>&1
said "start at most 8 ranks, or add --set training.lanes=16"
expect_exit 2 ranks 9 "$LOCKSTEP" train config.yaml --run two --resume --set training.epochs=2 >messages 2>&1
said "keeps its lanes: start at most 8 ranks"
! grep -q 'training.lanes=' messages || fail "advice that is refused afterwards: $(cat messages)"

# Ranks that are told different things would wait for each other.
expect_exit 2 timeout $(patience 60) mpirun -np 2 sh -c '[ "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = 0 ] || set -- "$@" --resume; exec "$0" "$@"' \
    "$LOCKSTEP" train config.yaml --run different >messages 2>&1
said "rank 1 has other words on its command line than rank 0"

# One rank of two has a lower instruction set.
"$LOCKSTEP" inspect config.yaml >/dev/null
quietly mpirun -np 2 sh -c '[ "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = 0 ] || export LOCKSTEP_ISA=portable; exec "$0" "$@"' \
    "$LOCKSTEP" train config.yaml --run mixed
if ! grep -q '(portable)' <("$LOCKSTEP" train config.yaml --run own 2>&1); then
    grep -q "^lockstep: warning: rank 1 on $(hostname) has no more than portable, and others have avx.*: all compute with portable" \
        messages || fail "who? $(cat messages)"
fi
quietly mpirun -np 2 env LOCKSTEP_ISA=portable "$LOCKSTEP" train config.yaml --run equal
! grep -q 'no more than' messages || fail "$(cat messages)"

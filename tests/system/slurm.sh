# jobs/*.sbatch under a real Slurm of two nodes: a time limit sends the job back into the queue, and it ends with the bits
# of a run that was left alone; with srun and with mpirun. Exit 2 ends a job. A sweep of two.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"
. "$LOCKSTEP_ROOT/tests/cluster/hosts.sh"
. "$LOCKSTEP_ROOT/tests/cluster/slurm.sh"
slurm_needed

small_data
small_config >config.yaml
hosts_up 2
slurm_up 2 4
# The nodes' cores are pretended: nothing can be bound to them, and ranks that wait must let others work.
export OMPI_MCA_rmaps_base_mapping_policy=slot OMPI_MCA_mpi_yield_when_idle=1
export LOCKSTEP_HOME=$LOCKSTEP_ROOT LOCKSTEP

# submit LAUNCHER WORD...: prints the job's number.
submit() { LAUNCHER=$1 on h1 sbatch --parsable --nodes=2 --ntasks-per-node=1 "${@:2}"; }

# job NUMBER FIELD: of what Slurm knows about it.
job() { on h1 scontrol show job "$1" | tr ' ' '\n' | sed -n "s/^$2=//p"; }
ended() { [[ $(job "$1" JobState) == @(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL) ]]; }

# ends NUMBER STATUS: the job does, with this exit status.
ends() {
    await 90 ended "$1"
    [ "$(job "$1" ExitCode)" = "$2:0" ] || fail "job $1 ended with $(job "$1" ExitCode): $(cat ./*-"$1".txt)"
}

# Training that does not end before the limit: it saves after every step, and is given a last epoch once it is requeued.
limited=(--time=1 --signal=B:USR1@55 "$LOCKSTEP_ROOT/jobs/train.sbatch")
long=(--set training.checkpoint.every_steps=1)
for launcher in srun mpirun; do
    sed 's/epochs: 1,/epochs: 1000000,/' config.yaml >$launcher.yaml
    declare $launcher="$(submit $launcher "${limited[@]}" $launcher.yaml --run $launcher "${long[@]}")"
done

# Meanwhile: a wrong config, and a sweep.
sed 's/batch_size/batch_sise/' config.yaml >wrong.yaml
for launcher in srun mpirun; do
    declare wrong_$launcher="$(submit $launcher "$LOCKSTEP_ROOT/jobs/train.sbatch" wrong.yaml)"
done
cat >sweep.txt <<'SWEEP'
config.yaml --run first
config.yaml --run second --set 'optimizer={sgd: {learning_rate: 0.1}}'
SWEEP
sweep=$(submit srun --array=1-2 "$LOCKSTEP_ROOT/jobs/sweep.sbatch" sweep.txt)
for wrong in "$wrong_srun" "$wrong_mpirun"; do
    ends "$wrong" 2
    [ "$(job "$wrong" Restarts)" = 0 ] || fail "a wrong config was tried again"
    grep -q "batch_size" "lockstep-$wrong.txt" || fail "no message: $(cat "lockstep-$wrong.txt")"
done
! grep binding lockstep-*.txt || fail "srun was asked to bind where nothing can be bound"
for run in first second; do
    await 90 test -s $run/metrics.jsonl
done
[ "$(metric first loss)" != "$(metric second loss)" ] || fail "the sweep's settings made no difference"

# goes_on LAUNCHER NUMBER: the job is requeued, then given one more epoch than it has done, and ends.
goes_on() {
    local output=lockstep-$2.txt epochs
    await 120 grep -qs '^time limit near: back into the queue' "$output"
    epochs=$(($(wc -l <"$1/metrics.jsonl") + 1))
    sed "s/epochs: 1,/epochs: $epochs,/" config.yaml >"$1.yaml"
    ends "$2" 0
    grep -q '^lockstep: stopped by a signal after saving' "$output"
    grep -q "^going on from $1/checkpoints" "$output"
}

goes_on srun "$srun" &
with_srun=$!
goes_on mpirun "$mpirun" &
with_mpirun=$!
wait $with_srun
wait $with_mpirun
for launcher in srun mpirun; do
    quietly "$LOCKSTEP" train $launcher.yaml --run whole-$launcher
    same_run whole-$launcher $launcher
done

# jobs/*.sbatch under a real Slurm of two nodes. A time limit sends the job back into the queue, and it ends with the bits of a
# run that was left alone: with srun, with mpirun, and the tasks of an array, each for itself. So do a signal to save and a rank
# that is lost; an attempt that comes to nothing is tried three times; exit 2 and scancel are the end.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"
. "$LOCKSTEP_ROOT/tests/cluster/hosts.sh"
. "$LOCKSTEP_ROOT/tests/cluster/slurm.sh"
slurm_needed

small_data
small_config >config.yaml
hosts_up 2
slurm_up 2 16
# The nodes' cores are pretended: nothing can be bound to them, and ranks that wait must let others work.
export OMPI_MCA_rmaps_base_mapping_policy=slot OMPI_MCA_mpi_yield_when_idle=1
export LOCKSTEP

# submit LAUNCHER WORD...: prints the job's number. Slurm starts a rank a node where it is told nothing else, and tells mpirun
# nothing of it. (This is not the project's directory, and nobody says where that is.)
submit() { LAUNCHER=$1 on h1 sbatch --parsable --nodes=2 "${@:2}"; }

# job NUMBER FIELD: of what Slurm knows about it.
job() { on h1 scontrol show job "$1" | tr ' ' '\n' | sed -n "s/^$2=//p"; }
ended() { [[ $(job "$1" JobState) == @(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL) ]]; }

# ends NUMBER STATUS: the job does, with this exit status.
ends() {
    await 90 ended "$1"
    [ "$(job "$1" ExitCode)" = "$2:0" ] || fail "job $1 ended with $(job "$1" ExitCode): $(cat ./*-"${1/_/-}".txt)"
}

# returned OUTPUT: how often the job that writes it went back into the queue.
returned() { cat "$1" 2>/dev/null | grep -c ': back into the queue$' || true; }
has_returned() { [ "$(returned "$1")" -gt "$2" ]; }

# processes_of RUN: those of its ranks.
processes_of() {
    local process
    for process in $(processes); do
        if tr '\0' '\n' <"/proc/$process/cmdline" | grep -qx -- "$1"; then echo "$process"; fi
    done
}

# Training that does not end before the limit: it saves after every step, and is given a last epoch once it is requeued.
limited=(--time=1 --signal=B:USR1@55 "$LOCKSTEP_ROOT/jobs/train.sbatch")
long=(--set training.checkpoint.every_steps=1)
for launcher in srun mpirun; do
    sed 's/epochs: 1,/epochs: 1000000,/' config.yaml >$launcher.yaml
    declare $launcher="$(submit $launcher "${limited[@]}" $launcher.yaml --run $launcher "${long[@]}")"
done

# Four such runs of an array, of a rank each.
for task in 1 2 3 4; do
    sed 's/epochs: 1,/epochs: 1000000,/' config.yaml >array-$task.yaml
    echo "array-$task.yaml --run 'array $task' --set training.checkpoint.every_steps=1"
done >array.txt
array=$(on h1 sbatch --parsable --nodes=1 --ntasks=1 --array=1-4 "${limited[@]:0:2}" "$LOCKSTEP_ROOT/jobs/sweep.sbatch" array.txt)

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

# A line with a quote too few is refused, not run with what is left of it.
echo "config.yaml --run it's --set seed=1" >bad.txt
bad=$(submit srun --array=1 "$LOCKSTEP_ROOT/jobs/sweep.sbatch" bad.txt)
ends "${bad}_1" 2
grep -q 'bad.txt, line 1' lockstep-sweep-"$bad"-1.txt || fail "$(cat lockstep-sweep-"$bad"-1.txt)"

# What ends without a new checkpoint is tried three times: here a program that is killed at once.
printf '#!/bin/sh\nkill -KILL $$\n' >dies
chmod +x dies
dies=$(LOCKSTEP=$PWD/dies submit srun "$LOCKSTEP_ROOT/jobs/train.sbatch" config.yaml --run dead)

# A signal to save that is not the time limit's, as preemption sends it, a rank that is lost, and scancel.
sed 's/epochs: 1,/epochs: 1000000,/' config.yaml >told.yaml
told=$(submit srun "$LOCKSTEP_ROOT/jobs/train.sbatch" told.yaml --run told "${long[@]}")
await 90 grep -qs . told/metrics.jsonl
on h1 scancel --signal=TERM "$told"
await 30 has_returned lockstep-"$told".txt 0
grep -q '^stopped after saving: back into the queue' lockstep-"$told".txt || fail "$(cat lockstep-"$told".txt)"
going_on() { [ "$(grep -c '^continuing from' lockstep-"$told".txt)" -ge "$1" ]; }
await 60 going_on 1
sleep 1
kill -KILL "$(processes_of told | head -n 1)"
await 60 has_returned lockstep-"$told".txt 1
await 60 going_on 2
on h1 scancel "$told"
await 30 ended "$told"
[ "$(job "$told" JobState)" = CANCELLED ] && [ "$(returned lockstep-"$told".txt)" = 2 ] || fail "$(cat lockstep-"$told".txt)"

# goes_on RUN NUMBER OUTPUT CONFIG: the job is requeued, is given one more epoch than it has done while it waits in the queue, and
# ends. It was restarted as often as it asked for it.
goes_on() {
    local run=$1 number=$2 output=$3 config=$4 epochs
    await 180 has_returned "$output" "$(returned "$output")"
    grep -q '^time limit near: back into the queue' "$output" || fail "$(cat "$output")"
    epochs=$(($(wc -l <"$run/metrics.jsonl") + 1))
    sed "s/epochs: 1,/epochs: $epochs,/" config.yaml >"$config.new"
    mv "$config.new" "$config"
    ends "$number" 0
    grep -q '^lockstep: stopped by a signal after saving' "$output"
    grep -q "^continuing from $run/checkpoints" "$output"
    [ "$(job "$number" Restarts)" = "$(returned "$output")" ] ||
        fail "job $number was restarted $(job "$number" Restarts) times: $(cat "$output")"
    "$LOCKSTEP" train "$config" --run "whole $run" >"messages of $run" 2>&1 || fail "$(cat "messages of $run")"
    same_run "whole $run" "$run"
}

waiting=()
for launcher in srun mpirun; do
    goes_on $launcher "${!launcher}" lockstep-"${!launcher}".txt $launcher.yaml &
    waiting+=($!)
done
for task in 1 2 3 4; do
    goes_on "array $task" "${array}_$task" lockstep-sweep-"$array"-$task.txt array-$task.yaml &
    waiting+=($!)
done
for process in "${waiting[@]}"; do wait "$process"; done

ends "$dies" 137
[ "$(job "$dies" Restarts)" = 2 ] && grep -q '3 attempts brought no new checkpoint' lockstep-"$dies".txt ||
    fail "restarted $(job "$dies" Restarts) times: $(cat lockstep-"$dies".txt)"

# A rank that hangs, in training or between epochs, ends the job: the others name it and its host, and the run goes on later. A
# process that is suspended for a while and goes on, as queues do it, is no hang.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >config.yaml
stall_s=$(patience 4)
train=("$LOCKSTEP" train config.yaml --run run --resume --set training.epochs=1000000 --set training.stall_timeout=$stall_s)

# A validation that takes longer than the timeout gets on all the while, batch by batch; so does what TensorBoard is shown of it.
quietly "$LOCKSTEP" synth digits -n 60000 --seed 2 -o many.h5
validated_for() { sed -nE 's/.*"validation_s": \[([^,]*),.*/\1/p' long/metrics.jsonl; }
short_s=$(patience 1)
long=("$LOCKSTEP" train config.yaml --run long --overwrite --set data.validation='many/*.h5' --set training.stall_timeout=$short_s
    --set 'training.tensorboard={}')
mkdir many
for copies in {1..40}; do # until this machine is slow enough
    ln many.h5 many/$copies.h5
    quietly ranks 2 "${long[@]}"
    [ "$(metric long val_loss)" != null ] || fail "nothing was validated: $(cat long/metrics.jsonl)"
    ! awk "BEGIN { exit !($(validated_for) > 2 * $short_s) }" || break
done
awk "BEGIN { exit !($(validated_for) > 2 * $short_s) }" || fail "the validation was too short to tell: $(cat long/metrics.jsonl)"

an_epoch_more() { [ "$(cat run/metrics.jsonl 2>/dev/null | wc -l)" -gt "$1" ]; }
rank_of() { tr '\0' '\n' <"/proc/$1/environ" | sed -nE 's/^(OMPI_COMM_WORLD|PMI)_RANK=//p'; }

is_open_mpi() { mpirun --version | grep -q 'Open MPI'; }

# hung RANK NUMBER: a rank of so many stops, for good.
hung() {
    local epochs=0 process begin status=0
    [ ! -f run/metrics.jsonl ] || epochs=$(wc -l <run/metrics.jsonl)
    ranks "$2" "${train[@]}" >messages 2>&1 &
    await 60 an_epoch_more "$epochs"
    for process in $(processes); do
        [ "$(rank_of "$process")" != "$1" ] || kill -STOP "$process"
    done
    begin=$EPOCHSECONDS
    wait $! || status=$?
    # Of several statuses MPICH's mpirun returns the first rank's, which it has killed where that one stood still.
    [ $status = 76 ] || { [ $status = 9 ] && ! is_open_mpi; } ||
        fail "exit status $status, expected 76: $(cat messages)"
    [ $((EPOCHSECONDS - begin)) -le $((stall_s + $(patience 8))) ] || fail "it took $((EPOCHSECONDS - begin)) s: $(cat messages)"
    [ "$(grep -c "nothing has moved for $stall_s s" messages)" = 1 ] || fail "one message was expected: $(cat messages)"
    grep -q "; rank $1 on $(hostname) does not answer; the job is ended" messages || fail "who? $(cat messages)"
    await 10 nobody_left
}

hung 1 2
hung 2 3
hung 0 3

# A start-up that hangs, here of rank 0 on a file that its disk does not open, and an evaluation.
mkdir hanging
touch hanging/metrics.jsonl
fault=(env LD_PRELOAD="$(dirname "$LOCKSTEP")/tests/faults.so" FAULT_PATH=/hanging/metrics.jsonl FAULT_CALL=open FAULT_AT=1 FAULT_HOW=hang)
expect_exit 76 timeout $(patience 60) mpirun -np 2 "${fault[@]}" "$LOCKSTEP" train config.yaml --run hanging --resume --set training.stall_timeout=$stall_s >messages 2>&1
grep -q "nothing has moved for $stall_s s (training.stall_timeout): rank 0 on $(hostname) is starting; .*; the job is ended$" messages ||
    fail "$(cat messages)"
await 10 nobody_left
ranks 2 "$LOCKSTEP" encode run --data many.h5 -o codes.csv >messages 2>&1 &
await 60 test -s codes.csv.part
for process in $(processes); do
    [ "$(rank_of "$process")" != 1 ] || kill -STOP "$process"
done
expect_exit 76 wait $!
grep -q "; rank 1 on $(hostname) does not answer; the job is ended$" messages || fail "who? $(cat messages)"
await 10 nobody_left

# The launcher is gone, and with it whoever would end the ranks: one that waits for another in a step sees it, and says so where
# it can. (Epochs are long here, so that it is a step.)
mpirun -np 2 "$LOCKSTEP" train config.yaml --run orphan --set data.train=many.h5 --set data.validation.split=0.001 \
    --set training.epochs=1000000 --set training.checkpoint.every_epochs=0 >messages 2>&1 &
job=$!
await 60 test -s orphan/log.txt
sleep 1
for process in $(processes); do
    if [ "$(rank_of "$process")" = 1 ]; then other=$process; fi
done
kill -STOP "$other"
sleep 1
kill -KILL $job
# MPICH's launcher has a process beside the ranks, which ends them at once.
gone() { grep -q 'lockstep: rank 0: on .* the launcher is gone' orphan/log.txt || { ! is_open_mpi && nobody_left; }; }
await 20 gone
kill -CONT "$other" 2>/dev/null || ! is_open_mpi
await 20 nobody_left

# All of the job, mpirun too, for longer than the timeout.
mpirun -np 2 "${train[@]}" >messages 2>&1 &
job=$!
epochs=$(wc -l <run/metrics.jsonl)
await 60 an_epoch_more "$epochs"
everyone="$job $(processes)"
kill -STOP $everyone
sleep $((stall_s + 2))
kill -CONT $everyone
epochs=$(wc -l <run/metrics.jsonl)
await 60 an_epoch_more $((epochs + 1))
kill -USR1 $job
expect_exit 75 wait $job

# What was ended went on, and ends as if nothing had happened.
epochs=$(($(wc -l <run/metrics.jsonl) + 1))
quietly ranks 3 "$LOCKSTEP" train config.yaml --run run --resume --set training.epochs=$epochs
quietly "$LOCKSTEP" train config.yaml --run whole --set training.epochs=$epochs
same_run whole run

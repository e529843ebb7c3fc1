# A stop signal, to one rank or to mpirun, saves at the next step and ends all ranks with 75; --resume goes on to the end that
# the run would have had.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >config.yaml
train=("$LOCKSTEP" train config.yaml --set training.epochs=8 --set training.checkpoint.every_epochs=0)
quietly ranks 2 "${train[@]}" --run whole

an_epoch_more() { [ "$(wc -l 2>/dev/null <run/metrics.jsonl)" -gt "$1" ]; }
last_process() { processes | tail -n 1; }

# stopped SIGNAL WHOM COMMAND...: sends it when the run is an epoch further; WHOM prints an id, $! is the command's.
stopped() {
    local signal=$1 whom=$2 epochs=0 status=0
    [ ! -f run/metrics.jsonl ] || epochs=$(wc -l <run/metrics.jsonl)
    "${@:3}" --run run --resume >messages 2>&1 &
    await 60 an_epoch_more "$epochs"
    kill -"$signal" "$("$whom" $!)"
    wait $! || status=$?
    [ $status = 75 ] || fail "exit status $status, expected 75: $(cat messages)"
    [ "$(grep -c '^lockstep: stopped by a signal after saving epoch .* go on with --resume$' messages)" = 1 ] ||
        fail "one message was expected: $(cat messages)"
    await 10 nobody_left
}

itself() { echo "$1"; }

stopped TERM last_process mpirun -np 4 "${train[@]}"
stopped INT last_process mpirun -np 3 "${train[@]}"
stopped USR1 itself mpirun -np 2 "${train[@]}"
stopped TERM itself "${train[@]}"
quietly ranks 3 "${train[@]}" --run run --resume
same_run whole run

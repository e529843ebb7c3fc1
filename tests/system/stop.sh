# A stop signal, to one rank or to mpirun, saves at the next step and ends all ranks with 75; --resume goes on to the end that
# the run would have had.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >config.yaml
train=("$LOCKSTEP" train config.yaml --set training.checkpoint.every_epochs=0)

# stopped SIGNAL WHOM COMMAND...: sends it when the run is an epoch further; WHOM prints an id, given the command's.
stopped() {
    local signal=$1 whom=$2 before status=0
    before=$(epochs_of run)
    "${@:3}" --run run --resume --set training.epochs=1000000 >messages 2>&1 &
    await 60 further_than "$before"
    [ "$before" != 0 ] || refuses_another
    kill -"$signal" "$("$whom" $!)"
    wait $! || status=$?
    [ $status = 75 ] || fail "exit status $status, expected 75: $(cat messages)"
    [ "$(grep -c '^lockstep: stopped by a signal after saving epoch .* continue it with --resume$' messages)" = 1 ] ||
        fail "one message was expected: $(cat messages)"
    await 10 nobody_left
}

further_than() { [ "$(epochs_of run)" -gt "$1" ]; }
last_rank() { processes | tail -n 1; }
itself() { echo "$1"; }

# One training at a time in a directory.
refuses_another() {
    expect_exit 1 "${train[@]}" --run run --resume 2>refused
    grep -q '^lockstep: error: another process is training in run' refused || fail "$(cat refused)"
}

stopped TERM last_rank mpirun -np 4 "${train[@]}"
stopped INT last_rank mpirun -np 3 "${train[@]}"
stopped USR1 itself mpirun -np 2 "${train[@]}"
stopped TERM itself "${train[@]}"
stopped HUP itself "${train[@]}"

# Before the first step there is nothing to save: TERM ends a start-up that hangs, here on a file that its disk does not open.
mkdir hanging
touch hanging/metrics.jsonl
fault=(env LD_PRELOAD="$(dirname "$LOCKSTEP")/tests/faults.so" FAULT_PATH=/hanging/metrics.jsonl FAULT_CALL=open FAULT_AT=1 FAULT_HOW=hang)
"${fault[@]}" "${train[@]}" --run hanging --resume 2>messages &
hanging=$!
is_open() { readlink "/proc/$hanging/fd/"* | grep -qx "$PWD/hanging"; }
await 20 is_open
sleep 0.5
kill -TERM $hanging
expect_exit 143 wait $hanging

epochs=$(($(epochs_of run) + 1))
quietly ranks 3 "${train[@]}" --run run --resume --set training.epochs=$epochs
quietly ranks 2 "${train[@]}" --run whole --set training.epochs=$epochs
same_run whole run

# A failure's status stands: TERM, which launchers send when the first rank has left with it, does not replace it. Here the
# process comes no further than its message, for which the pipe has no room.
ignores_term() { (($((16#$(sed -n 's/^SigIgn:\s*//p' "/proc/$1/status"))) & 1 << 14)); }
sed 's/batch_size/batch_sise/' config.yaml >wrong.yaml
mkfifo pipe
exec 8<>pipe
dd if=/dev/zero of=pipe bs=4k count=1000 oflag=nonblock 2>/dev/null || true
"$LOCKSTEP" train wrong.yaml 2>pipe &
failing=$! status=0
await 20 ignores_term $failing
kill -TERM $failing
sleep 0.1
head -c 8192 <&8 >/dev/null
wait $failing || status=$?
[ $status = 2 ] || fail "exit status $status, expected 2"

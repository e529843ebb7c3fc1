# A disk that fails under a run: at one of the system's calls after the other, on any file of the run directory, while a run
# starts, is written over, or goes on. Each ends with 0, or with 1 and one message, or where it was killed; and then goes on to
# the bits of a run that was left alone. And a disk that is slow is waited for, and one that hangs is not. A part of the calls;
# all of them with --full.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"
hows=(EIO ENOSPC EINTR ENOMEM EMFILE short end kill tear)
points=6 # of each sweep

quietly "$LOCKSTEP" synth digits -n 230 -o digits.h5
small_config >config.yaml
faulty=(env LD_PRELOAD="$(dirname "$LOCKSTEP")/tests/faults.so" FAULT_PATH="$PWD/run/")
train=("$LOCKSTEP" train config.yaml --set training.images=0 --set training.checkpoint.every_steps=2)
quietly "${train[@]}" --run whole --set training.epochs=2
quietly "${train[@]}" --run begun

# fresh BEFORE: run is a copy of it; '': it is not there.
fresh() {
    rm -rf run
    [ -z "$1" ] || cp -a "$1" run
}

# check AT HOW STATUS
check() {
    case $2:$3 in
    *:0 | kill:137 | tear:137) ;;
    *:1) [ "$(grep -c '^lockstep: error: ' messages)" = 1 ] || fail "$2 at call $1: $(cat messages)" ;;
    *) fail "$2 at call $1: exit status $3: $(cat messages)" ;;
    esac
}

# sweep BEFORE OPTION...
sweep() {
    local before=$1 calls step at how number=0 status
    shift
    fresh "$before"
    rm -f calls
    quietly "${faulty[@]}" FAULT_LOG="$PWD/calls" "${train[@]}" --run run "$@"
    calls=$(wc -l <calls)
    [ "$calls" -gt 50 ] || fail "only $calls calls: $(cat calls)"
    [ "$LOCKSTEP_TEST_FULL" = 1 ] && step=1 || step=$((calls / points))
    for ((at = 1 + RANDOM % step; at <= calls; at += step)); do
        how=${hows[number++ % ${#hows[@]}]}
        fresh "$before"
        status=0
        timeout -k 1 "$(patience 120)" "${faulty[@]}" FAULT_AT=$at FAULT_HOW="$how" "${train[@]}" --run run "$@" >messages 2>&1 || status=$?
        check $at "$how" $status
        quietly "${train[@]}" --run run --resume --set training.epochs=2
        same_run whole run
    done
}

sweep '' --set training.epochs=2
sweep begun --resume --set training.epochs=2
sweep begun --overwrite --set training.epochs=2

# slowly CALL RANK: of all such calls on checkpoints of this rank, each takes a part of the timeout longer, and all together more
# than the timeout.
slowly() {
    local stall_s
    stall_s=$(patience 5)
    rm -f calls
    quietly ranks 2 env LD_PRELOAD="$(dirname "$LOCKSTEP")/tests/faults.so" FAULT_PATH=/run/checkpoints/step FAULT_CALL="$1" \
        FAULT_RANK="$2" FAULT_AT=1 FAULT_FROM=1 FAULT_HOW=slow FAULT_SLOW_MS=$((stall_s * 60)) FAULT_LOG="$PWD/calls" \
        "${train[@]}" --run run --resume \
        --set training.checkpoint.every_steps=0 --set training.epochs=2 --set training.stall_timeout="$stall_s"
    [ "$(wc -l <calls)" -gt 20 ] || fail "too few calls to tell: $(cat calls)"
    same_run whole run
}
fresh begun
slowly write 0
fresh begun
slowly read 1

stall_s=$(patience 3)
fresh begun
expect_exit 76 timeout "$(patience 120)" "${faulty[@]}" FAULT_CALL=write FAULT_PATH=/run/checkpoints/step FAULT_AT=5 FAULT_HOW=hang "${train[@]}" \
    --run run --resume --set training.epochs=2 --set training.stall_timeout="$stall_s" >messages 2>&1
grep -q "nothing has moved for $stall_s s (training.stall_timeout): rank 0 on $(hostname) is saving a checkpoint" messages ||
    fail "$(cat messages)"
quietly "${train[@]}" --run run --resume --set training.epochs=2
same_run whole run

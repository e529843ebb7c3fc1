# A short run is killed at a random instant, by SIGKILL to a random rank of a random number, and goes on on another random
# number: it ends with the bits of a run that was left alone, and no checkpoint that last.h5 has ever named is refused. Saves
# after every step, so that many kills fall into one. LOCKSTEP_KILLS says how often (5; 200 with --full).
. "$LOCKSTEP_ROOT/tests/system/lib.sh"
kills=${LOCKSTEP_KILLS:-$([ "$LOCKSTEP_TEST_FULL" = 1 ] && echo 200 || echo 5)}

quietly "$LOCKSTEP" synth digits -n 200 -o digits.h5
small_config >config.yaml

# train RANKS OPTION...
train() {
    mpirun -np "$1" "$LOCKSTEP" train config.yaml --set training.epochs=4 --set training.images=0 \
        --set training.checkpoint.every_steps=1 "${@:2}"
}
millis() { echo $((${EPOCHREALTIME/./} / 1000)); }

quietly train 1 --run whole
begin=$(millis)
quietly train 2 --run timed
lasts=$(($(millis) - begin))

# killed RANKS MILLISECONDS: false where the run was over before; then runs are timed as shorter than they were, when the machine
# was busy.
killed() {
    local ids status=0
    train "$1" --run run >messages 2>&1 &
    sleep "$(($2 / 1000)).$(printf %03d $(($2 % 1000)))"
    ids=($(processes))
    if [ ${#ids[@]} -gt 0 ]; then kill -KILL "${ids[RANDOM % ${#ids[@]}]}" 2>/dev/null || true; fi
    wait $! || status=$?
    await 10 nobody_left
    [ $status = 0 ] || return 0
    [ "$2" -lt 200 ] || lasts=$(((lasts + $2) / 2))
    return 1
}

announced() { readlink run/checkpoints/last.h5 2>/dev/null | sed 's/step-0*\([0-9]*\)\.h5/\1/'; }

# taken_up: the step at which the resumed run says it goes on, or was finished already.
taken_up() {
    if grep -q '^run is finished: ' messages; then announced; else
        sed -n 's#^continuing from run/checkpoints/step-0*\([0-9]*\)\.h5: .*#\1#p' messages
    fi
}

# sweep WORKER KILLS: in a directory of its own, so that two can take turns in waiting. It is Open MPI's, too: a job that
# ends removes the directory in which another one, that does not know of it, is about to make its own.
sweep() {
    local count=0 in_write=0 seed=$RANDOM$1 ranks others after what step
    RANDOM=$seed
    mkdir "$1"
    cd "$1"
    export TMPDIR=$PWD
    ln -s ../digits.h5 ../config.yaml ../whole .
    while [ $count -lt "$2" ]; do
        rm -rf run
        ranks=$((RANDOM % 4 + 1)) others=$((RANDOM % 4 + 1)) after=$((RANDOM % lasts))
        killed $ranks $after || continue
        count=$((count + 1))
        what="seed $seed, kill $count: $ranks ranks after $after ms, $others ranks after that"
        step=$(announced || true)
        [ -z "$(find run -name '*.part' 2>/dev/null)" ] || in_write=$((in_write + 1))
        train $others --run run --resume >messages 2>&1 || fail "$what: exit status $?: $(cat messages)"
        ! grep -q warning messages || fail "$what: $(cat messages)"
        [ -z "$step" ] || [ "$(taken_up)" -ge "$step" ] || fail "$what: step $step was lost: $(cat messages)"
        same_run whole run || fail "$what"
    done
    echo "$count kills, $in_write of them while a checkpoint was written"
}

sweep 1 $((kills / 2)) &
first=$!
sweep 2 $((kills - kills / 2)) &
second=$!
status=0
wait $first || status=$?
wait $second || status=$?
exit $status

# Nothing is lost: a run whose ranks are killed at any instant, and that goes on on other numbers of ranks, ends with the bits
# of one that was left alone.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >config.yaml
train() { # train RANKS RUN OPTION...
    ranks "$1" "$LOCKSTEP" train config.yaml --run "$2" "${@:3}"
}

# killed RANKS: goes on with the run, and kills one of its ranks when it has saved some more checkpoints. It does so after every
# step, so that many are killed in the middle of that.
killed() {
    local newest ids
    newest=$(readlink run/checkpoints/last.h5 || true)
    train "$1" run --resume --set training.epochs=1000000 --set training.checkpoint='{every_steps: 1, keep: 3}' \
        >messages 2>&1 &
    await 60 saved_more "$newest"
    ids=($(processes))
    kill -KILL "${ids[RANDOM % ${#ids[@]}]}"
    ! wait $! || fail "killed, and yet successful: $(cat messages)"
    await 10 nobody_left
}

saved_more() {
    local now
    now=$(readlink run/checkpoints/last.h5) && [ "$now" != "$1" ]
}

for number in 4 2 3 1; do killed $number; done
if [ "$LOCKSTEP_TEST_FULL" = 1 ]; then
    for ((i = 0; i < 40; i++)); do killed $((RANDOM % 4 + 1)); done
fi

# The newest checkpoint is damaged: it is named, and the one before it is taken.
newest=$(ls run/checkpoints/step-*.h5 | tail -n 1) # last.h5 may be a step behind, where the kill came before it
printf X | dd of="$newest" bs=1 seek=2000 conv=notrunc 2>/dev/null
touch run/checkpoints/step-0000009999.h5.part
epochs=$(($(epochs_of run) + 2))
quietly train 2 run --resume --set training.epochs=$epochs
grep -q "^lockstep: warning: $newest: damaged.*passing it over" messages || fail "no warning: $(cat messages)"
grep -q '^continuing from run/checkpoints/step-' messages || fail "it did not go on: $(cat messages)"
[ -z "$(find run -name '*.part')" ] || fail "left behind: $(find run -name '*.part')"
quietly train 2 whole --set training.epochs=$epochs
same_run whole run
[ "$(ls run/images)" = "$(ls whole/images)" ] || fail "pictures: $(ls run/images)"

# Without numbered checkpoints there is nothing to go on from: the run starts again, says so, and keeps nothing.
cp -a run bare
rm bare/checkpoints/step-*
quietly train 2 bare --resume --set training.epochs=1
grep -q "^lockstep: warning: bare holds no checkpoint to go on from: the run starts again, in place of the $epochs epochs" messages || fail "$(cat messages)"
quietly train 2 fresh --set training.epochs=1
same_run fresh bare
"$LOCKSTEP" inspect --diff fresh/checkpoints/best.h5 bare/checkpoints/best.h5 >&2
[ "$(ls bare/images)" = epoch-0001.png ] || fail "pictures: $(ls bare/images)"

# A run that is finished has nothing to do, and does nothing.
find run -type f ! -name log.txt -exec md5sum {} + >before
quietly train 3 run --resume --set training.epochs=$epochs
grep -q '^run is finished' messages || fail "$(cat messages)"
md5sum --quiet -c before
# Unless it is given more epochs.
quietly train 3 run --resume --set training.epochs=$((epochs + 1))
quietly train 1 whole --resume --set training.epochs=$((epochs + 1))
same_run whole run

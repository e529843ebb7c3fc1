# Nothing is lost: a run whose ranks are killed at any instant, and that goes on on other numbers of ranks, ends with the bits
# of one that was left alone.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >config.yaml
epochs=8
[ "$LOCKSTEP_TEST_FULL" = 1 ] && epochs=40

# train RANKS RUN OPTION...
train() {
    ranks "$1" "$LOCKSTEP" train config.yaml --run "$2" --set training.epochs=$epochs "${@:3}"
}
often='--set training.checkpoint.every_steps=1 --set training.checkpoint.keep=3'

quietly train 2 whole

# killed RANKS OPTION...: kills one of the ranks when the run has saved some more checkpoints.
killed() {
    local newest ids
    newest=$(readlink run/checkpoints/last.h5 || true)
    train "$1" run --resume $often "${@:2}" >messages 2>&1 &
    await 60 saved_more "$newest"
    ids=($(processes))
    kill -KILL "${ids[RANDOM % ${#ids[@]}]}"
    ! wait $! || fail "the run was over before it was killed"
    await 10 nobody_left
}

saved_more() {
    local now
    now=$(readlink run/checkpoints/last.h5 2>/dev/null) || return 1
    [ "$now" != "$1" ]
}

# At random instants, most of them while a checkpoint is written: one is, after every step.
killed 4
killed 2
killed 3
killed 1
if [ "$LOCKSTEP_TEST_FULL" = 1 ]; then
    for ((i = 0; i < 20; i++)); do
        killed $((RANDOM % 4 + 1))
    done
fi

# The newest checkpoint is damaged: it is named, and the one before it is taken.
newest=run/checkpoints/$(readlink run/checkpoints/last.h5)
printf X | dd of="$newest" bs=1 seek=2000 conv=notrunc 2>/dev/null
touch run/checkpoints/step-0000009999.h5.part
quietly train 2 run --resume
grep -q "^lockstep: warning: $newest: damaged.*passing it over" messages || fail "no warning: $(cat messages)"
grep -q '^going on from run/checkpoints/step-' messages || fail "it did not go on: $(cat messages)"
same_run whole run
[ -z "$(find run -name '*.part')" ] || fail "left behind: $(find run -name '*.part')"
[ "$(ls run/images | wc -l)" = $epochs ]

# A run that is finished has nothing to do, and does nothing.
find run -type f ! -name log.txt -exec md5sum {} + >before
quietly train 3 run --resume
grep -q '^run is finished' messages
md5sum --quiet -c before
# Unless it is given more epochs.
epochs=$((epochs + 1))
quietly train 2 run --resume
quietly train 1 whole --resume
same_run whole run

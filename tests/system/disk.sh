# A disk that fills up, or that cannot be written to, ends the run on all ranks; what was saved goes on elsewhere.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

# In a mount namespace of its own, which needs rights that not every machine gives.
if [ -z "${DISK_OF_OUR_OWN:-}" ]; then
    unshare --mount true 2>/dev/null && namespace='unshare --mount' || namespace='unshare --mount --map-root-user'
    mkdir disk
    $namespace mount -t tmpfs none disk 2>/dev/null || skip "no rights to mount a small disk"
    export DISK_OF_OUR_OWN=1
    exec $namespace bash "$0"
fi

small_data
small_config >config.yaml
full() { # full RANKS COMMAND...: it ends with a full disk
    expect_exit 1 ranks "$1" timeout $(patience 60) "$LOCKSTEP" "${@:2}" >messages 2>&1
    said "No space left on device"
    await 10 nobody_left
}

mount -t tmpfs -o size=2m none disk
full 4 train config.yaml --run disk/run --set training.epochs=6 --set training.checkpoint='{every_steps: 1, keep: 1000}'
[ -z "$(find disk -name '*.part')" ] || fail "left behind: $(find disk -name '*.part')"
cp -a disk/run run
saved=$(ls run/checkpoints | grep -c step)
[ "$saved" -gt 10 ] || fail "only $saved checkpoints have been saved"
full 2 synth digits -n 5000 -o disk/digits.h5
[ ! -e disk/digits.h5 ]
full 2 reconstruct run --data digits.h5 -o disk/digits.npy
[ ! -e disk/digits.npy ]

quietly ranks 2 "$LOCKSTEP" train config.yaml --run run --resume --set training.epochs=6
quietly ranks 2 "$LOCKSTEP" train config.yaml --run whole --set training.epochs=6
same_run whole run

mount -o remount,bind,ro disk
for options in '--run disk/run --resume --set training.epochs=1000' '--run disk/run --overwrite' '--run disk/another'; do
    expect_exit 1 ranks 4 timeout $(patience 10) "$LOCKSTEP" train config.yaml $options >messages 2>&1
    said "Read-only file system"
    await 10 nobody_left
done

# A finished run has nothing to write.
umount disk
mount -t tmpfs none disk
cp -a whole disk/whole
mount -o remount,bind,ro disk
quietly ranks 2 "$LOCKSTEP" train config.yaml --run disk/whole --resume --set training.epochs=6
grep -q '^disk/whole is finished' messages || fail "$(cat messages)"

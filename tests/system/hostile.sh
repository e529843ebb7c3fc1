# Data files that were made to harm, that lead elsewhere, or that have holes: refused on all ranks, with the file's name, and
# never trained on. (The same one by one, with what HDF5 makes of them: unit/data_there, unit/data_links.)
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

# refused TEXT RANKS COMMAND...: with status 2. The time is only to end a test that hangs.
refused() {
    local text=$1 number=$2
    shift 2
    expect_exit 2 ranks "$number" timeout $(patience 200) "$LOCKSTEP" "$@" >messages 2>&1
    said "$text"
    await 10 nobody_left
}

small_data
small_config >config.yaml

# Headers on which HDF5 1.10 loops for ever, takes all memory, reads past an end, crashes; newer ones refuse some of them.
for file in "$LOCKSTEP_ROOT"/tests/data/hostile/*.h5; do
    refused "${file##*/}: " 1 inspect "$file"
done
grep -qE "HDF5 fails on its header: it crashes|is damaged or cut short" messages || fail "$(cat messages)"
refused "h5-segv-vlen.h5: " 2 train config.yaml --set data.train="$LOCKSTEP_ROOT/tests/data/hostile/h5-segv-vlen.h5"

# A pipe is not opened, by whichever door: who opens it waits for ever.
mkfifo pipe.h5
quietly "$LOCKSTEP" train config.yaml --run run
refused "pipe.h5: is a pipe or a device" 2 train config.yaml --set data.train=pipe.h5
refused "pipe.h5: is a pipe or a device" 2 train config.yaml --set data.validation=pipe.h5
refused "pipe.h5: is a pipe or a device" 2 evaluate run --data pipe.h5
refused "pipe.h5: is a pipe or a device" 2 encode run --data pipe.h5 -o codes.npy
refused "pipe.h5: is a pipe or a device" 2 decode run --data pipe.h5 -o decoded.npy
refused "pipe.h5: is a pipe or a device" 1 inspect pipe.h5

# A hole anywhere, with checksums and all, as a download that broke off leaves.
size=$(stat -c %s digits.h5)
for tenth in 1 5 9; do
    cp digits.h5 hole.h5
    dd if=/dev/zero of=hole.h5 bs=1 seek=$((size / 10 * tenth)) count=20000 conv=notrunc 2>/dev/null
    refused "hole.h5: " 2 train config.yaml --set data.train=hole.h5 --run hole
    refused "hole.h5: " 2 evaluate run --data hole.h5
done

# One that is cut while it is read ends the run on all ranks; with the whole file it goes on to the same bits.
options=(--set data.cache_mb=0 --set training.epochs=4)
quietly "$LOCKSTEP" train config.yaml --run whole "${options[@]}"
cp digits.h5 cut.h5
(
    expect_exit 2 ranks 2 timeout $(patience 300) "$LOCKSTEP" train config.yaml --run cut "${options[@]}" \
        --set training.epochs=100000 --set data.train=cut.h5 >messages 2>&1
) &
await 100 test -s cut/metrics.jsonl
truncate -s $((size / 2)) cut.h5
wait $!
said "cut.h5: had $size bytes when it was opened, and has $((size / 2)) now"

# What goes wrong on one rank or on all ends the run on all of them, soon, with one message and the right exit status; nothing is
# overwritten, and no process stays behind. (Configs and command lines: config_errors.sh.)
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >config.yaml

# refused STATUS TEXT COMMAND...: on four ranks. Ten seconds are far more than any of them needs, and less than a hang takes.
refused() {
    local status=$1 text=$2
    shift 2
    expect_exit "$status" ranks 4 timeout $(patience 10) "$LOCKSTEP" "$@" >messages 2>&1
    said "$text"
    await 10 nobody_left
}

# Data that is none.
head -c 100000 digits.h5 >cut.h5
head -c 100 digits.h5 >stump.h5
echo 'not HDF5' >text.h5
quietly "$LOCKSTEP" synth digits --channels 3 -n 20 --size 8x8 -o colours.h5
for bad in cut stump text colours; do
    case $bad in
    text) refused 2 "text.h5: is not an HDF5 file" train config.yaml --set data.train=text.h5 ;;
    colours) refused 2 "does not fit the target of 8 x 8 x 3" train config.yaml --set data.train=colours.h5 ;;
    *) refused 2 "$bad.h5: is damaged or cut short" train config.yaml --set data.train=$bad.h5 ;;
    esac
done
[ ! -e runs ] || fail "a run has been begun"

# A run directory that cannot be: here for root, too.
refused 1 "digits.h5/run: the directory cannot be made: Not a directory" train config.yaml --run digits.h5/run

# One rank meets a damaged block in the middle of the training.
cp digits.h5 flipped.h5
printf '\377\377\377' | dd of=flipped.h5 bs=1 seek=300000 conv=notrunc 2>/dev/null
for cache_mb in 0 -1; do
    refused 2 "flipped.h5: samples " train config.yaml --set data.train=flipped.h5 --set data.cache_mb=$cache_mb --run mended
    grep -q 'are damaged; import it again (HDF5: [^n)]' messages || fail "$(cat messages)"
done
# Nothing had been saved: with whole data the run starts, without a word about the one that failed.
quietly ranks 2 "$LOCKSTEP" train config.yaml --run mended

# Numbers that are none are not recorded, also where they come with the last step of an epoch.
diverge=(--set model.5.conv2d.activation=linear --set loss=mean_squared_error --set 'optimizer={sgd: {learning_rate: 1e6}}')
for batch in 50 824; do
    refused 1 "not finite at step" train config.yaml --run diverged --overwrite "${diverge[@]}" \
        --set training.batch_size=$batch --set training.epochs=50 --set training.checkpoint.every_steps=1
    ! grep null diverged/metrics.jsonl || fail "an epoch that failed was recorded"
done

# Where the data is to blame, the learning rate is not.
refused 2 "digits.h5: sample " train config.yaml --run infinite --set 'data.input=[{rescale: [-3e38, 3e38]}]' --set loss=mean_squared_error
grep -q 'sample [0-9]*, as input or target, has a number that is not finite' messages || fail "$(cat messages)"

# A directory that holds other files is left as it is.
mkdir -p photos/images
for file in photos/cat.jpg photos/images/cat.png; do
    echo mine >$file
    for option in '' --overwrite --resume; do
        refused 2 'photos is not empty and holds no run; name a new directory with --run' train config.yaml --run photos $option
    done
    [ "$(find photos -type f)" = $file ] || fail "$(find photos)"
    rm $file
done
mkdir like
cp mended/metrics.jsonl like && echo 'lr: 1' >like/config.yaml
refused 2 "like/config.yaml is not a run's" train config.yaml --run like --overwrite
rm like/config.yaml
refused 2 "like has neither the config.yaml nor the log.txt of a run" train config.yaml --run like --overwrite
cmp mended/metrics.jsonl like/metrics.jsonl

# A directory that holds another program's config, or the user's own, is left as it is.
mkdir theirs own
echo 'model: {name: resnet, depth: 50}' >theirs/config.yaml
cp config.yaml own/config.yaml
printf '2026-01-02 03:04:05,678 INFO training\n2026-01-02 03:04:06 training\n' >theirs/log.txt
find theirs own -type f -exec md5sum {} + >before
for option in '' --overwrite --resume; do
    refused 2 "theirs/config.yaml is not a run's, and would be replaced" train config.yaml --run theirs $option
    refused 2 "own/config.yaml is not a run's" train own/config.yaml --run own $option
done
md5sum --quiet -c before
[ "$(find theirs own -type f)" = "$(sed 's/.*  //' before)" ] || fail "$(find theirs own)"

# One whose run failed before it had saved anything is used again, whichever version wrote its config.yaml.
quietly "$LOCKSTEP" train config.yaml --run whole
for option in '' --overwrite --resume; do
    for way in version log; do
        mkdir -p early/checkpoints
        cp whole/config.yaml whole/log.txt early
        case $way in
        version) sed -i '1i of_another_version: 1' early/config.yaml ;;
        log) rm early/log.txt ;;
        esac
        quietly "$LOCKSTEP" train config.yaml --run early $option
        diff whole/config.yaml early/config.yaml >&2 || fail "another config"
        rm -r early
    done
done

# A directory that holds a run.
quietly ranks 2 "$LOCKSTEP" train config.yaml --run run
find run -type f -exec md5sum {} + >before
quietly "$LOCKSTEP" synth digits -n 1030 --seed 2 -o others.h5
refused 2 "run already holds a run" train config.yaml --run run
refused 2 "optimizer.adam.learning_rate is 0.1 here, but the run was started with 0.001" \
    train config.yaml --run run --resume --set optimizer.adam.learning_rate=0.1
refused 2 "was trained on other data" train config.yaml --run run --resume --set data.train=others.h5
quietly ranks 2 "$LOCKSTEP" train config.yaml --run judged --set data.validation=digits.h5
refused 2 "was trained on other data: the fingerprint of its validation data" train config.yaml --run judged --resume --set data.validation=others.h5
refused 2 "leaves none to train on" train config.yaml --run run --overwrite --set data.validation.split=0.9999
refused 2 "no such run or checkpoint" train config.yaml --run run --overwrite --set initial_weights=nowhere
refused 2 "give one of them" train config.yaml --run run --resume --overwrite
refused 2 "colours.h5 is not like the data of the training" evaluate run --data colours.h5
refused 2 "unknown layer 'cod'; did you mean 'code'?" encode run --layer cod -o codes.npy
refused 2 "nowhere/codes.npy: the folder nowhere/ does not exist" encode run -o nowhere/codes.npy
for command in 'encode run --overwrite' 'synth digits -n 10 --overwrite'; do
    refused 2 "is a checkpoint; give another name" $command -o run/checkpoints/last.h5
done
refused 2 "flipped.h5: samples " encode run --data flipped.h5 -o codes.npy
[ -z "$(find . -name "codes.*")" ] || fail "left behind: $(find . -name "codes.*")"
md5sum --quiet -c before
expect_exit 1 "$LOCKSTEP" evaluate run >/dev/full 2>messages
said "cannot write to the standard output"
# Beyond the limit of file sizes, which would end a process by a signal.
for command in 'synth digits -n 5000 -o beyond.h5' 'train config.yaml --run beyond --set training.images=0'; do
    (
        ulimit -f 16
        expect_exit 1 timeout $(patience 20) "$LOCKSTEP" $command >messages 2>&1
    )
    said "File too large"
done

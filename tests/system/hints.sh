# What a newcomer types instead of what is right is answered by what is right.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config | sed 's/max_pooling2d: {pool_size: 2}/max_pooling2d: 2/' >config.yaml
refused() { # refused MESSAGE ARGUMENT...
    local message=$1
    shift
    expect_exit 2 "$LOCKSTEP" "$@" >messages 2>&1
    said "$message"
}

# A run ends with what it has come to, and with a next command that works, also for awkward names.
quietly "$LOCKSTEP" train config.yaml --run 'my run' --set training.epochs=2
grep -qE '^best epoch: [12] of 2, with val_loss [0-9.]+; its weights are in my run/checkpoints/best.h5$' messages || fail "$(cat messages)"
next=$(sed -n 's/^my run holds .*; next: //p' messages)
[ "$next" = "$LOCKSTEP reconstruct 'my run' -o pictures.png" ] || fail "$(cat messages)"
eval "$next" 2>messages || fail "$(cat messages)"
[ -s pictures.png ] && rm pictures.png
quietly "$LOCKSTEP" train config.yaml --run alone --set data.validation=none
grep -q '^best epoch: 1 of 1, with loss ' messages || fail "$(cat messages)"
next=$(sed -n 's/^alone holds .*; next: //p' messages)
eval "$next" 2>messages || fail "$(cat messages)"
cat >labels.yaml <<'END'
data: {train: digits.h5, validation: {split: 0.2}, input: [rescale], target: labels}
model: [flatten, {dense: {units: 10, activation: softmax}}]
loss: categorical_crossentropy
optimizer: adam
training: {epochs: 1, batch_size: 50}
END
quietly "$LOCKSTEP" train labels.yaml
grep -q '; next: .*lockstep evaluate runs/labels$' messages || fail "$(cat messages)"
quietly "$LOCKSTEP" train labels.yaml --resume # finished: the same is told
grep -q '; next: .*lockstep evaluate runs/labels$' messages || fail "$(cat messages)"

# One thing in the place of another.
mkdir pictures
refused "pictures: is a directory, not a file; 'lockstep import images pictures -o FILE.h5 --size HEIGHTxWIDTH' makes a data set" train config.yaml --set data.train=pictures
refused "'lockstep import images pictures -o FILE.h5 --size HEIGHTxWIDTH' makes a data set of pictures, which is named with --data FILE" encode alone --data pictures -o codes.npy
refused "config.yaml: is a config; name the run that it has trained" reconstruct config.yaml -o pictures.png
refused "'lockstep init digits.h5 -o NEW.yaml' writes one for it" train digits.h5
refused 'last.h5: is a checkpoint, not a config' train alone/checkpoints/last.h5 --resume
refused 'alone: is a directory, not a file; the config of a run is config.yaml in it' bench alone
refused 'did you mean config.yaml?' train config
refused "pictures is a directory, and no run's" train pictures

refused 'a share of the samples is written validation: {split: 0.1}' train config.yaml --set data.validation=0.1
refused 'where there is no such data, write none' train config.yaml --set data.validation=null
mkdir scripts && touch scripts/get-data
refused "'scripts/get-data mnist' makes it" train config.yaml --set data.train=data/mnist-train.h5
quietly "$LOCKSTEP" synth digits --channels 3 -n 4 --size 16x16 -o colours.h5
refused 'its samples are 16 x 16 x 3, but the model was trained on 28 x 28 x 1' evaluate alone --data colours.h5

refused 'did you mean config.yaml?' train confg.yaml
mkdir -p runs && refused 'did you mean runs/labels?' evaluate labels
refused 'lockstep import images pictures -o FILE.h5' import pictures
refused 'write -o codes.h5' encode alone codes.h5
refused "did you mean '--run'?" train config.yaml -o runs/z

for name in config.yaml /dev/null; do refused "$name is not a directory; name another run" train config.yaml --run $name; done

# Words of others.
refused "'mae' is a metric, not a loss here" train config.yaml --set loss=mae
refused 'write metrics: [mean_absolute_error]' train config.yaml --set metrics=mae
refused "did you mean 'batch_size'?" train config.yaml --set training.batch=3
"$LOCKSTEP" help training.epochs | grep -q '^  training.epochs  *passes over the data' || fail "no help on a path of --set"
refused "like --set training.epochs=5: see 'lockstep help learning_rate'" train config.yaml --lr 0.1
refused "like --set training.epochs=5: see 'lockstep help epochs'" train config.yaml --epochs=5
refused "--resume takes no value: write it without '=alone'" train config.yaml --resume=alone
refused "did you mean '--version'?" version
refused "did you mean '--output'?" reconstruct alone --out x.png

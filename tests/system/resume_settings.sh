# What a run that goes on takes its settings from: a run that is named in place of a config has its own; what --set gave it
# holds until another --set; the file's other values are the file's. What was taken is told.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >config.yaml
resolved() { grep -q "^ *$2\$" "$1/config.yaml" || fail "$1/config.yaml lacks '$2': $(cat "$1/config.yaml")"; }
told() { grep -qxF -- "$1" messages || fail "expected '$1': $(cat messages)"; }
untold() { ! grep -q "$1" messages || fail "unexpected '$1': $(cat messages)"; }

start=(--set training.epochs=2 --set 'optimizer={sgd: {learning_rate: 0.125}}' --set data.validation.split=0.25)
quietly ranks 2 "$LOCKSTEP" train config.yaml "${start[@]}"
[ "$(ls runs)" = config ]

# The plain config: what --set gave is kept, and told, on any number of ranks.
for number in 3 1; do
    quietly ranks $number "$LOCKSTEP" train config.yaml --resume
    told 'kept: training.epochs=2, which --set gave this run before; another --set changes it'
    told 'kept: data.validation.split=0.25, which --set gave this run before; another --set changes it'
    [ "$(grep -c '^kept: ' messages)" = 3 ] || fail "$(cat messages)"
    told 'runs/config is finished: 2 epochs'
done

# Another --set counts, also of the key above it; from then on it is the one that holds.
quietly ranks 2 "$LOCKSTEP" train config.yaml --resume --set training.epochs=3
untold '^kept: training'
told 'training.epochs is 3 from now on; the run had 2'
quietly "$LOCKSTEP" train config.yaml --resume
told 'kept: training.epochs=3, which --set gave this run before; another --set changes it'
[ "$(grep -c '^# from --set: training.epochs$' runs/config/config.yaml)" = 1 ] || fail "$(cat runs/config/config.yaml)"
resolved runs/config "sgd: {learning_rate: 0.125, .*"

# Fewer epochs than it has done: nothing happens, and nothing is changed.
quietly "$LOCKSTEP" train --resume runs/config --set training.epochs=1
told 'runs/config has done 3 epochs already, more than training.epochs=1: nothing to do'
untold 'from now on\|finished\|going on'
resolved runs/config 'epochs: 3'

# What the file says of other keys is taken from the file.
sed 's/batch_size: 50/batch_size: 50, stall_timeout: 77/' config.yaml >edited.yaml
quietly "$LOCKSTEP" train edited.yaml --run runs/config --resume --set training.epochs=4
told 'training.stall_timeout is 77 from now on; the run had 300'
resolved runs/config 'stall_timeout: 77'

# The run's directory, or its config.yaml, is that run with its own config: no other run is begun.
epochs=4
for name in runs/config runs/config/ ./runs/config/config.yaml; do
    epochs=$((epochs + 1))
    quietly ranks 2 "$LOCKSTEP" train --resume $name --set training.epochs=$epochs
    untold '^kept: '
    [ "$(epochs_of runs/config)" = $epochs ] || fail "$name: $(epochs_of runs/config) epochs"
done
(cd runs/config && quietly "$LOCKSTEP" train config.yaml --resume --set data.train=../../digits.h5)
[ "$(ls runs)" = config ] && [ ! -e runs/config/runs ] || fail "another run: $(ls runs runs/config)"
resolved runs/config 'stall_timeout: 77'

# It is the run that one without any of this would have been.
quietly "$LOCKSTEP" train config.yaml --run whole "${start[@]}" --set training.epochs=$epochs
same_run whole runs/config

# Killed before it had saved anything, it starts again as it was meant.
mkdir -p early
cp whole/config.yaml whole/log.txt early
quietly "$LOCKSTEP" train config.yaml --run early --resume
told "kept: training.epochs=$epochs, which --set gave this run before; another --set changes it"
same_run whole early

# A new run begins with nothing but its own words, also from a run's config.
cp runs/config/config.yaml copy.yaml
quietly "$LOCKSTEP" train copy.yaml --set training.epochs=1
[ "$(grep -c '^# from --set' runs/copy/config.yaml)" = 1 ] || fail "$(cat runs/copy/config.yaml)"

# A key that was written by hand and is not there is told of; a name is no first entry of a list.
sed '1i # from --set: model.conv2d.filters' runs/copy/config.yaml >edited && mv edited runs/copy/config.yaml
quietly "$LOCKSTEP" train copy.yaml --resume
grep -q 'runs/copy/config.yaml no longer holds what --set model.conv2d.filters gave' messages || fail "$(cat messages)"

refused() { # refused MESSAGE ARGUMENT...
    local message=$1
    shift
    expect_exit 2 ranks 2 "$LOCKSTEP" train "$@" >messages 2>&1
    said "$message"
}
mkdir empty
refused 'empty is a directory, and no run' empty --resume
refused 'runs/config is a run; continue it with --resume' runs/config
refused '--set training.batch_size=64: training.batch_size is 64 here, but the run was started with 50, which cannot change when it is resumed; leave it out' runs/config --resume --set training.batch_size=64
refused 'leave --run out' runs/config --resume --run other

# A run that has moved: where its data was looked for, and what to do.
mkdir elsewhere
mv whole elsewhere
cd elsewhere
refused "digits.h5: cannot be opened: No such file or directory; a relative path begins where lockstep is started, which is $PWD: start it elsewhere, or name the file with --set data.train=FILE" \
    whole --resume
quietly "$LOCKSTEP" train whole --resume --set data.train=../digits.h5 --set training.epochs=$((epochs + 1))
told "training.epochs is $((epochs + 1)) from now on; the run had $epochs"
rm ../digits.h5
expect_exit 2 "$LOCKSTEP" evaluate whole --data digits.h5 >messages 2>&1
said "which is $PWD: start it elsewhere, or name the file with --data FILE"

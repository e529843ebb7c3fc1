# inspect tells configs, runs, checkpoints and data sets apart, says what each holds, and what of it is damaged.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

holds() { # holds FILE TEXT
    grep -qF -- "$2" "$1" || fail "'$2' is not in: $(cat "$1")"
}

# Configs, before there is data: by a shape from the command line, or as far as they can be known.
for config in "$LOCKSTEP_ROOT"/configs/mnist-*.yaml; do
    grep -q 'train: data/mnist-train.h5' "$config" || continue # one is trained on the codes of another
    "$LOCKSTEP" inspect "$config" --shape 28x28x1 >/dev/null
done
"$LOCKSTEP" inspect "$LOCKSTEP_ROOT/configs/mnist-conv.yaml" --shape 28x28x1 --ranks 3 >out
holds out '13 layers, 4,385 parameters (17.5 kB), 1.503 MFLOP'
holds out '4 x 4 x 8'
holds out '8 lanes on 3 ranks use 89 % of the cores'
"$LOCKSTEP" inspect "$LOCKSTEP_ROOT/configs/mnist-codes-classifier.yaml" --shape 32 >out # labels: as many as outputs
holds out '5 layers, 42,634 parameters'
"$LOCKSTEP" inspect "$LOCKSTEP_ROOT/configs/catdog-colorize.yaml" --shape 80x80x3 --ranks 8 >out
holds out '206,098,515 parameters'
grep -qE 'best weights, to be written +824 MB' out || fail "$(cat out)"
"$LOCKSTEP" inspect "$LOCKSTEP_ROOT/configs/mnist-conv.yaml" >out
holds out 'mnist-conv.yaml:7:10: data/mnist-train.h5: cannot be opened'
holds out 'Shapes, parameters and memory are unknown without data'
expect_exit 2 "$LOCKSTEP" inspect "$LOCKSTEP_ROOT/configs/mnist-conv.yaml" --shape 28x28xx 2>out
holds out "a shape is 1 to 4 numbers above 0, such as 28x28x1, not '28x28xx'"
expect_exit 2 "$LOCKSTEP" inspect "$LOCKSTEP_ROOT/configs/mnist-conv.yaml" --shape 28x28 2>out
holds out 'mnist-conv.yaml:11:5: layer '

# Models as drawings, which Graphviz reads where it is installed: every layer and what it takes, as the config has it.
for config in "$LOCKSTEP_ROOT"/configs/mnist-*.yaml; do
    grep -q 'train: data/mnist-train.h5' "$config" || continue
    "$LOCKSTEP" inspect "$config" --shape 28x28x1 --dot >out
    ! command -v dot >messages || dot -Tdot out >messages 2>&1 || fail "$config: $(cat messages)"
    [ "$(grep -c '^  layer[0-9]* \[label=".*output: [0-9x ]*.*"' out)" = "$(grep -c '^  - ' "$config")" ] || fail "$(cat out)"
done
"$LOCKSTEP" inspect "$LOCKSTEP_ROOT/configs/mnist-conv.yaml" --shape 28x28x1 --dot >out
[ "$(grep -o 'layer[0-9]* -> layer[0-9]*' out | tr -dc '0-9\n' | tr '\n' ' ')" = "01 12 23 34 45 56 67 78 89 910 1011 1112 " ] || fail "$(cat out)"
holds out 'layer5 [label="code: max_pooling2d\npadding: same\noutput: 4 x 4 x 8", fillcolor=lightblue];'
"$LOCKSTEP" inspect "$LOCKSTEP_ROOT/configs/mnist-vae.yaml" --shape 28x28x1 --dot >out
for edge in 'input -> layer0' 'layer1 -> layer2' 'layer1 -> layer3' 'layer2 -> layer4' 'layer3 -> layer4'; do holds out "  $edge;"; done
[ "$(grep -c -e '->' out)" = 8 ] || fail "$(cat out)"
expect_exit 2 "$LOCKSTEP" inspect "$LOCKSTEP_ROOT/configs/mnist-conv.yaml" --dot >out 2>messages
holds messages 'shapes are unknown; give --shape, such as 28x28x1'
[ ! -s out ] || fail "$(cat out)"

# A data set, and a run on it.
"$LOCKSTEP" synth digits -n 100 -o data.h5 2>/dev/null
"$LOCKSTEP" inspect data.h5 >out
holds out 'samples      100 of 28 x 28 x 1, uint8'
train() {
    ranks "$1" "$LOCKSTEP" train "$LOCKSTEP_ROOT/configs/demo.yaml" --set data.train=data.h5 --set training.epochs=2 \
        "${@:2}" >/dev/null 2>&1
}
train 2 --run a
"$LOCKSTEP" inspect a >out
holds out '"epoch": 2, "step": 4'
holds out 'whole    a/checkpoints/last.h5: 2 epochs done; 4 steps in all, best'
"$LOCKSTEP" inspect a/checkpoints/best.h5 >out
holds out 'seed: 1'
"$LOCKSTEP" inspect a --dot >out
holds out 'input -> layer0;'
expect_exit 2 "$LOCKSTEP" inspect a/checkpoints/best.h5 --dot 2>messages
holds messages 'only the model of a config or a run can be drawn'

# Differences: none between numbers of ranks, some between seeds.
train 3 --run b
train 1 --run c --set seed=2
"$LOCKSTEP" inspect --diff a b >out
[ ! -s out ] || fail "1 and 3 ranks differ: $(cat out)"
expect_exit 1 "$LOCKSTEP" inspect --diff a c >out 2>messages
holds out conv2d
[ "$(grep -c '^lockstep: error: .* differ$' messages)" = 1 ] || fail "$(cat messages)"
# Epochs are counted as everywhere: from 1.
train 1 --run d --set training.epochs=1
expect_exit 1 "$LOCKSTEP" inspect --diff a d >out 2>messages
holds out 'best_epoch: 2 and 1'

# What says something of a config says nothing of the rest.
for options in 'data.h5 --shape 28x28x1' 'a --ranks 2' 'a/checkpoints/best.h5 --set seed=3'; do
    expect_exit 2 ranks 2 "$LOCKSTEP" inspect $options 2>messages
    said ' has no effect but on a config'
done
expect_exit 2 "$LOCKSTEP" inspect --diff a b --ranks 2 2>messages
said '--ranks has no effect beside --diff'

# One byte is wrong.
printf X | dd of=a/checkpoints/best.h5 bs=1 seek=3000 conv=notrunc 2>/dev/null
"$LOCKSTEP" inspect a >out
holds out 'damaged  a/checkpoints/best.h5'
expect_exit 2 "$LOCKSTEP" inspect a/checkpoints/best.h5 2>messages
holds messages 'best.h5'
expect_exit 2 "$LOCKSTEP" inspect . 2>messages
holds messages ".: not a run's directory: it has no config.yaml"

# More memory than any host has: inspect says so, and train begins nothing.
small_data
small_config >large.yaml
"$LOCKSTEP" inspect large.yaml >out
! grep 'does not fit this host, of' out || fail "$(cat out)"
large=(large.yaml --set 'model=[flatten, {dense: {units: 1000000000, name: code}}, {dense: {units: 784, activation: sigmoid}}]')
"$LOCKSTEP" inspect "${large[@]}" >out
holds out '  that does not fit this host, of which this process may use '
expect_exit 2 ranks 2 timeout $(patience 60) "$LOCKSTEP" train "${large[@]}" 2>messages
said 'this cannot fit: 2 ranks on '
# Batches made ready count, too.
expect_exit 2 timeout $(patience 60) "$LOCKSTEP" train large.yaml --set training.batch_size=1000000000 2>messages
said 'this cannot fit: 1 rank on '
[ -z "$(find runs -type f -size +0)" ] || fail "$(find runs)"

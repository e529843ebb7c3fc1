# A run is a function of its config and its data: any number of ranks and threads gives the same bits, in the metrics, the
# weights, the optimizer's state, codes and reconstructions.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >conv.yaml
cat >dense.yaml <<'END'
data:
  train: digits.h5
  validation: digits.h5
  input: [{rescale: [0, 1]}]
model:
  - flatten
  - dense: {units: 19, activation: relu, name: code}
  - dense: {units: 784, activation: sigmoid}
code: code
loss: binary_crossentropy
optimizer: {adadelta: {learning_rate: 1.0}}
training: {epochs: 2, batch_size: 128}
END
# Three samples on eight lanes: lanes, and ranks, that have none; and nothing is kept in memory.
sed 's/batch_size: 128/batch_size: 3/; s/epochs: 2/epochs: 1/; s/^data:/&\n  cache_mb: 0\n  shuffle_window: 7/' \
    dense.yaml >few.yaml
# Colours from grey, with another loss and another optimizer; an epoch is one of three parts.
quietly "$LOCKSTEP" synth digits --channels 3 -n 500 --size 12x10 -o colours.h5
cat >colours.yaml <<'END'
data:
  train: colours.h5
  validation: {split: 0.25}
  parts: 3
  input: [{rescale: [-1, 1]}, grayscale]
  target: [{rescale: [0, 1]}]
model:
  - conv2d: {filters: 5, kernel_size: [3, 2], padding: same, activation: tanh}
  - flatten
  - dense: {units: 33, name: code}
  - dropout: 0.5
  - dense: 360
  - reshape: [12, 10, 3]
  - activation: sigmoid
loss: mean_squared_error
optimizer: {sgd: {learning_rate: 0.1, momentum: 0.9, nesterov: true}}
training: {epochs: 4, batch_size: 17, lanes: 16}
END

# Layers that look at the whole batch, that draw, that add to the loss, that keep states.
cat >batch.yaml <<'END'
data:
  train: digits.h5
  validation: {split: 0.2}
  input: [{rescale: [0, 1]}]
model:
  - conv2d: {filters: 4, kernel_size: 3, strides: 2, padding: same, kernel_regularizer: {l1: 0.001, l2: 0.01}}
  - batch_normalization
  - activation: relu
  - reshape: [28, 28]
  - lstm: {units: 20}
  - contractive_dense: {units: 40, weight: 0.01}
  - dense: {units: 16, activation: sigmoid, activity_regularizer: {l1: 0.001}}
  - kl_sparsity: {rho: 0.1, weight: 0.05, name: h}
  - dense: {units: 5, name: mean, inputs: h}
  - dense: {units: 5, name: log_variance, inputs: h}
  - gaussian_sampling: {kl_weight: 0.01, inputs: [mean, log_variance], name: code}
  - dense: {units: 49, name: d}
  - batch_normalization: {momentum: 0.9}
  - reshape: [7, 7, 1]
  - conv2d_transpose: {filters: 3, kernel_size: 3, strides: 3, activation: relu, name: large}
  - conv2d_transpose: {filters: 3, kernel_size: 5, padding: same, name: same_size}
  - add: {inputs: [large, same_size], name: sum}
  - concatenate: {inputs: [large, sum]}
  - conv2d: {filters: 1, kernel_size: 1}
  - resizing: {height: 28, width: 28}
  - activation: sigmoid
code: code
loss: binary_crossentropy_sum
metrics: [mean_squared_error, mean_absolute_error]
optimizer: rmsprop
training: {epochs: 2, batch_size: 50}
END

# compare CONFIG RANKS/THREADS...: each like the first.
compare() {
    local config=$1 first= way run
    shift
    for way in "$@"; do
        run=$config-${way/\//-}
        quietly ranks "${way%/*}" "$LOCKSTEP" train "$config.yaml" --run "$run" --set training.threads="${way#*/}"
        quietly ranks "${way%/*}" "$LOCKSTEP" encode "$run" --layer code -o "$run.npy"
        first=${first:-$run}
        same_run "$first" "$run"
        cmp "$first/images/epoch-0001.png" "$run/images/epoch-0001.png"
        cmp "$first.npy" "$run.npy"
    done
}

if [ "$LOCKSTEP_TEST_FULL" = 1 ]; then
    for config in conv dense few colours batch; do
        compare $config 1/1 1/2 2/1 2/2 3/1 3/2 4/1 4/2 5/1 7/2 8/1 8/2
    done
else
    compare conv 1/1 1/2 3/2 8/1
    compare dense 1/2 2/1 4/1
    compare few 1/2 4/1
    compare colours 1/1 3/2
    compare batch 1/2 2/1 3/2
fi

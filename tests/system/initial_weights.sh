# A run may start with layers of another one, by name; also on ranks that share their weights. Greedy layer-wise
# pretraining is made of this and of encode.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
cat >first.yaml <<'END'
data: {train: digits.h5, validation: {split: 0.2}, input: [{rescale: [0, 1]}]}
model:
  - flatten
  - dense: {units: 12, activation: relu, name: encoder}
  - dense: {units: 784, activation: sigmoid}
code: encoder
loss: mean_squared_error
optimizer: adam
training: {epochs: 1, batch_size: 50, threads: 1}
END
# Nothing is learnt here, so the encoder stays as it came.
cat >second.yaml <<'END'
data: {train: digits.h5, validation: {split: 0.2}, input: [{rescale: [0, 1]}]}
model:
  - flatten
  - dense: {units: 12, activation: relu, name: encoder}
  - dense: {units: 5, activation: relu, name: narrow}
  - dense: {units: 784, activation: sigmoid, name: decoder}
code: encoder
initial_weights: [runs/first]
loss: mean_squared_error
optimizer: {sgd: {learning_rate: 1.0e-30}}
training: {epochs: 1, batch_size: 50, threads: 1}
END
quietly "$LOCKSTEP" train first.yaml
quietly "$LOCKSTEP" train second.yaml --run one
quietly ranks 3 "$LOCKSTEP" train second.yaml --run three
grep -qx "2 of the model's 6 arrays of weights begin as in runs/first/checkpoints/best.h5, those of encoder; no layer there is named narrow, decoder" messages ||
    fail "$(cat messages)"
same_run one three
quietly "$LOCKSTEP" encode runs/first -o first.npy
quietly "$LOCKSTEP" encode three -o three.npy
cmp first.npy three.npy
# What a run has learnt since is not taken back when it goes on.
mv runs/first first
quietly "$LOCKSTEP" train second.yaml --run one --resume --set training.epochs=2

# They may come from the run that they replace.
quietly "$LOCKSTEP" train second.yaml --run three --overwrite --set 'initial_weights=[three]'
quietly "$LOCKSTEP" encode three -o three.npy --overwrite
cmp first.npy three.npy

expect_error() { # expect_error TEXT SETTING
    expect_exit 2 ranks 2 "$LOCKSTEP" train second.yaml --run bad --overwrite --set "$2" 2>messages
    grep -q "$1" messages || fail "expected '$1': $(cat messages)"
}
expect_error 'no such run or checkpoint' 'initial_weights=[nowhere]'
mv first runs/first
expect_error '/weights/encoder/kernel is 784 x 12, but the model has 784 x 13' 'model.1.dense.units=13'

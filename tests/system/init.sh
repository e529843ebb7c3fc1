# init writes a config that fits a data set and trains as it is: pictures of even and odd sides, grey and coloured, small ones,
# vectors, float data of any range. It replaces nothing.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

quietly "$LOCKSTEP" synth digits -n 100 -o digits.h5
quietly "$LOCKSTEP" synth digits -n 3 -o few.h5
for size in 80x80 33x17 8x9 64x10 1x1; do quietly "$LOCKSTEP" synth digits --channels 3 -n 40 --size $size -o "colours of $size.h5"; done

# Float data: the outputs of layers.
cat >maker.yaml <<'END'
data: {train: digits.h5, validation: digits.h5, input: [{rescale: [-300, 900]}]}
model:
  - activation: {activation: linear, name: wide}
  - activation: {activation: sigmoid, name: narrow}
  - resizing: {height: 33, width: 17, name: odd}
  - flatten
  - dense: {units: 30, name: vectors}
  - reshape: [5, 6]
  - activation: {activation: tanh, name: lines}
  - flatten
  - dense: 784
loss: mean_squared_error
optimizer: adam
training: {epochs: 1, batch_size: 20, images: 0}
END
quietly "$LOCKSTEP" train maker.yaml
for layer in wide narrow odd vectors lines; do quietly "$LOCKSTEP" encode runs/maker --layer $layer -o $layer.h5; done

for file in *.h5; do
    name=${file%.h5}
    quietly ranks 2 "$LOCKSTEP" init "$file" -o "$name.yaml"
    grep -q "written; next: .*lockstep train .*$name.yaml" messages || fail "$(cat messages)"
    "$LOCKSTEP" init "$file" | cmp - "$name.yaml" || fail "$file: another config on the standard output"
    quietly "$LOCKSTEP" train "$name.yaml" --set training.epochs=3 --set training.images=1
    ! grep -q 'lockstep: warning' messages || fail "$name: $(cat messages)"
    # It learns something, and its pieces are used.
    awk -F'"loss": ' '{ split($2, a, ","); loss[NR] = a[1] } END { exit !(loss[3] < loss[1]) }' "runs/$name/metrics.jsonl" ||
        fail "$name has learnt nothing: $(cat "runs/$name/metrics.jsonl")"
    quietly "$LOCKSTEP" encode "runs/$name" --data "$file" -o codes.npy --overwrite
done
grep -q '{rescale: {range: \[0, 1\], from: \[-300, 900\]}}' wide.yaml || fail "$(cat wide.yaml)"

# Nothing is replaced; what is wrong is said; without a data set it is an example, and YAML.
cp digits.yaml before.yaml
expect_exit 2 ranks 2 "$LOCKSTEP" init digits.h5 -o digits.yaml >messages 2>&1
said 'digits.yaml is there already'
expect_exit 2 "$LOCKSTEP" init -o data/new.h5 >messages 2>&1
said 'to make one for a data set: lockstep init data/new.h5 -o new.yaml'
cmp digits.yaml before.yaml
expect_exit 2 "$LOCKSTEP" init nothing.h5 -o new.yaml >messages 2>&1
said 'nothing.h5: '
[ ! -e new.yaml ]
mkdir data
cp digits.h5 data/train.h5
"$LOCKSTEP" init >example.yaml
quietly "$LOCKSTEP" train example.yaml --set training.epochs=1

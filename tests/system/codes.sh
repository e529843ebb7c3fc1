# Codes: encode, decode and sample agree with reconstruct and with one another, in every kind of file and on any number of
# ranks; a model is trained on another one's codes; what cannot be cut or read is refused by name.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >config.yaml
quietly "$LOCKSTEP" train config.yaml --run run
refuses() { # refuses TEXT COMMAND...
    expect_exit 2 "${@:2}" 2>messages
    said "$1"
}

# What is encoded and decoded again is the reconstruction, bit for bit, by way of any file.
quietly "$LOCKSTEP" reconstruct run -o reconstruction.npy
for ending in h5 npy csv; do
    for number in 1 2 3; do
        quietly ranks $number "$LOCKSTEP" encode run -o codes.$number.$ending
        quietly ranks $number "$LOCKSTEP" decode run --data codes.1.$ending -o decoded.npy --overwrite
        cmp codes.1.$ending codes.$number.$ending
        cmp reconstruction.npy decoded.npy
    done
done
# The first ones alone are the same as among all.
for number in 1 3; do
    quietly ranks $number "$LOCKSTEP" encode run -n 13 -o first.csv --overwrite
    cmp first.csv <(head -n 14 codes.1.csv)
    quietly ranks $number "$LOCKSTEP" reconstruct run -n 50 -o first.npy --overwrite
    [ "$(stat -c %s first.npy)" = $((128 + 50 * 784 * 4)) ] || fail "50 samples were expected"
    cmp <(tail -c +129 first.npy) <(tail -c +129 reconstruction.npy | head -c $((50 * 784 * 4)))
done
# Also where the code is another layer's, and in all kinds of output.
quietly "$LOCKSTEP" encode run --layer max_pooling2d -o pooled.npy
quietly "$LOCKSTEP" decode run --layer max_pooling2d --data pooled.npy -o decoded.npy --overwrite
cmp reconstruction.npy decoded.npy
for ending in h5 csv; do
    quietly "$LOCKSTEP" reconstruct run -o reconstruction.$ending --overwrite
    quietly ranks 2 "$LOCKSTEP" decode run --data codes.1.h5 -o decoded.$ending
done
diff <(cut -d, -f 2- reconstruction.csv) <(cut -d, -f 2- decoded.csv) >/dev/null || fail "texts differ"
diff <(cut -d, -f 1 codes.1.csv) <(cut -d, -f 1 decoded.csv) >/dev/null || fail "labels differ"
[ "$(head -n 1 decoded.csv | cut -d, -f 1,2,785)" = label,x0,x783 ] || fail "$(head -n 1 decoded.csv)"
[ "$(wc -l <decoded.csv)" = 207 ] || fail "206 samples and a header were expected"

# The checkpoint is enough: it can be taken elsewhere, without the pictures.
mkdir elsewhere
cp -L run/checkpoints/best.h5 elsewhere/model.h5
(
    cd elsewhere
    for number in 1 2; do
        quietly ranks $number "$LOCKSTEP" decode model.h5 --data ../codes.1.npy -o decoded.npy --overwrite
        cmp ../reconstruction.npy decoded.npy
        quietly ranks $number "$LOCKSTEP" sample model.h5 -n 9 -o sample.png --overwrite
    done
)

# A data set of codes has the labels of its pictures, and a model can be trained on it.
"$LOCKSTEP" inspect codes.1.h5 >about
grep -q 'samples      206 of 7 x 7 x 3, float32' about || fail "$(cat about)"
grep -q 'classes      10' about || fail "$(cat about)"
quietly "$LOCKSTEP" encode run --data digits.h5 -o all.h5
cat >classifier.yaml <<'END'
data: {train: all.h5, validation: {split: 0.2}, input: [], target: labels}
model:
  - flatten
  - dense: {units: 10, activation: softmax}
loss: categorical_crossentropy
metrics: [accuracy]
optimizer: {adam: {learning_rate: 0.01}}
training: {epochs: 10, batch_size: 32}
END
quietly ranks 2 "$LOCKSTEP" train classifier.yaml --run classifier
awk "BEGIN { exit !($(metric classifier val_accuracy) > 0.3) }" || fail "it learns nothing from codes: $(cat classifier/metrics.jsonl)"

# Names and class names come along.
pictures_of_two_classes run/images/epoch-0001.png
quietly "$LOCKSTEP" import images pictures -o pictures.h5 --size 28x28 --channels 1
quietly ranks 2 "$LOCKSTEP" encode run --data pictures.h5 -o named.h5
for text in cats dogs d3.png; do grep -qa $text named.h5 || fail "$text is not in the data set of codes"; done

# Pictures, and samples: the same on any number of ranks, others with another seed.
for number in 1 3; do
    quietly ranks $number "$LOCKSTEP" encode run -n 13 -o codes.$number.png
    quietly ranks $number "$LOCKSTEP" decode run --data codes.1.csv -n 30 -o decoded.$number.png
    for ending in png npy; do quietly ranks $number "$LOCKSTEP" sample run -n 50 -o sample.$number.$ending; done
done
for name in codes.N.png decoded.N.png sample.N.png sample.N.npy; do cmp "${name/N/1}" "${name/N/3}"; done
quietly "$LOCKSTEP" sample run -n 50 --seed 1 -o sample.npy
cmp -s sample.npy sample.1.npy && fail "another seed gives the same"
[ "$(stat -c %s sample.npy)" = $((128 + 4 * 50 * 784)) ] || fail "50 samples were expected"

# A code of two numbers, with a connection around it in one of two layers: a map, and codes of the command line.
cat >two.yaml <<'END'
data: {train: digits.h5, input: [rescale]}
model:
  - flatten
  - dense: {units: 6, name: wide}
  - dense: {units: 2, name: code}
  - dense: {units: 6, name: again}
  - dense: {units: 784, activation: sigmoid}
code: code
loss: mean_squared_error
optimizer: adam
training: {epochs: 1, batch_size: 100}
END
quietly "$LOCKSTEP" train two.yaml --run two
for number in 1 2; do quietly ranks $number "$LOCKSTEP" sample two --grid 3x5 --range 2 -o map.$number.npy; done
cmp map.1.npy map.2.npy
# The grid's first row has the largest second number; its first column the smallest first one.
quietly "$LOCKSTEP" decode two --code -2,2 --code=-1,2 --code 0,2 --code 1,2 --code 2,2 -o row.npy
cmp <(tail -c +129 row.npy) <(tail -c +129 map.1.npy | head -c $((4 * 5 * 784)))
quietly "$LOCKSTEP" sample two --grid 15x15 -o map.png

refuses "--grid must be rows and columns, 1 to 1000 each, like 15x15, not '0x3'" "$LOCKSTEP" sample two --grid 0x3 -o out.npy --overwrite
refuses '--range has no effect without --grid' "$LOCKSTEP" sample two --range 2 -o out.npy --overwrite
refuses '--count has no effect beside --grid' "$LOCKSTEP" sample two --grid 3x3 -n 9 -o out.npy --overwrite
refuses '--seed has no effect beside --grid' "$LOCKSTEP" sample two --grid 3x3 --seed 9 -o out.npy --overwrite
refuses '--count has no effect beside --code' "$LOCKSTEP" decode two --code 0,0 -n 1 -o out.npy --overwrite
refuses '--data is empty' "$LOCKSTEP" decode two --data "" -o out.npy --overwrite
refuses '--code 0,0,5: 3 numbers, but a code has 2' ranks 2 "$LOCKSTEP" decode two --code 0,0,5 -o out.npy --overwrite
refuses "--code 0,x: 'x' is not a number" "$LOCKSTEP" decode two --code 0,x -o out.npy --overwrite
refuses 'decode takes codes from a file' "$LOCKSTEP" decode two -o out.npy --overwrite
refuses 'codes.1.h5: has samples of 7 x 7 x 3 (float32), but codes are 2' ranks 2 "$LOCKSTEP" decode two --data codes.1.h5 -o out.npy --overwrite
refuses 'pooled.npy: has 784 numbers a row, but codes are 2' ranks 2 "$LOCKSTEP" decode two --data pooled.npy -o out.npy --overwrite
refuses 'a grid is over codes of two numbers, but these are 7 x 7 x 3' "$LOCKSTEP" sample run --grid 3x3 -o out.png
refuses "layer 'dense' is the last one" "$LOCKSTEP" decode two --layer dense --code 0,0 -o out.npy --overwrite
refuses "unknown layer 'middle'; there is: flatten, wide, code, again, dense" "$LOCKSTEP" decode two --layer middle --code 0,0 -o out.npy --overwrite
refuses 'the name must end in one of .h5' "$LOCKSTEP" decode two --code 0,0 -o out.txt
refuses "codes.1.csv is to be read" "$LOCKSTEP" decode run --data codes.1.csv -o codes.1.csv
cp codes.1.csv keep.rows.csv
refuses "keep.rows.csv is to be read" "$LOCKSTEP" decode run --data keep.rows.csv -o keep.npy
refuses "keep.rows.csv: is in the way" ranks 2 "$LOCKSTEP" encode run -o keep.npy --overwrite
cmp codes.1.csv keep.rows.csv
printf 'label,x0,x1\n1,2,3\n1,2\n' >short.csv
refuses 'short.csv:3: 1 number, but a code has 2' ranks 2 "$LOCKSTEP" decode two --data short.csv -o out.npy --overwrite
[ ! -e out.npy ] || fail "a file was left behind"

# A connection that goes around the cut.
sed 's/name: again}/name: again}\n  - add: {inputs: [wide, again]}/' two.yaml >around.yaml
quietly "$LOCKSTEP" train around.yaml --run around
refuses "the model cannot be cut after layer 'code': layer 'add' (add) takes the output of 'wide'" "$LOCKSTEP" decode around --code 0,0 -o out.npy --overwrite
quietly "$LOCKSTEP" decode around --layer add --code 0,0,0,0,0,0 -o out.npy --overwrite

# The grey baseline stands beside the loss of a model that colours, and no autoencoder has one.
quietly "$LOCKSTEP" synth digits --channels 3 -n 40 --size 16x16 -o coloured.h5
cat >colours.yaml <<'END'
data: {train: coloured.h5, validation: {split: 0.5}, input: [rescale, grayscale], target: [rescale]}
model:
  - conv2d: {filters: 3, kernel_size: 3, padding: same, activation: sigmoid}
loss: binary_crossentropy
optimizer: adam
training: {epochs: 1, batch_size: 10}
END
quietly "$LOCKSTEP" train colours.yaml --run colours
for number in 1 3; do ranks $number "$LOCKSTEP" evaluate colours >colours.$number 2>messages; done
cmp colours.1 colours.3
grep -q '"baseline_loss": 0\.[0-9]*}' colours.1 || fail "$(cat colours.1)"
"$LOCKSTEP" evaluate two --data digits.h5 >plain 2>messages
grep -q baseline plain && fail "a plain autoencoder has no baseline: $(cat plain)"
true

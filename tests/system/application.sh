# A trained model is applied to what it is given: nothing of what is for training is done to it, and nothing is asked for that is
# not needed.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >noisy.yaml
quietly "$LOCKSTEP" train noisy.yaml --run noisy

# The same weights in a run whose config has no noise: what they make of the data is what the noisy run must say.
sed 's/, {gaussian_noise: {stddev: 0.3}}//; s/^optimizer: .*/optimizer: {sgd: {learning_rate: 0}}\ninitial_weights: noisy/' \
    noisy.yaml >plain.yaml
quietly "$LOCKSTEP" train plain.yaml --run plain
for number in 1 3; do
    for name in noisy plain; do
        quietly ranks $number "$LOCKSTEP" encode $name -o $name.codes.$number.npy
        quietly ranks $number "$LOCKSTEP" reconstruct $name -o $name.pictures.$number.npy
        quietly ranks $number "$LOCKSTEP" reconstruct $name -o $name.grid.$number.png
        quietly ranks $number "$LOCKSTEP" encode $name -o $name.code.$number.png
    done
    for file in codes.$number.npy pictures.$number.npy grid.$number.png code.$number.png; do cmp noisy.$file plain.$file; done
    quietly ranks $number "$LOCKSTEP" encode noisy --noise -o with.$number.npy
    quietly ranks $number "$LOCKSTEP" encode plain --noise -o without.$number.npy
done
cmp plain.codes.1.npy without.1.npy
cmp with.1.npy with.3.npy
! cmp -s with.1.npy plain.codes.1.npy || fail "--noise adds none"

# Validation keeps its noise: evaluate gives the training's loss in every digit, and the plain run another one.
loss() { sed -nE 's/.*"loss": ([^,]*),.*/\1/p'; }
"$LOCKSTEP" evaluate noisy/checkpoints/last.h5 2>messages | loss >evaluated
[ "$(metric noisy val_loss)" = "$(cat evaluated)" ] || fail "$(metric noisy val_loss), but $(cat evaluated)"
[ "$(metric plain val_loss)" != "$(cat evaluated)" ] || fail "the noise of validation is gone"

# Classes: a model of ant, bee and cat. What needs no label asks for none, and takes pictures of any class with their own labels.
picture=noisy/images/epoch-0001.png
folders() { # folders ROOT CLASS...
    for class in "${@:2}"; do
        mkdir -p "$1/$class"
        for number in 1 2 3 4; do cp $picture "$1/$class/$number.png"; done
    done
}
folders three ant bee cat
folders other ant cat dog
folders two ant bee
for name in three other two; do
    quietly "$LOCKSTEP" import images $name -o $name.h5 --size 8x8 --channels 1
done
quietly "$LOCKSTEP" import images three -o unlabelled.h5 --size 8x8 --channels 1 --labels none
cat >classes.yaml <<'END'
data: {train: three.h5, input: [rescale], target: labels}
model: [flatten, {dense: {units: 4, activation: relu, name: code}}, {dense: {units: 3, activation: softmax}}]
code: code
loss: categorical_crossentropy
metrics: [accuracy]
optimizer: adam
training: {epochs: 1, batch_size: 4, images: 0}
END
quietly "$LOCKSTEP" train classes.yaml --run classes
for data in three other two unlabelled; do
    quietly ranks 2 "$LOCKSTEP" encode classes --data $data.h5 -o $data.csv
    quietly ranks 2 "$LOCKSTEP" reconstruct classes --data $data.h5 -o $data.npy
    quietly ranks 2 "$LOCKSTEP" reconstruct classes --data $data.h5 -o $data.png
done
[ "$(head -n 1 other.csv)" = name,label,x0,x1,x2,x3 ] || fail "$(head -n 1 other.csv)"
[ "$(head -n 1 unlabelled.csv)" = name,x0,x1,x2,x3 ] || fail "$(head -n 1 unlabelled.csv)"
cmp <(tail -c 144 three.npy) <(tail -c 144 unlabelled.npy)
[ "$(head -n 1 three.rows.csv)" = name,label ] && [ "$(wc -l <three.rows.csv)" = 13 ] || fail "$(cat three.rows.csv)"
quietly "$LOCKSTEP" encode classes --data other.h5 -o other.codes.h5
"$LOCKSTEP" inspect other.codes.h5 | grep -q 'classes      3: ant, cat, dog'
cp classes/checkpoints/best.h5 alone.h5 2>/dev/null || cp -L classes/checkpoints/last.h5 alone.h5
quietly "$LOCKSTEP" decode alone.h5 --data other.codes.h5 -o decoded.npy

# What needs them compares them: evaluate, of a checkpoint alone as well, as train does.
refused() { # refused TEXT COMMAND...
    expect_exit 2 ranks 2 timeout $(patience 60) "$LOCKSTEP" "${@:2}" 2>messages >/dev/null
    said "$1"
}
quietly "$LOCKSTEP" evaluate classes --data two.h5
quietly "$LOCKSTEP" train classes.yaml --run fewer --set data.validation=two.h5
for run in classes alone.h5; do
    refused "class 1 is 'cat' in other.h5, but 'bee' in " evaluate $run --data other.h5
    refused 'unlabelled.h5 has no labels, and they are the target' evaluate $run --data unlabelled.h5
done
refused "class 1 is 'cat' in other.h5, but 'bee' in three.h5" train classes.yaml --run wrong --set data.validation=other.h5
refused 'unlabelled.h5 has no labels, and they are the target' train classes.yaml --run wrong --set data.validation=unlabelled.h5
sed 's/three.h5/two.h5/; s/units: 3/units: 2/' classes.yaml >fewer.yaml
refused 'three.h5 has 3 classes, but two.h5 has 2' train fewer.yaml --run wrong --set data.validation=three.h5

# Of another size: whose fault it is.
quietly "$LOCKSTEP" import images three -o large.h5 --size 16x16 --channels 1
refused 'large.h5 is not like the data of the training: ' encode classes --data large.h5 -o large.npy

# Names with commas and quotes come back, and what is written is read again.
mkdir names
cp $picture 'names/a, "b".png'
cp $picture names/plain.png
quietly "$LOCKSTEP" import images names -o names.h5 --size 28x28 --channels 1
quietly "$LOCKSTEP" encode plain --data names.h5 -o names.csv
grep -q '^"a, ""b"".png",' names.csv || fail "$(cut -c 1-60 names.csv)"
quietly "$LOCKSTEP" reconstruct plain --data names.h5 -o whole.npy
quietly ranks 2 "$LOCKSTEP" decode plain --data names.csv -o decoded.npy --overwrite
cmp whole.npy decoded.npy

# Codes that training binds to nothing: sample says so, and draws as real codes lie where it is given some.
warnings() { grep -c 'does not bind the codes' messages || true; }
quietly "$LOCKSTEP" sample plain -n 20 -o drawn.npy
[ "$(warnings)" = 1 ] || fail "$(cat messages)"
for number in 1 3; do quietly ranks $number "$LOCKSTEP" sample plain --data digits.h5 -n 20 -o like.$number.npy; done
[ "$(warnings)" = 0 ] || fail "$(cat messages)"
cmp like.1.npy like.3.npy
! cmp -s like.1.npy drawn.npy || fail "the codes' distribution makes no difference"

# A fault is told once: data without labels is not warned of for their names, too.
expect_exit 2 "$LOCKSTEP" evaluate classes --data unlabelled.h5 2>messages
said 'unlabelled.h5 has no labels'
! grep -q warning messages || fail "$(cat messages)"

# Data is looked at, not assumed: in training, validation, evaluate and encode, on all ranks alike, with one message that
# names file, sample and mend.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

refused() { # refused TEXT COMMAND...: on three ranks. A hang would take longer than a minute.
    expect_exit 2 ranks 3 timeout $(patience 60) "$LOCKSTEP" "${@:2}" >messages 2>&1
    said "$1"
}

small_data
cat >bytes.yaml <<'END'
data: {train: digits.h5, validation: {split: 0.2}, input: [rescale]}
model:
  - dropout: {rate: 0.1, name: given}
  - flatten
  - dense: {units: 16, activation: relu, name: code}
  - dense: {units: 784, activation: sigmoid}
code: code
loss: binary_crossentropy
optimizer: adam
training: {epochs: 1, batch_size: 50, images: 0}
END

# Floats of 0 to 255: what the model of bytes is given without rescale.
quietly "$LOCKSTEP" train bytes.yaml --run raw --set 'data.input=[]' --set 'data.target=[rescale]'
grep -q 'the input is within \[0, 255\], and networks hardly learn' messages || fail "no warning: $(cat messages)"
quietly "$LOCKSTEP" encode raw --data digits.h5 --layer given -o floats.h5
"$LOCKSTEP" inspect floats.h5 | grep -q '1,*030 of 28 x 28 x 1, float32'
wide='in the target, but binary_crossentropy needs numbers within [0, 1]; rescale the data: {rescale: {range: [0, 1], from: [SMALLEST, LARGEST]}}, with the smallest and the largest number of the file'
refused "$wide" train bytes.yaml --run wide --overwrite --set data.train=floats.h5
grep -q 'floats.h5: sample [0-9]* has the number [0-9.]* in the target' messages || fail "$(cat messages)"
for loss in binary_crossentropy_sum categorical_crossentropy; do
    [ $loss = categorical_crossentropy ] && end=softmax || end=sigmoid
    refused "but $loss needs numbers within [0, 1]" train bytes.yaml --run wide --overwrite --set data.train=floats.h5 \
        --set loss=$loss --set model.3.dense.activation=$end
done
# As is said there, it is the training of the bytes.
from='data.input=[{rescale: {range: [0, 1], from: [0, 255]}}]'
quietly ranks 2 "$LOCKSTEP" train bytes.yaml --run bytes
quietly ranks 2 "$LOCKSTEP" train bytes.yaml --run floats --set data.train=floats.h5 --set "$from"
diff <(metrics bytes) <(metrics floats) || fail "another training"
"$LOCKSTEP" inspect --diff bytes floats >differences || fail "$(cat differences)"

# Validation files of a set that trains, and evaluate: the same check.
quietly "$LOCKSTEP" reconstruct bytes --data digits.h5 -o unit.h5
refused "$wide" train bytes.yaml --run wide --overwrite --set data.train=unit.h5 --set data.validation=floats.h5
for command in evaluate 'encode -o codes.npy --overwrite'; do
    refused 'in the input, but the model needs numbers within [0, 1]' $command bytes --data floats.h5
done
refused 'floats.h5 is not like the data of the training: its samples are float32 and reach the model within [0, 1], but it was trained on uint8 within [0, 255]' \
    encode raw --data floats.h5 -o codes.npy --overwrite
[ -z "$(find . -name 'codes*')" ] || fail "left behind: $(find . -name 'codes*')"
quietly "$LOCKSTEP" evaluate bytes --data unit.h5

# What the last layer cannot give is warned of, once; what it can, and what is not known, is not.
for case in '1 sigmoid []' '0 linear []' '0 relu []' '0 sigmoid [rescale]' '0 tanh [{rescale: [-1, 1]}]' '1 relu [{rescale: [-1, 1]}]'; do
    read -r number activation input <<<"$case"
    quietly ranks 2 "$LOCKSTEP" train bytes.yaml --run reach --overwrite --set loss=mean_squared_error --set "data.input=$input" \
        --set model.3.dense.activation=$activation
    [ "$(grep -c "last layer's activation gives nothing outside" messages)" = "$number" ] || fail "$case: $(cat messages)"
done

# Not finite: in training, and where no target is looked at. Nothing is left behind.
infinite='data.input=[{rescale: [-3e38, 3e38]}]'
refused 'as input or target, has a number that is not finite' train bytes.yaml --run infinite --overwrite --set "$infinite" \
    --set 'data.target=[rescale]'
sed 's/input: \[rescale\]/input: [{rescale: {from: [0, 1e-38]}}], target: [rescale]/' bytes.yaml >overflow.yaml
refused 'has a number that is not finite' train overflow.yaml --run infinite --overwrite

# Transforms where they do not belong.
refused 'random_flip: belongs in data.augment' train bytes.yaml --set 'data.input=[random_flip, rescale]'
refused 'random_flip: belongs in data.augment' train bytes.yaml --set 'data.target=[random_flip, rescale]'
refused 'gaussian_noise is in data.target and nothing like it in data.input' train bytes.yaml \
    --set 'data.target=[rescale, {gaussian_noise: {stddev: 0.1}}]'
refused 'rescale: belongs in data.input or data.target' train bytes.yaml --set 'data.augment=[rescale]'
quietly "$LOCKSTEP" synth digits --channels 3 -n 20 --size 8x8 -o colours.h5
refused 'grayscale: belongs in data.input or data.target' train bytes.yaml --set data.train=colours.h5 \
    --set 'data.augment=[{grayscale: {channels: 3}}]'
[ ! -e runs ] || fail "a run has been begun"

# A file in training and in validation, by whatever name, is warned of; other files are not.
quietly "$LOCKSTEP" synth digits -n 100 --seed 2 -o others.h5
mkdir parts
cp digits.h5 parts/a.h5
cp others.h5 parts/b.h5
ln others.h5 linked.h5
shared() { # shared NUMBER VALIDATION: so many warnings
    quietly ranks 2 "$LOCKSTEP" train bytes.yaml --run leak --overwrite --set 'data.train=parts/*.h5' --set "data.validation=$2"
    [ "$(grep -c 'the validation loss says nothing of unseen samples' messages)" = "$1" ] || fail "$2: $(cat messages)"
}
shared 1 parts/b.h5
shared 1 linked.h5
shared 1 'parts/[b-c].h5'
quietly "$LOCKSTEP" synth digits -n 100 --seed 3 -o more.h5
shared 0 more.h5

# The name of a file that is there is no pattern, also beside one that it would match.
cp others.h5 'a[1].h5'
cp digits.h5 a1.h5
for name in 'a[1].h5' './a[1].h5'; do "$LOCKSTEP" inspect "$name" | grep -q ' 100 of 28' || fail "$name"; done
quietly "$LOCKSTEP" train bytes.yaml --run named --set 'data.train=a[1].h5'
grep -q ', 100 samples' named/log.txt || fail "$(cat named/log.txt)"
rm 'a[1].h5'
quietly "$LOCKSTEP" train bytes.yaml --run matched --set 'data.train=a[1].h5'
grep -q ', 1030 samples\|, 1,030 samples' matched/log.txt || fail "$(cat matched/log.txt)"

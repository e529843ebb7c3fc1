# Whatever is wrong with a command line, a config or what it names is said once, on one of four ranks, and all of them end with
# status 2 before anything has been written.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

"$LOCKSTEP" synth digits -n 64 -o digits.h5 2>/dev/null
cat >good.yaml <<END
data:
  train: digits.h5
  input: [{rescale: [0, 1]}]
model:
  - flatten
  - dense: {units: 3, activation: relu, name: code}
  - dense: {units: 784, activation: sigmoid}
code: code
loss: binary_crossentropy
optimizer: adam
training: {epochs: 1, batch_size: 3}
END

# refused MESSAGE ARGUMENT...: lockstep says that, and only that, and ends with 2.
refused() {
    local message=$1
    shift
    expect_exit 2 ranks 4 timeout $(patience 30) "$LOCKSTEP" "$@" 2>messages
    [ "$(grep '^lockstep: ' messages)" = "lockstep: error: $message" ] || fail "expected '$message', got: $(cat messages)"
    [ ! -e runs ] || fail "a run has been begun by: $*"
}

refused "which command? 'lockstep --help' lists them"
refused "unknown command 'trian'; did you mean 'train'?" trian good.yaml
refused "unknown option '--resme' of train; did you mean '--resume'?" train good.yaml --resme
refused "there is no help on 'con2d'; did you mean 'conv2d'?" help con2d
refused "there is no help on 'xyzzy'; see 'lockstep --help' and 'lockstep help config'" help xyzzy
refused "help: one word too many: '--bogus'; see 'lockstep --help'" help conv2d --bogus
refused "help: one word too many: 'digits'; see 'lockstep --help'" help train digits
refused "--version: one word too many: '--bogus'; see 'lockstep --help'" --version --bogus
refused "--run is empty; leave it out, or give it a value" train good.yaml --run ""
refused "--run needs a value" train good.yaml --run
refused "--run needs a value, and '--resume' is an option; if it is the value, write --run=--resume" train good.yaml --run --resume
refused "--set needs a value, and '--run' is an option; if it is the value, write --set=--run" train good.yaml --set --run x
refused "-o needs a value, and '-n' is an option; if it is the value, write -o=-n" synth digits -o -n 5
refused "--run needs a value, and '-o' is an option; if it is the value, write --run=-o" train config.yaml --run -o
refused "--code needs a value, and '--layer' is an option; if it is the value, write --code=--layer" decode run -o x.png --code --layer
refused "import images needs --size: HEIGHTxWIDTH, the size of all samples" import images . -o out.h5
refused "nothing.yaml: cannot be opened: No such file or directory" train nothing.yaml

sed 's/units: 3/unts: 3/' good.yaml >misspelt.yaml
refused "misspelt.yaml:6:13: unknown key 'unts' in dense; did you mean 'units'?" train misspelt.yaml
sed 's/units: 784/units: 783/' good.yaml >misshapen.yaml
refused "misshapen.yaml:9:7: the model's output of 783 does not fit the target of 28 x 28 x 1: 783 numbers against 784" \
    train misshapen.yaml
elsewhere="a relative path begins where lockstep is started, which is $PWD: start it elsewhere, or name the file with --set"
refused "--set data.train=no.h5: no.h5: cannot be opened: No such file or directory; $elsewhere data.train=FILE" train good.yaml --set data.train=no.h5
refused "--set data.train=nosuch/*.h5: nosuch/*.h5: no file matches; $elsewhere data.train=FILE" train good.yaml --set 'data.train=nosuch/*.h5'
refused "good.yaml:8:7: unknown layer 'code' as code; did you mean 'coda'?" train good.yaml --set model.1.dense.name=coda
refused "2 lanes are too few for 4 ranks, as every rank needs one: start at most 2 ranks, or add --set training.lanes=4" \
    train good.yaml --set training.lanes=2
refused "--set data.input=[]: binary_crossentropy needs a target within [0, 1], and this is within [0, 255]; end it with {rescale: [0, 1]}" \
    train good.yaml --set 'data.input=[]'
refused "--set data.input=[{rescale: [-1, 1]}]: binary_crossentropy needs a target within [0, 1], and this is within [-1, 1]; end it with {rescale: [0, 1]}" \
    train good.yaml --set 'data.input=[{rescale: [-1, 1]}]'
refused "good.yaml: a data set's name must end in .h5 or .hdf5" synth digits -o good.yaml
mkfifo pipe
refused "pipe: is a pipe or a device, not a file" inspect pipe
for command in train inspect; do
    refused "--set data.parts=100: data.parts is 100, but the training data has only 64 blocks, and a part needs one" \
        $command good.yaml --set data.parts=100
    sed 's/^  input/  validation: {split: 0.999}\n&/' good.yaml >split.yaml
    refused "split.yaml:3:23: data.validation.split: 0.999 of 64 samples leaves none to train on" $command split.yaml
    refused "--set data.validation=no.h5: no.h5: cannot be opened: No such file or directory; $elsewhere data.validation=FILE" \
        $command good.yaml --set data.validation=no.h5
done

# Short forms are told.
"$LOCKSTEP" synth digits --help >help
grep -q -- '--count, -n  *how many' help && grep -q -- '--output, -o ' help || fail "$(cat help)"

# What a config may say is told whole, or name by name in the same words.
"$LOCKSTEP" help config >whole
[ "$(grep -c '^  [a-z]' whole)" -gt 40 ] || fail "$(cat whole)"
grep '^  [a-z]' whole | while read -r name rest; do
    "$LOCKSTEP" help "$name" >help
    grep -qxF -- "$(grep "^  $name .*" whole | head -n 1)" help || fail "help $name: $(cat help)"
done
"$LOCKSTEP" help conv2d >help
grep -q '^    filters  *output channels (required)$' help && grep -q "^Every layer also takes 'name'" help || fail "$(cat help)"
"$LOCKSTEP" help training >help
[ "$(grep -c patience help)" = 2 ] || fail "$(cat help)"
"$LOCKSTEP" help keep | grep -q '^  training.checkpoint.keep  *how many numbered'
# An option: every type that has it.
"$LOCKSTEP" help units >help
[ "$(grep -c '^    units  *outputs (required)$' help)" = 3 ] && grep -qx '  dense' help && ! grep activation help || fail "$(cat help)"
"$LOCKSTEP" help learning_rate | grep -A 1 -x '  adam' | grep -q 'step size (default 0.001)'
"$LOCKSTEP" help idx | diff - <("$LOCKSTEP" import idx --help)
"$LOCKSTEP" help help | diff - <("$LOCKSTEP" --help)

# A batch that is more than an epoch is allowed, and said, once.
quietly ranks 4 "$LOCKSTEP" train good.yaml --run large --set training.batch_size=65
[ "$(grep -c '^lockstep: warning: batch_size is 65, but' messages)" = 1 ] || fail "$(cat messages)"

# The same config without a mistake trains: three samples on eight lanes and four ranks.
ranks 4 "$LOCKSTEP" train good.yaml --run fine >/dev/null 2>&1

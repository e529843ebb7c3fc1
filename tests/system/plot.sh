# scripts/plot: what it draws of runs and codes has all epochs, points and classes in it; what cannot be drawn is refused by name.
# An SVG is text, so it is looked into.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

# Help needs no library; what is missing is named with what installs it. -S hides all that is installed.
plot="$LOCKSTEP_ROOT/scripts/plot"
/usr/bin/python3 -S -E "$plot" --help | grep -q 'curves of its losses'
/usr/bin/python3 -S -E "$plot" codes --help | grep -q 'CODES.h5'
expect_exit 1 /usr/bin/python3 -S -E "$plot" loss nothing -o loss.png 2>messages
grep -q "^plot: No module named 'matplotlib': 'scripts/setup --tools' installs it" messages || fail "$(cat messages)"

/usr/bin/python3 -c 'import matplotlib, h5py' 2>messages ||
    skip "/usr/bin/python3 lacks what scripts/setup --tools installs: $(tail -n 1 messages)"
unset DISPLAY WAYLAND_DISPLAY
export MPLCONFIGDIR=$PWD
refuses() { # refuses TEXT ARGUMENTS...
    expect_exit 1 "$plot" "${@:2}" >messages 2>&1
    grep -qF -- "plot: " messages && grep -qF -- "$1" messages || fail "expected '$1' in: $(cat messages)"
    [ "$(wc -l <messages)" = 1 ] || fail "one line was expected: $(cat messages)"
}
drawn() { # drawn FILE.svg TEXT...: its texts, in any order
    local text
    for text in "${@:2}"; do grep -qF -- "<!-- $text -->" "$1" || fail "$1 has no '$text'"; done
}

small_data
config() { # config WIDTH
    cat <<YAML
data: {train: digits.h5, validation: {split: 0.2}, input: [rescale]}
model:
  - flatten
  - dense: {units: $1, name: code}
  - dense: {units: 784, activation: sigmoid}
code: code
loss: mean_squared_error
metrics: [mean_absolute_error]
optimizer: adam
training: {epochs: 3, batch_size: 100, images: 0}
YAML
}
for width in 2 3 4; do
    config $width >config.yaml
    quietly ranks 2 "$LOCKSTEP" train config.yaml --run "runs/of$width"
    quietly "$LOCKSTEP" encode "runs/of$width" -o "codes$width.h5"
done

# Losses: of several runs, of another metric, of a run that is just writing a line, of one without validation.
"$plot" loss runs/of2 runs/of3/ -o loss.svg
drawn loss.svg 'of2, validation' 'of2, training' 'of3, validation' 'of3, training' epoch loss
# A curve of three epochs is a path of a move and two lines.
[ "$(grep -A 3 '<path d="M ' loss.svg | tr '\n' ' ' | grep -oE 'M [0-9. ]+ L [0-9. ]+ L [0-9. ]+ " clip-path[^>]*stroke: #[0-9a-f]{6}' | wc -l)" = 4 ] ||
    fail "four curves were expected: $(grep -A 3 '<path d="M ' loss.svg)"
"$plot" loss runs/of2 --metric mean_absolute_error -o loss.svg
drawn loss.svg mean_absolute_error
printf '{"epoch": 4, "lo' >>runs/of2/metrics.jsonl
"$plot" loss runs/of2 -o loss.png
[ "$(head -c 8 loss.png | od -An -tx1)" = ' 89 50 4e 47 0d 0a 1a 0a' ]
quietly "$LOCKSTEP" train config.yaml --run bare --set data.validation=none --set training.epochs=1
"$plot" loss bare -o loss.svg
drawn loss.svg 'bare, training'
mkdir empty
refuses 'empty/metrics.jsonl: No such file or directory: is empty a run' loss empty -o loss.png
touch empty/metrics.jsonl
refuses 'empty/metrics.jsonl: no epoch has ended yet' loss empty -o loss.png
refuses 'runs/of3 has no accuracy; it has loss, mean_absolute_error' loss runs/of3 --metric accuracy -o loss.png
refuses "loss.doc: Format 'doc' is not supported" loss runs/of3 -o loss.doc

# Codes: each a point, coloured by its digit; the ones of three numbers are drawn from two sides.
points() { grep -cE '<use .*style="fill: #[0-9a-f]{6}' "$1"; }
"$plot" codes codes2.h5 -o codes.svg
drawn codes.svg 0 1 2 3 4 5 6 7 8 9 'first number' 'second number'
[ "$(points codes.svg)" = $((206 + 10)) ] || fail "points and a legend: $(points codes.svg)"
"$plot" codes codes3.h5 -o codes.svg
drawn codes.svg 0 9 'third number'
[ "$(points codes.svg)" = $((2 * 206 + 10)) ] || fail "points and a legend: $(points codes.svg)"
mkdir -p pictures/cats pictures/dogs
for picture in cats/1 cats/2 dogs/1 dogs/2; do quietly "$LOCKSTEP" sample runs/of2 -n 1 -o pictures/$picture.png; done
quietly "$LOCKSTEP" import images pictures -o pictures.h5 --size 28x28 --channels 1
quietly "$LOCKSTEP" encode runs/of2 --data pictures.h5 -o named.h5
"$plot" codes named.h5 -o codes.svg
drawn codes.svg cats dogs
quietly "$LOCKSTEP" import images pictures -o pictures.h5 --size 28x28 --channels 1 --labels none --overwrite
quietly "$LOCKSTEP" encode runs/of2 --data pictures.h5 -o plain.h5
"$plot" codes plain.h5 -o codes.svg
[ "$(points codes.svg)" = 4 ] || fail "four points were expected: $(points codes.svg)"
quietly "$LOCKSTEP" encode runs/of2 -o codes2.npy
"$plot" codes codes2.npy -o codes.svg
[ "$(points codes.svg)" = 206 ] || fail "points: $(points codes.svg)"
refuses 'runs/of2: a directory; `lockstep encode runs/of2 -o codes.h5` writes the codes of a run' codes runs/of2 -o codes.png
refuses "codes4.h5: codes of 4 numbers; points have two or three" codes codes4.h5 -o codes.png
refuses 'config.yaml: not a data set of codes' codes config.yaml -o codes.png

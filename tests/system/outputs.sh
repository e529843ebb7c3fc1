# What comes after training: evaluate, encode and reconstruct agree with the training and with one another on any number of ranks;
# early stopping, parts, labels.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >config.yaml
train() { quietly ranks "$1" "$LOCKSTEP" train config.yaml --run "${@:2}"; }
loss() { sed -nE 's/.*"loss": ([^,]*),.*/\1/p'; }
evaluated() { ranks "$1" "$LOCKSTEP" evaluate "${@:2}" 2>messages | loss; }
equal() { [ -n "$1" ] && [ "$1" = "$2" ] || fail "'$1' and '$2' should be equal"; }

# The last epoch's validation loss is what evaluate finds, in every digit.
train 2 run --set training.epochs=3
equal "$(metric run val_loss)" "$(evaluated 1 run/checkpoints/last.h5)"
equal "$(metric run val_loss)" "$(evaluated 3 run/checkpoints/last.h5)"
equal "$(evaluated 1 run --data digits.h5)" "$(evaluated 9 run --data digits.h5)"

# Arrays: 206 samples are held out; float32 after a header of 128 bytes.
for number in 1 3; do
    quietly ranks $number "$LOCKSTEP" encode run -o codes.$number.npy
    quietly ranks $number "$LOCKSTEP" reconstruct run -o pictures.$number.npy
    quietly ranks $number "$LOCKSTEP" reconstruct run -o pictures.$number.h5
    quietly ranks $number "$LOCKSTEP" reconstruct run -o grid.$number.png
done
for name in codes.N.npy pictures.N.npy pictures.N.h5 grid.N.png; do
    cmp "${name/N/1}" "${name/N/3}"
done
head -c 128 codes.1.npy | grep -aq "'descr': '<f4', 'fortran_order': False, 'shape': (206, 7, 7, 3"
equal "$(stat -c %s codes.1.npy)" $((128 + 4 * 206 * 7 * 7 * 3))
equal "$(stat -c %s pictures.1.npy)" $((128 + 4 * 206 * 28 * 28))
"$LOCKSTEP" inspect pictures.1.h5 | grep -q 'samples      206 of 28 x 28 x 1, float32'

# Early stopping: at the same epoch on any number of ranks, with the weights of the best.
stopping=(--set training.early_stopping='{monitor: val_loss, patience: 2, restore_best: true}'
    --set 'optimizer={adam: {learning_rate: 0.3}}')
for number in 1 3; do
    train $number early.$number --set training.epochs=40 "${stopping[@]}"
done
same_run early.1 early.3
val_losses() { sed -nE 's/.*"val_loss": ([^,]*),.*/\1/p' "$1/metrics.jsonl"; }
best=$(val_losses early.1 | sort -g | head -n 1)
last=$(metric early.1 epoch)
[ "$last" -lt 40 ] || fail "it did not stop early"
equal "$best" "$(evaluated 1 early.1)"
equal "$best" "$(evaluated 1 early.1/checkpoints/last.h5)"
equal "$best" "$(val_losses early.1 | sed -n "$((last - 2))p")"
# The same where it is killed and goes on in between.
train 2 early.2 --set training.epochs=40 "${stopping[@]}" --set training.checkpoint.keep=99
cp -a early.2 bad
rm $(ls early.2/checkpoints/step-* | tail -n 1)
train 1 early.2 --resume --set training.epochs=40 "${stopping[@]}"
same_run early.1 early.2
# Also where the epochs run out before.
train 2 out --set training.epochs=$((last - 1)) "${stopping[@]}"
equal "$best" "$(evaluated 1 out/checkpoints/last.h5)"
# The best are not taken unseen.
rm $(ls bad/checkpoints/step-* | tail -n 1)
printf X | dd of=bad/checkpoints/best.h5 bs=1 seek=3000 conv=notrunc 2>/dev/null
expect_exit 2 ranks 2 "$LOCKSTEP" train config.yaml --run bad --resume --set training.epochs=40 "${stopping[@]}" >messages 2>&1
said 'bad/checkpoints/best.h5: damaged'

# Parts: each epoch judges another part; evaluate looks at what all of them hold out: 206 of 1030, a fifth of each part.
train 2 parts --set data.parts=3 --set training.epochs=3
"$LOCKSTEP" evaluate parts >parts.json 2>messages
grep -q '"samples": 20[5-8],' parts.json || fail "$(cat parts.json)"

# Labels as the target.
cat >labels.yaml <<'END'
data:
  train: digits.h5
  validation: digits.h5
  input: [rescale]
  target: labels
model:
  - flatten
  - dense: {units: 30, activation: relu}
  - dense: {units: 10, activation: softmax}
loss: mean_squared_error
optimizer: {adam: {learning_rate: 0.01}}
training: {epochs: 5, batch_size: 32}
END
quietly ranks 2 "$LOCKSTEP" train labels.yaml --run labels
equal "$(metric labels val_loss)" "$(evaluated 3 labels/checkpoints/last.h5)"
awk "BEGIN { exit !($(metric labels val_loss) < 0.04) }" || fail "it does not learn: $(cat labels/metrics.jsonl)"
quietly ranks 2 "$LOCKSTEP" reconstruct labels -o classes.npy

# What is not needed need not be there; what has changed is not taken for what was held out.
quietly "$LOCKSTEP" synth digits -n 200 --seed 4 -o test.h5
quietly "$LOCKSTEP" train config.yaml --run files --set data.validation=test.h5
mv digits.h5 away.h5
quietly "$LOCKSTEP" evaluate files
cp test.h5 digits.h5
expect_exit 2 "$LOCKSTEP" evaluate run >messages 2>&1
grep -q 'digits.h5 is not what run/checkpoints/best.h5 was trained on' messages || fail "$(cat messages)"
mv away.h5 digits.h5

# What is read is not written over.
md5sum test.h5 run/checkpoints/last.h5 >before
expect_exit 2 "$LOCKSTEP" encode run --data test.h5 -o test.h5 2>messages
grep -q 'test.h5 is to be read' messages || fail "$(cat messages)"
expect_exit 2 "$LOCKSTEP" encode run/checkpoints/last.h5 --data test.h5 -o run/checkpoints/last.h5 2>messages
printf '\0\0\010\001\0\0\0\003abc' >raw
expect_exit 2 "$LOCKSTEP" import idx raw -o raw 2>messages
md5sum --quiet -c before

# Nor is an imported data set, without --overwrite; an output before it is. What was written is said, once, and not to stdout.
for command in 'encode run' 'reconstruct run' 'decode run --data codes.1.npy' 'sample run'; do
    cp digits.h5 mine.h5
    expect_exit 2 ranks 2 "$LOCKSTEP" $command -n 5 -o mine.h5 >stdout 2>messages
    said 'mine.h5 is there already, and is a data set of pictures; give another name, or --overwrite'
    cmp digits.h5 mine.h5
    ranks 2 "$LOCKSTEP" $command -n 5 -o mine.h5 --overwrite >stdout 2>messages
    ! cmp -s digits.h5 mine.h5 || fail "$command: not written"
    for ending in h5 npy csv png; do
        for time in first second; do
            "$LOCKSTEP" $command -n 5 -o mine.$ending >stdout 2>messages
            [ "$(grep -c "^mine.$ending: .* 5 .* weights of epoch " messages)" = 1 ] && [ ! -s stdout ] || fail "$(cat messages stdout)"
        done
    done
done

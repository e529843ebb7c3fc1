# MNIST itself, where it is there: imported, and the smallest autoencoder learns in one epoch what it should.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"
[ -n "$DATA" ] || skip "no real data"

mkdir data
for part in train t10k; do
    quietly ranks 2 "$LOCKSTEP" import idx "$DATA/mnist/$part-images-idx3-ubyte.gz" "$DATA/mnist/$part-labels-idx1-ubyte.gz" \
        -o data/mnist-${part/t10k/test}.h5
done
quietly ranks 2 "$LOCKSTEP" train "$LOCKSTEP_ROOT/configs/mnist-dense.yaml" --set training.epochs=1
awk "BEGIN { exit !($(metric runs/mnist-dense val_loss) < 0.30) }" || fail "$(cat runs/mnist-dense/metrics.jsonl)"
quietly ranks 2 "$LOCKSTEP" encode runs/mnist-dense -o codes.npy
[ "$(stat -c %s codes.npy)" = $((128 + 4 * 32 * 10000)) ]

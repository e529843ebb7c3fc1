# scripts/reproduce: a config's run and what it builds on, the table's row and the picture; again, nothing is trained.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

reproduce() { LOCKSTEP=$LOCKSTEP "$LOCKSTEP_ROOT/scripts/reproduce" "$@" >messages 2>&1; }

expect_exit 2 reproduce mnist-dens
grep -q 'mnist-dens: no such config; there are .*mnist-dense,' messages || fail "$(cat messages)"

mkdir data
quietly "$LOCKSTEP" synth digits -n 60 -o data/mnist-train.h5
cp data/mnist-train.h5 data/mnist-test.h5
reproduce mnist-codes-classifier mnist-dense3 --ranks 1
grep '^|' messages >table
for run in mnist-deep mnist-codes-classifier mnist-dense3; do [ -s runs/$run/metrics.jsonl ] || fail "no run of $run"; done
[ -s runs/mnist-dense3/one.png ] && [ -s runs/mnist-dense3/picture.png ] || fail "no picture"
last=$(tail -n 1 runs/mnist-codes-classifier/metrics.jsonl | sed 's/.*"val_loss": \([0-9.]*\).*/\1/')
grep -q "^| mnist-codes-classifier | 30 | .* | $(printf %.4g "$last") | .*accuracy" table || fail "$(cat table)"

cp runs/mnist-dense3/metrics.jsonl before
reproduce mnist-codes-classifier mnist-dense3 --ranks 1
grep '^|' messages | diff table - >&2 || fail "another table"
diff before runs/mnist-dense3/metrics.jsonl >&2 || fail "trained again"

# A checkout whose path has a space; a run without validation data; a config that is named twice.
mkdir -p "a checkout/scripts" "a checkout/configs"
cp "$LOCKSTEP_ROOT"/scripts/{reproduce,mpi-env} "a checkout/scripts"
sed 's/epochs: [0-9]*/epochs: 1/' "$LOCKSTEP_ROOT/configs/mnist-deep.yaml" >"a checkout/configs/mnist-deep.yaml"
sed '/^  validation/d; s/epochs: [0-9]*/epochs: 1/' "$LOCKSTEP_ROOT/configs/mnist-codes-classifier.yaml" \
    >"a checkout/configs/mnist-codes-classifier.yaml"
rm -r runs
LOCKSTEP=$LOCKSTEP "a checkout/scripts/reproduce" mnist-codes-classifier mnist-codes-classifier >messages 2>&1 ||
    fail "$(cat messages)"
[ "$(grep -c '^| mnist-codes-classifier | 1 | [0-9.]* |  |  | .*accuracy' messages)" = 1 ] || fail "$(cat messages)"

# What fails is said, and ends it.
rm data/mnist-test.h5
expect_exit 1 reproduce mnist-dense
grep -q 'data/mnist-test.h5' messages && grep -q 'ended with 2' messages || fail "$(cat messages)"

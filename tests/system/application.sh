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

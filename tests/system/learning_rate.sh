# Schedules, a rate that falls on a plateau, and clipping by the global norm: the same on any ranks and after a resume, and
# seen in the metrics.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >config.yaml

# with NAME OPTIMIZER TRAINING: a config with this optimizer and these additional settings of training.
with() { sed "s|^optimizer: .*|optimizer: $2|; s|epochs: 1,|epochs: 4, ${3:-}|" config.yaml >"$1.yaml"; }

with cosine '{adam: {learning_rate: {cosine_decay: {initial_learning_rate: 0, warmup_target: 0.01, warmup_steps: 20, decay_steps: 48, alpha: 0.1}}, global_clipnorm: 0.05}}'
with steps '{sgd: {momentum: 0.9, learning_rate: {piecewise_constant_decay: {boundaries: [20, 40], values: [0.5, 0.25, 0.1]}}}}'
with plateau '{rmsprop: {learning_rate: 0.01, global_clipnorm: 1000}}' 'reduce_lr_on_plateau: {monitor: loss, patience: 1, min_delta: 0.1, factor: 0.5},'

for config in cosine steps plateau; do
    quietly "$LOCKSTEP" train $config.yaml --run $config
    quietly ranks 3 "$LOCKSTEP" train $config.yaml --run $config-3 --set training.exchange.mode=messages \
        --set training.exchange.bucket_mb=0.001
    quietly ranks 2 "$LOCKSTEP" train $config.yaml --run $config-cut --set training.epochs=2
    quietly "$LOCKSTEP" train $config.yaml --run $config-cut --resume --set training.epochs=4
    same_run $config $config-3
    same_run $config $config-cut
done

rates() { sed -nE 's/.*"lr": ([^,}]*).*/\1/p' "$1/metrics.jsonl" | tr '\n' ' '; }
[ "$(rates steps)" = '0.5 0.25 0.1 0.1 ' ] || fail "steps: $(rates steps)"
[ "$(rates plateau | cut -d ' ' -f 1)" = 0.01 ] || fail "plateau: $(rates plateau)"
rates plateau | grep -q ' 0.005 ' || fail "plateau: $(rates plateau)"
[ "$(rates cosine | cut -d ' ' -f 1)" = 0.008 ] || fail "cosine: $(rates cosine)"

# What does not fit together is said before anything begins.
expect_exit 2 "$LOCKSTEP" train cosine.yaml --run none --set training.reduce_lr_on_plateau.patience=3 >messages 2>&1
said 'reduce_lr_on_plateau needs a learning_rate that is a number'
expect_exit 2 "$LOCKSTEP" train steps.yaml --run none \
    --set 'optimizer.sgd.learning_rate.piecewise_constant_decay.values=[1, 2]' >messages 2>&1
said '2 boundaries need 3 values, not 2'

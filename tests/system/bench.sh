# What bench prints: a line for people, or a JSON object, whatever the config's name.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >'odd "name" \.yaml'
ranks 2 "$LOCKSTEP" bench 'odd "name" \.yaml' --steps 2 --json >out 2>messages
grep -qE '^\{"config": "odd \\"name\\" \\\\.yaml", "parameters": [0-9]+, "ranks": 2, .*"ms_per_step": [0-9.]+, "exchange_ms": [0-9.]+, "waiting_ms": [0-9.]+, .*"share_of_peak": [0-9.]+\}$' out ||
    fail "$(cat out messages)"
"$LOCKSTEP" bench 'odd "name" \.yaml' --steps 2 >out 2>messages
grep -qE '^odd "name" \\.yaml: 1 ranks x [0-9]+ threads, .* GFLOP/s' out || fail "$(cat out messages)"
expect_exit 2 "$LOCKSTEP" bench "$LOCKSTEP_ROOT/configs/mnist-codes-classifier.yaml" >out 2>messages
grep -q 'without --shape, .* bench needs data: .*cannot be opened' messages || fail "$(cat messages)"
"$LOCKSTEP" bench "$LOCKSTEP_ROOT/configs/mnist-codes-classifier.yaml" --shape 32 --steps 2 >out 2>messages
grep -qE ': 1 ranks x .* GFLOP/s' out || fail "$(cat out messages)"

# The profile: each layer and what it does, an input gradient only where a layer before has weights.
"$LOCKSTEP" bench 'odd "name" \.yaml' --steps 2 --profile >out 2>messages
for line in 'conv2d +forward' 'conv2d +weight gradient' 'code +input gradient' ' +loss' ' +exchange and update'; do
    grep -qE "^  $line +[0-9.]+" out || fail "no '$line': $(cat out messages)"
done
! grep -qE '^  conv2d +input gradient' out || fail "$(cat out)"
ranks 2 "$LOCKSTEP" bench 'odd "name" \.yaml' --steps 2 --profile --json >out 2>messages
grep -qE '"profile": \[\{"layer": "conv2d", "work": "forward", "ms": [0-9.]+, .*"work": "exchange and update", .*\}\]\}$' out ||
    fail "$(cat out messages)"
[ "$(wc -l <out)" = 1 ] || fail "more than one line: $(cat out)"

# The table of `make bench`: Lockstep alone without PyTorch (-S: Python's own modules only); beside it where that is.
command -v python3 >messages || skip "no python3"
cat >check.py <<'END_PYTHON'
import json, sys
table = json.load(open("table.json"))
systems, (model,) = sys.argv[1:], table["models"]
assert sorted(model["ms_per_step"]) == sorted(model["rounds_ms"]) == sorted(systems), table
assert all(0 < min(model["rounds_ms"][name]) <= model["ms_per_step"][name] for name in systems), table
assert 0 < model["share_of_peak"] and model["gflops"] < model["peak_gflops"], table
assert (table.get("minimum") == model["ratio"]) and (model["ratio"] is None) == (len(systems) == 1), table
END_PYTHON
bench() { quietly python3 "$@" --program "$LOCKSTEP" --json table.json --seconds 0.01 --rounds 2; }
bench -S "$LOCKSTEP_ROOT/scripts/bench" 'odd "name" \.yaml'
grep -q 'has no PyTorch: only Lockstep is timed' messages && grep -qE '^\| odd "name" \\ +\| +50 \|' messages || fail "$(cat messages)"
python3 check.py lockstep
if [ "$LOCKSTEP_TEST_FULL" = 1 ] && python3 -c 'import torch' 2>/dev/null; then
    bench "$LOCKSTEP_ROOT/scripts/bench" "$LOCKSTEP_ROOT/configs/mnist-dense.yaml"
    python3 check.py lockstep pytorch pytorch_ddp
fi

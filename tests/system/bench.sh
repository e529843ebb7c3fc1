# What bench prints: a line for people, or a JSON object, whatever the config's name.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >'odd "name" \.yaml'
ranks 2 "$LOCKSTEP" bench 'odd "name" \.yaml' --steps 2 --json >out 2>messages
grep -qE '^\{"config": "odd \\"name\\" \\\\.yaml", "ranks": 2, .*"ms_per_step": [0-9.]+, "exchange_ms": [0-9.]+, "waiting_ms": [0-9.]+, .*"share_of_peak": [0-9.]+\}$' out ||
    fail "$(cat out messages)"
"$LOCKSTEP" bench 'odd "name" \.yaml' --steps 2 >out 2>messages
grep -qE '^odd "name" \\.yaml: 1 ranks x [0-9]+ threads, .* GFLOP/s' out || fail "$(cat out messages)"

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

# What bench prints: a line for people, or a JSON object, whatever the config's name.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >'odd "name" \.yaml'
ranks 2 "$LOCKSTEP" bench 'odd "name" \.yaml' --steps 2 --json >out 2>messages
grep -qE '^\{"config": "odd \\"name\\" \\\\.yaml", "ranks": 2, .*"ms_per_step": [0-9.]+, "exchange_ms": [0-9.]+, "waiting_ms": [0-9.]+, .*"share_of_peak": [0-9.]+\}$' out ||
    fail "$(cat out messages)"
"$LOCKSTEP" bench 'odd "name" \.yaml' --steps 2 >out 2>messages
grep -qE '^odd "name" \\.yaml: 1 ranks x [0-9]+ threads, .* GFLOP/s' out || fail "$(cat out messages)"

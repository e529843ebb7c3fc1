# Ranks on several hosts over TCP give the bits of one host. A host that dies ends the job within seconds, and the run goes
# on without it.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"
. "$LOCKSTEP_ROOT/tests/cluster/hosts.sh"

small_data
small_config >config.yaml
quietly "$LOCKSTEP" train config.yaml --run one

# train HOSTS RUN OPTION...: "h1:2,h2:1" are two ranks on h1 and one on h2.
train() { on h1 mpirun --host "$1" "$LOCKSTEP" train config.yaml --run "$2" "${@:3}"; }

hosts_up 4 1gbit
for hosts in h1,h2 h1:2,h2:2 h1,h2:2,h3,h4; do
    quietly train $hosts "on-$hosts"
    same_run one "on-$hosts"
done

long=(--resume --set training.epochs=1000000)
started() { [ "$(cat run/metrics.jsonl 2>/dev/null | wc -l)" -ge 2 ]; }

train h1,h2,h3,h4 run "${long[@]}" >messages 2>&1 &
await 60 started
hosts_kill h3
status=0 begin=$EPOCHSECONDS
wait $! || status=$?
[ $status != 0 ] || fail "the job lost a host and ended with 0: $(cat messages)"
[ $((EPOCHSECONDS - begin)) -le 20 ] || fail "the job took $((EPOCHSECONDS - begin)) s to notice that a host was lost"
await 10 nobody_left

epochs=$(($(wc -l <run/metrics.jsonl) + 1))
quietly train h1,h2:2 run --resume --set training.epochs=$epochs
quietly "$LOCKSTEP" train config.yaml --run whole --set training.epochs=$epochs
same_run whole run

# Ranks on several hosts over TCP give the bits of one host. A cable that is pulled, and a host that dies, end the job within
# seconds, and the run goes on without them.
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

# Lockstep sees a lost host first, and mpirun two seconds later: Open MPI 4 may hang where the ranks have left long before.
stall_s=$(patience 3)
for family in OMPI PRTE; do hosts_mpi+=(${family}_MCA_oob_tcp_keepalive_time=$((stall_s - 1))); done

an_epoch_more() { [ "$(cat run/metrics.jsonl 2>/dev/null | wc -l)" -gt "$1" ]; }

# Open MPI 5's mpirun (prterun), when the ranks have gone, may wait for a lost host's daemon for ever, or find it lost and leave
# with 0: what it does then is not looked at.
end_launcher_5() {
    local process
    for process in /proc/[0-9]*; do
        [ "$(cat "$process/comm" 2>/dev/null)" != prterun ] || kill -KILL "${process#/proc/}"
    done
}

# lost SECONDS COMMAND...: it takes a host from the job, which then ends within so many seconds.
lost() {
    local epochs=0 status=0 begin
    [ ! -f run/metrics.jsonl ] || epochs=$(wc -l <run/metrics.jsonl)
    train h1,h2,h3,h4 run --resume --set training.epochs=1000000 --set training.stall_timeout=$stall_s >messages 2>&1 &
    await 60 an_epoch_more "$epochs"
    "${@:2}"
    begin=$EPOCHSECONDS
    await $((2 * stall_s + $1)) nobody_left
    end_launcher_5
    wait $! || status=$?
    [ $status != 0 ] || grep -q 'PRTE has lost communication' messages || fail "the job lost a host and ended with 0: $(cat messages)"
    [ $((EPOCHSECONDS - begin)) -le $((2 * stall_s + $(patience "$1"))) ] || fail "it took $((EPOCHSECONDS - begin)) s: $(cat messages)"
}

lost 20 hosts_cut h2
grep -q '; rank 1 on h2 does not answer;.* the job is ended' messages || fail "who? $(cat messages)"
[ "$(grep -c 'nothing has moved' messages)" = 1 ] || fail "one message was expected: $(cat messages)"
hosts_join h2
lost 20 hosts_kill h3

epochs=$(($(wc -l <run/metrics.jsonl) + 1))
quietly train h1,h2:2 run --resume --set training.epochs=$epochs
quietly "$LOCKSTEP" train config.yaml --run whole --set training.epochs=$epochs
same_run whole run

# Hosts that are milliseconds away from one another give the bits of one host, too.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"
command -v wirefilter >/dev/null || skip "no 'wirefilter' to hold messages back with (vde2)"
(: <>/dev/net/tun) 2>/dev/null || skip "no network devices of programs here (/dev/net/tun)"
. "$LOCKSTEP_ROOT/tests/cluster/hosts.sh"

small_data
small_config >config.yaml
quietly "$LOCKSTEP" train config.yaml --run one
hosts_up 3 1gbit 2
quietly on h1 mpirun --host h1,h2:2,h3 "$LOCKSTEP" train config.yaml --run far
same_run one far

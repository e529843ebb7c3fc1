# hosts.sh - several hosts on one machine, for system tests. Sourced after lib.sh:
#
#   . "$LOCKSTEP_ROOT/tests/cluster/hosts.sh"
#   hosts_up 4                      hosts h1..h4, joined by a switch
#   on h1 mpirun --host h1:2,h2:2 COMMAND...
#   hosts_cut h2; hosts_join h2     its network cable is pulled, and put back
#   hosts_kill h2                   its power goes: nobody says goodbye
#
# A host has a network, a host name and a /dev/shm of its own; files and process ids are common. All of it lives in
# namespaces that the test enters first: nothing can be reached from the machine's own network nor reaches it, and with
# the test's process everything is gone. Needs root or user namespaces, and iproute2.

hosts_namespaces=(unshare --mount --uts --net --pid --fork --kill-child --mount-proc)
[ "$(id -u)" = 0 ] || hosts_namespaces+=(--map-root-user)

# The test starts again, inside.
if [ -z "${HOSTS:-}" ]; then
    mpirun --version | grep -q 'Open MPI' || skip "the hosts are for Open MPI's mpirun, and this is another one"
    command -v ip >/dev/null || skip "no 'ip' to wire hosts with (iproute2)"
    "${hosts_namespaces[@]}" ip link add probe type bridge 2>messages ||
        skip "namespaces for several hosts are forbidden here: $(tail -n 1 messages)"
    export HOSTS=$PWD/hosts
    mkdir "$HOSTS"
    exec "${hosts_namespaces[@]}" bash "$0" "$@"
fi

# Open MPI there (4 and, as PRTE_, 5): the other hosts through tests/cluster/agent in place of ssh, only the hosts' network, and shared
# memory where the hosts have it. A daemon that is not heard of for some seconds is lost (by default: for ever). What
# scripts/mpi-env allows on one host, more ranks than cores, makes Open MPI 5 put all ranks on the first one.
hosts_mpi=(
    -u OMPI_MCA_btl_vader_backing_directory -u OMPI_MCA_btl_sm_backing_directory -u OMPI_MCA_osc_sm_backing_directory
    -u PRTE_MCA_rmaps_default_mapping_policy
    OMPI_MCA_btl=^openib,ofi,uct,usnic OMPI_MCA_btl_tcp_if_include=10.77.0.0/24
    OMPI_MCA_plm=rsh OMPI_MCA_ras=^slurm OMPI_MCA_plm_rsh_agent="$LOCKSTEP_ROOT/tests/cluster/agent"
    OMPI_MCA_oob_tcp_if_include=10.77.0.0/24
    OMPI_MCA_oob_tcp_keepalive_time=2 OMPI_MCA_oob_tcp_keepalive_intvl=1 OMPI_MCA_oob_tcp_keepalive_probes=3
    PRTE_MCA_plm=ssh PRTE_MCA_ras=^slurm PRTE_MCA_plm_ssh_agent="$LOCKSTEP_ROOT/tests/cluster/agent"
    PRTE_MCA_oob_tcp_if_include=eth0
    PRTE_MCA_oob_tcp_keepalive_time=2 PRTE_MCA_oob_tcp_keepalive_intvl=1 PRTE_MCA_oob_tcp_keepalive_probes=3
)

# on HOST COMMAND...: there, in the current directory.
on() {
    nsenter --target "$(cat "$HOSTS/$1")" --mount --uts --net --wd="$PWD" -- env "${hosts_mpi[@]}" "${@:2}"
}

# The holder of a host's namespaces: they live as long as it does.
hosts_hold() {
    hostname "$1"
    mount -t tmpfs -o size=1g tmpfs /dev/shm
    ip link set lo up
    echo $BASHPID >"$HOSTS/$1.new" && mv "$HOSTS/$1.new" "$HOSTS/$1"
    exec sleep infinity
}

# What is sent through a pair of Ethernet devices arrives at once; between two of vde2's switches a filter can hold it back.
hosts_long_cable() {
    local here=$1 there=$2 delay_ms=$3 end
    for end in "$here" "$there"; do vde_switch -sock "$HOSTS/socket-$end" -tap "$end" -daemon; done
    wirefilter --vde-plug "$HOSTS/socket-$here:$HOSTS/socket-$there" --delay "$delay_ms" --daemon
}

# hosts_add HOST ADDRESS [DELAY_MS]
hosts_add() {
    local host=$1 address=$2
    export -f hosts_hold
    unshare --mount --uts --net bash -c "hosts_hold $host" >/dev/null 2>&1 &
    await 10 test -s "$HOSTS/$host"
    if [ -n "${3:-}" ]; then
        hosts_long_cable "cable-$host" "far-$host" "$3"
    else
        ip link add "cable-$host" type veth peer name "far-$host"
    fi
    ip link set "far-$host" netns "$(cat "$HOSTS/$host")" name eth0
    ip link set "cable-$host" master switch up
    on "$host" ip address add "$address/24" dev eth0
    on "$host" ip link set eth0 up
}

# hosts_rate HOST RATE: of its cable from now on, in both directions, as tc has it ("1gbit"; "": unlimited). After a pause 64 KiB
# pass at once.
hosts_rate() {
    local queue=(pfifo)
    [ -z "$2" ] || queue=(tbf rate "$2" burst 64kb latency 20ms)
    tc qdisc replace dev "cable-$1" root "${queue[@]}"
    on "$1" tc qdisc replace dev eth0 root "${queue[@]}"
}

# hosts_up NUMBER [RATE [DELAY_MS]]: cables of that rate, and with that delay (needs vde2's switch and filter, as few kernels
# have netem).
hosts_up() {
    local i
    echo '127.0.0.1 localhost' >"$HOSTS/names"
    for ((i = 1; i <= $1; i++)); do echo "10.77.0.$i h$i" >>"$HOSTS/names"; done
    mount --bind "$HOSTS/names" /etc/hosts
    ip link set lo up
    ip link add switch type bridge && ip link set switch up
    for ((i = 1; i <= $1; i++)); do
        hosts_add "h$i" "10.77.0.$i" "${3:-}"
        [ -z "${2:-}" ] || hosts_rate "h$i" "$2"
    done
}

hosts_cut() { ip link set "cable-$1" down; }

# What was sent without a cable has left searches for the others' addresses behind, and the first connection after that would
# fail with such a search, not begin its own.
hosts_join() {
    ip link set "cable-$1" up
    on "$1" ip neighbour flush dev eth0
}

# hosts_processes HOST: the ids of all that runs there, its holder too.
hosts_processes() {
    local space process
    space=$(readlink "/proc/$(cat "$HOSTS/$1")/ns/uts")
    for process in /proc/[0-9]*; do
        [ "$(readlink "$process/ns/uts")" != "$space" ] || echo "${process#/proc/}"
    done
}

# First the cable, so that the others do not see its connections closed.
hosts_kill() {
    hosts_cut "$1"
    kill -KILL $(hosts_processes "$1")
}

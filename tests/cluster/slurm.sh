# slurm.sh - a Slurm of its own for system tests, its nodes being the hosts of hosts.sh. Sourced after that:
#
#   hosts_up 2 && slurm_up 2 4      two nodes with four cores each, as Slurm believes
#   on h1 sbatch ...                Slurm's commands run on a host
#
# Needs Debian's slurm-wlm, slurm-wlm-basic-plugins and munge. It is gone when the test is.

slurm_needed() {
    local program
    [ "$(cat /proc/self/setgroups)" = allow ] || skip "no Slurm here: slurmd changes groups, which only root may"
    for program in munged slurmctld slurmd sbatch srun scontrol; do
        PATH=$PATH:/usr/sbin command -v $program >/dev/null || skip "no Slurm here: $program is missing (slurm-wlm, munge)"
    done
}

# Credentials expire soon, so that a requeued job starts after seconds and not minutes. What a job's limits are is looked
# at each 30 s, whatever the settings.
slurm_config() {
    local hosts=$1 cores=$2 home=$3 i
    cat <<END_OF_CONFIG
ClusterName=lockstep
SlurmctldHost=h1(10.77.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$home/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$home/state
SlurmdSpoolDir=$home/spool.%n
TmpFS=$home/tmp.%n
SlurmctldPidFile=$home/slurmctld.pid
SlurmdPidFile=$home/slurmd.%n.pid
SlurmctldLogFile=$home/slurmctld.log
SlurmdLogFile=$home/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=pmix
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=bf_interval=1,sched_interval=2,batch_sched_delay=0
SlurmdParameters=config_overrides
JobRequeue=1
KillWait=5
LaunchParameters=disable_send_gids
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
END_OF_CONFIG
    for ((i = 1; i <= hosts; i++)); do echo "NodeName=h$i NodeAddr=10.77.0.$i CPUs=$cores RealMemory=4000"; done
    echo "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP"
}

slurm_idle() { [ "$(on h1 sinfo --noheader --Node --states=idle --format=%n 2>/dev/null | sort -u | wc -l)" = "$1" ]; }

# slurm_up HOSTS CORES [LINE...]: with these lines of slurm.conf besides.
slurm_up() {
    local hosts=$1 home=$HOSTS/slurm i
    PATH=$PATH:/usr/sbin
    mkdir -p "$home/state"
    export SLURM_CONF=$home/slurm.conf
    slurm_config "$hosts" "$2" "$home" >"$SLURM_CONF"
    printf '%s\n' "${@:3}" >>"$SLURM_CONF"
    (umask 077 && head -c 1024 /dev/urandom >"$home/munge.key")
    on h1 munged --force --key-file="$home/munge.key" --socket="$home/munge.socket" --pid-file="$home/munge.pid" \
        --log-file="$home/munge.log" --seed-file="$home/munge.seed"
    on h1 slurmctld
    for ((i = 1; i <= hosts; i++)); do
        mkdir "$home/spool.h$i" "$home/tmp.h$i"
        on "h$i" slurmd
    done
    await 20 slurm_idle "$hosts"
}

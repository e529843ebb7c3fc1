# Jobs under a real Slurm that lose a host other than the batch script's go on on the hosts that are left, with srun and with
# mpirun. One that is preempted, with a grace time to save, goes on later. All end with the bits of a run that was left alone.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"
. "$LOCKSTEP_ROOT/tests/cluster/hosts.sh"
. "$LOCKSTEP_ROOT/tests/cluster/slurm.sh"
slurm_needed

small_data
small_config >config.yaml
hosts_up 4
slurm_up 4 4 SlurmdTimeout="$(patience 15)" PreemptType=preempt/partition_prio PreemptMode=REQUEUE \
    'PartitionName=urgent Nodes=ALL PriorityTier=10' 'PartitionName=patient Nodes=ALL PriorityTier=1 GraceTime=300'
export LOCKSTEP OMPI_MCA_rmaps_base_mapping_policy=slot OMPI_MCA_mpi_yield_when_idle=1
unset OMPI_MCA_rmaps_base_oversubscribe

# submit RUN LAUNCHER WORD...: prints the job's number. It would train for ever. mpirun finds its hosts by Slurm.
submit() {
    sed 's/epochs: 1,/epochs: 1000000,/' config.yaml >"$1.yaml"
    LAUNCHER=$2 on h1 env -u OMPI_MCA_ras -u OMPI_MCA_plm -u OMPI_MCA_plm_rsh_agent sbatch --parsable --partition=patient \
        "${@:3}" "$LOCKSTEP_ROOT/jobs/train.sbatch" "$1.yaml" --run "$1" --set training.checkpoint.every_steps=1 \
        --set training.stall_timeout="$(patience 5)"
}

going_on() { grep -qs '^continuing from' lockstep-"$1".txt; }
over() { [ -z "$(on h1 squeue --noheader --jobs="$1" --format=%i)" ]; }

# ends_well RUN NUMBER: it has gone on; it is told to save, given one more epoch in the queue, and ends.
ends_well() {
    await 120 going_on "$2"
    on h1 scontrol hold "$2"
    on h1 scancel --batch --signal=USR1 "$2"
    is_pending() { [ "$(on h1 squeue --noheader --jobs="$2" --format=%T)" = PENDING ]; }
    await 60 is_pending "$@"
    sed "s/epochs: 1,/epochs: $(($(wc -l <"$1/metrics.jsonl") + 1)),/" config.yaml >"$1.yaml"
    on h1 scontrol release "$2"
    finished() { grep -qs "^epoch $(($(sed -nE 's/.*epochs: ([0-9]+),.*/\1/p' "$1.yaml")))/" lockstep-"$2".txt; }
    await 90 finished "$@"
    await 30 over "$2"
    quietly "$LOCKSTEP" train "$1.yaml" --run "whole-$1"
    same_run "whole-$1" "$1"
}

preempted=$(submit preempted srun --nodes=2 --nodelist=h1,h2)
await 60 grep -qs . preempted/metrics.jsonl
on h1 sbatch --partition=urgent --nodes=2 --nodelist=h1,h2 --exclusive --output=/dev/null --wrap 'sleep 1' >/dev/null
await 60 grep -qs '^stopped after saving: back into the queue' lockstep-"$preempted".txt
ends_well preempted "$preempted"

# The batch script is on the first host of a job.
for launcher in srun mpirun; do
    job=$(submit $launcher $launcher --nodes=2)
    await 60 grep -qs . $launcher/metrics.jsonl
    nodes=$(on h1 squeue --noheader --jobs="$job" --format=%N)
    hosts_kill "$(on h1 scontrol show hostnames "$nodes" | tail -n 1)"
    ends_well $launcher "$job"
done

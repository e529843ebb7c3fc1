# What the job scripts make of a launcher's exit status and of a run's directory, without a Slurm: the commands of Slurm and
# the launcher are stand-ins. tests/system/slurm.sh and slurm_lost.sh are the real thing.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >config.yaml
mkdir bin
printf '#!/bin/sh\n[ "$1" != requeue ] || echo "$2" >>requeued\n' >bin/scontrol
printf '#!/bin/sh\necho RUNNING\n' >bin/squeue
# The words of launch begin with the program; those of mpirun before it go.
cat >bin/mpirun <<'END'
#!/bin/bash
while [ "$1" != "$LOCKSTEP" ]; do shift; done
eval "$LAUNCHED"
END
chmod +x bin/*
export PATH=$PWD/bin:$PATH LAUNCHER=mpirun SLURM_JOB_ID=7 SLURM_NTASKS=1
unset SLURM_ARRAY_JOB_ID

# job STATUS REQUEUED LAUNCHED WORD...: train ends so, after so many requeues, where the launcher does this.
job() {
    local expected=$1 number=$2
    export LAUNCHED=$3
    shift 3
    : >requeued
    expect_exit "$expected" bash -c 'set -u; . "$LOCKSTEP_ROOT/jobs/common.sh"; train "$@"' job "$@" >messages 2>&1
    [ "$(wc -l <requeued)" = "$number" ] || fail "requeued $(wc -l <requeued) times, expected $number: $(cat messages)"
}

# 0 counts only where the run is finished: else it is a lost host, before there is a run and within it.
lost='"$@" --set training.epochs=2 --set training.checkpoint.every_steps=4; sed -i "/; next: /d" run/log.txt; true'
job 76 1 true config.yaml --run run
job 76 1 "$lost" config.yaml --run run
job 76 1 true config.yaml --run run
job 76 1 true config.yaml --run run
job 76 0 true config.yaml --run run # the third time in a row without a new checkpoint
job 0 0 '"$@"' config.yaml --run run --set training.epochs=3
job 0 0 '"$@"' config.yaml --run run --set training.epochs=3
job 76 1 'echo "2026-01-01 00:00:00 lockstep 1" >>run/log.txt; touch run/checkpoints/step-*; true' config.yaml --run run # it had begun again
job 0 0 '"$@"' config.yaml --run early --set training.epochs=50 --set 'optimizer={adam: {learning_rate: 0.3}}' \
    --set 'training.early_stopping={patience: 1}'
[ "$(metric early epoch)" -lt 50 ] || fail "it did not stop early"

# A checkpoint that is written again in place of a damaged, later one is progress.
job 1 1 'first=$(ls run/checkpoints/step-* | head -n 1); cp "$first" new; mv new "$first"; exit 1' config.yaml --run run
job 1 0 'exit 1' config.yaml --run run

# The run is that which train means.
named() { bash -c '. "$LOCKSTEP_ROOT/jobs/common.sh"; run_of "$@"' named "${@:2}" | grep -qx "$1" || fail "$1 was expected of ${*:2}"; }
mkdir checkpoints
named runs/config config.yaml
named run run/config.yaml
named run run
named runs/other run/other.yaml
named there --set a=b run/config.yaml --run there

# A line of a sweep is a run: one that goes on in the next line would be another run.
printf '%s\n' 'config.yaml --run cut \' '    --set training.epochs=1' >sweep.txt
for task in 1 2; do
    SLURM_ARRAY_TASK_ID=$task LOCKSTEP_HOME=$LOCKSTEP_ROOT expect_exit 2 bash "$LOCKSTEP_ROOT/jobs/sweep.sbatch" sweep.txt >messages 2>&1
    grep -q 'sweep.txt: line 1 ends in a backslash' messages && [ ! -e cut ] || fail "$(cat messages)"
done

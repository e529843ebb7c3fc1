# What all ranks must hold in common: the data, what labels mean, the split of a run; and batches whose rows fall unevenly on ranks.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >config.yaml
train() { "$LOCKSTEP" train config.yaml --overwrite "$@"; }

# A short last batch gives some ranks more rows than their share of a full one: 16 lanes on 6 ranks, 13 and then 12 samples.
uneven=(--set training.lanes=16 --set training.batch_size=13 --set data.validation=none)
quietly train --run one "${uneven[@]}"
quietly ranks 6 "$LOCKSTEP" train config.yaml --overwrite --run six "${uneven[@]}"
quietly "$LOCKSTEP" inspect --diff one six

# A path that is another file for one rank, as a copy on a host's own disk may be.
mkdir -p here there
cp digits.h5 here/data.h5
quietly "$LOCKSTEP" synth digits -n 700 -o there/data.h5
cp config.yaml here
cp config.yaml there
status=0
# Not by mpirun's own `-np 1 --wdir here ... : -np 1 --wdir there ...`, on which some Open MPI 5 crash.
cat >at_home <<'END'
if [ "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = 0 ]; then cd here; else cd there; fi
exec "$@"
END
ranks 2 timeout $(patience 20) bash at_home "$LOCKSTEP" train config.yaml --set data.train=data.h5 --run "$PWD/two" \
    >messages 2>&1 || status=$?
[ $status = 2 ] && grep -q 'do not see the same data' messages || fail "status $status: $(cat messages)"

# Labels as the target mean the same in the validation data.
labels=(--set data.target=labels --set 'model=[flatten, {dense: {units: 10, activation: sigmoid}}]' --set code=dense)
quietly "$LOCKSTEP" synth digits --channels 3 -n 100 --size 28x28 -o colours.h5
quietly train --run labels "${labels[@]}"
for bad in colours; do
    expect_exit 2 train --run labels "${labels[@]}" --set data.validation=$bad.h5 >messages 2>&1
    grep -Eq 'labels of|not like' messages || fail "$(cat messages)"
done

# A split is part of the run: other samples would be trained on.
quietly train --run split
expect_exit 2 "$LOCKSTEP" train config.yaml --run split --resume --set data.validation.split=0.5 >messages 2>&1
grep -q 'data.validation.split is 0.5 here, but the run was started with 0.2' messages || fail "$(cat messages)"

# An --overwrite that was killed half way leaves a run that is seen to be one.
quietly train --run stale
rm stale/metrics.jsonl stale/log.txt
expect_exit 2 "$LOCKSTEP" train config.yaml --run stale >messages 2>&1

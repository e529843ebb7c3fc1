# However ranks exchange, and whoever shares memory with whom, a run gives the same bits; a run may go on in another way.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

small_data
small_config >run.yaml

# exchange RUN RANKS RANKS-A-HOST SETTING...: hosts are pretended.
exchange() {
    local run=$1 number=$2 a_host=$3 settings=() setting
    shift 3
    for setting in "$@"; do settings+=(--set "training.$setting"); done
    LOCKSTEP_RANKS_A_HOST=$a_host quietly ranks "$number" "$LOCKSTEP" train run.yaml --run "$run" "${settings[@]}"
}

exchange one 1 1
exchange shared-2 2 2 exchange.mode=shared
exchange messages-2 2 2 exchange.mode=messages exchange.bucket_mb=0.001
exchange hosts-3 3 2 exchange.bucket_mb=0.001 threads=2
exchange hosts-4 4 2 exchange.bucket_mb=0.004
if [ "$LOCKSTEP_TEST_FULL" = 1 ]; then
    exchange shared-3 3 3 exchange.mode=shared
    exchange shared-4 4 4 exchange.mode=shared threads=2
    exchange messages-3 3 3 exchange.mode=messages
    exchange messages-4 4 4 exchange.mode=messages exchange.bucket_mb=0.002 threads=2
    exchange hosts-8 8 3 exchange.bucket_mb=0.004
fi
for run in shared-* messages-* hosts-*; do same_run one "$run"; done

# Half in one way, half in another: the epoch's end is one of the places where a run may stop and go on.
quietly ranks 2 "$LOCKSTEP" train run.yaml --run long --set training.epochs=2
quietly ranks 2 "$LOCKSTEP" train run.yaml --run both --set training.exchange.mode=shared
quietly ranks 3 "$LOCKSTEP" train run.yaml --run both --resume --set training.epochs=2 \
    --set training.exchange.mode=messages --set training.exchange.bucket_mb=0.01
same_run long both

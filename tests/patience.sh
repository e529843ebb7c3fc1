# patience.sh - how long to wait on a machine that is slow or busy. Sourced by tests/run and tests/system/lib.sh.

# patience SECONDS: prints so many, times how much slower this machine is at this moment than an idle one of today is: a loop is
# timed that takes 25 to 50 ms there.
patience() {
    local begin=${EPOCHREALTIME/[.,]/} i
    for ((i = 0; i < 10000; i++)); do :; done
    echo $(($1 * (1 + (${EPOCHREALTIME/[.,]/} - begin) / 50000)))
}

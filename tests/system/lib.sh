# lib.sh - what system tests start with:
#
#   . "$LOCKSTEP_ROOT/tests/system/lib.sh"
#
# A test is a bash script tests/system/NAME.sh, run by tests/run in a private, empty directory. It passes when it
# exits 0; any command that fails ends it. LOCKSTEP is the binary, LOCKSTEP_ROOT the project; LOCKSTEP_TEST_FULL is 1
# where everything is to be run.
set -euo pipefail
trap 'echo "$0:$LINENO: failed: $BASH_COMMAND" >&2' ERR

# Real data, where it is there: [ -n "$DATA" ] || skip "no real data"
DATA=$LOCKSTEP_ROOT/../shared/data
[ -d "$DATA" ] || DATA=

# fail TEXT: ends the test.
fail() {
    echo "$0:${BASH_LINENO[-2]}: $*" >&2
    exit 1
}

# skip REASON: ends the test without a verdict.
skip() {
    echo "SKIP: $*"
    exit 77
}

# expect_exit STATUS COMMAND...: runs it, and fails where its exit status is another one. What it says is passed on.
expect_exit() {
    local expected=$1 status=0
    shift
    "$@" || status=$?
    [ "$status" = "$expected" ] || fail "exit status $status, expected $expected: $*"
}

# ranks NUMBER COMMAND...: runs it on so many MPI ranks.
ranks() {
    local number=$1
    shift
    mpirun -np "$number" "$@"
}

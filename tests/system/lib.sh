# lib.sh - what system tests start with:
#
#   . "$LOCKSTEP_ROOT/tests/system/lib.sh"
#
# A test is a bash script tests/system/NAME.sh, run by tests/run in a private, empty directory. It passes when it
# exits 0; any command that fails ends it. LOCKSTEP is the binary, LOCKSTEP_ROOT the project; LOCKSTEP_TEST_FULL is 1
# where everything is to be run.
set -Eeuo pipefail
. "$LOCKSTEP_ROOT/tests/patience.sh"
exec 9>&2 # where a test says why it fails, also from within a redirected command
trap 'echo "$0:$LINENO: failed: $BASH_COMMAND" >&9' ERR

# Real data, where it is there: [ -n "$DATA" ] || skip "no real data"
DATA=$LOCKSTEP_ROOT/../shared/data
[ -d "$DATA" ] || DATA=

# fail TEXT: ends the test.
fail() {
    echo "$0:${BASH_LINENO[-2]}: $*" >&9
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

# small_config: a config with all that could depend on ranks or threads: noise, dropout, a batch that the lanes do not
# divide, data that the batch does not divide. Its data set is digits.h5; small_data makes it.
small_config() {
    cat <<'END'
seed: 3
data:
  train: digits.h5
  validation: {split: 0.2}
  input: [{rescale: [0, 1]}, {gaussian_noise: {stddev: 0.3}}, {clip: [0, 1]}]
  target: [{rescale: [0, 1]}]
model:
  - conv2d: {filters: 4, kernel_size: 3, padding: same, activation: relu}
  - max_pooling2d: {pool_size: 2}
  - dropout: 0.2
  - conv2d: {filters: 3, kernel_size: 3, padding: same, strides: 2, activation: relu, name: code}
  - up_sampling2d: 4
  - conv2d: {filters: 1, kernel_size: 3, padding: same, activation: sigmoid}
code: code
loss: binary_crossentropy
optimizer: adam
training: {epochs: 1, batch_size: 50, threads: 1}
END
}

small_data() { quietly "$LOCKSTEP" synth digits -n 1030 -o digits.h5; }

# quietly COMMAND...: what it says is shown only where it fails.
quietly() {
    local status=0
    "$@" >messages 2>&1 || status=$?
    [ $status = 0 ] || fail "exit status $status: $*: $(cat messages)"
}

# metrics RUN: its metrics, but for those that depend on time.
metrics() { sed -E 's/"(seconds|images_per_s)": [^,]*, //g; s/, "[a-z]+_s": \[[^]]*\]//g' "$1/metrics.jsonl"; }

# metric RUN NAME: one metric's last value.
metric() { sed -nE 's/.*"'"$2"'": ([^,}]*).*/\1/p' "$1/metrics.jsonl" | tail -n 1; }

# same_run A B: the metrics of all epochs, and every bit of weights and optimizer, are equal in the end.
same_run() {
    [ -s "$1/metrics.jsonl" ] || fail "$1 has no metrics"
    diff <(metrics "$1") <(metrics "$2") >&2 || fail "the metrics of $1 and $2 differ"
    "$LOCKSTEP" inspect --diff "$1/checkpoints/last.h5" "$2/checkpoints/last.h5" >&2 || fail "$1 and $2 differ"
}

# said TEXT: among the messages there is exactly one error, and it contains the text.
said() {
    [ "$(grep -c '^lockstep: error: ' messages)" = 1 ] || fail "one error was expected: $(cat messages)"
    grep '^lockstep: error: ' messages | grep -qF -- "$1" || fail "expected '$1' in: $(cat messages)"
}

# processes: the ids of the processes of Lockstep that this test has started and that still live.
processes() {
    local process
    for process in /proc/[0-9]*; do
        [ "$(readlink "$process/exe")" = "$LOCKSTEP" ] && [ "$(readlink "$process/cwd")" = "$PWD" ] &&
            echo "${process#/proc/}"
    done
    true
}

# await SECONDS COMMAND...: until the command succeeds, for so many seconds, and more on a slow or busy machine.
await() {
    local tries=$(($(patience "$1") * 50))
    shift
    until "$@"; do
        [ $((tries--)) -gt 0 ] || fail "waited in vain for: $*: $(cat messages 2>/dev/null || true)"
        sleep 0.02
    done
}

nobody_left() { [ -z "$(processes)" ]; }

# A test that fails leaves nothing running.
trap 'nobody_left || kill -KILL $(processes)' EXIT

# epochs_of RUN: how many it has recorded.
epochs_of() { if [ -f "$1/metrics.jsonl" ]; then wc -l <"$1/metrics.jsonl"; else echo 0; fi; }

# pictures_of_two_classes PICTURE: copies of it as pictures/cats/c1.png to c3.png and pictures/dogs/d1.png to d3.png.
pictures_of_two_classes() {
    local number
    mkdir -p pictures/cats pictures/dogs
    for number in 1 2 3; do
        cp "$1" pictures/cats/c$number.png
        cp "$1" pictures/dogs/d$number.png
    done
}

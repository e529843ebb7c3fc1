# One rank, with or without mpirun, is the debug mode: valgrind finds nothing in a small training with checked layers, and gdb
# stops in a step.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"
command -v valgrind >/dev/null || skip "valgrind is not installed"
! grep -q __asan_init "$LOCKSTEP" || skip "valgrind does not run programs with a sanitizer"

quietly "$LOCKSTEP" synth digits -n 64 -o digits.h5
small_config | sed 's/batch_size: 50/batch_size: 16/' >config.yaml
train=("$LOCKSTEP" train config.yaml --debug --set training.stall_timeout=0)

# Keeps MPI's components mapped, so that suppressions can name them.
cc -shared -fPIC -o nodlclose.so "$LOCKSTEP_ROOT/tests/sanitizers/nodlclose.c"
suppressions=(--suppressions="$LOCKSTEP_ROOT/tests/sanitizers/valgrind.supp")
theirs=/usr/share/openmpi/openmpi-valgrind.supp
[ ! -f $theirs ] || suppressions+=(--suppressions=$theirs)
quietly env LD_PRELOAD=./nodlclose.so valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=definite \
    --errors-for-leak-kinds=definite "${suppressions[@]}" "${train[@]}" --run checked

# The checks change nothing, nor does mpirun.
quietly "${train[@]}" --run alone
quietly ranks 1 "$LOCKSTEP" train config.yaml --run plain
same_run alone plain

command -v gdb >/dev/null || skip "valgrind finds nothing; gdb is not installed"
gdb -batch -ex run true 2>&1 | grep -q 'exited normally' || skip "valgrind finds nothing; gdb may not trace processes here"
quietly gdb -batch -ex 'break ls_stepper_run' -ex run -ex backtrace -ex kill --args "${train[@]}" --run stopped
grep -q '^#[0-9]* .*ls_trainer_run' messages || fail "gdb did not stop in a step: $(cat messages)"

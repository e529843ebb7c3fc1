# scripts/setup where dnf is, in place of apt: EPEL and CRB first, then exactly what is missing; nothing where nothing is. dnf, rpm
# and sudo are doubles here, that write down what they are asked.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

mkdir bin
for program in sh cat id; do ln -s "$(command -v $program)" bin/$program; done
printf '#!/bin/sh\necho "$*" >>asked\n' >bin/dnf
printf '#!/bin/sh\nexec "$@"\n' >bin/sudo
# rpm --quiet -q --whatprovides PACKAGE
printf '#!/bin/sh\nwhile read package; do [ "$package" != "$4" ] || exit 0; done <installed; exit 1\n' >bin/rpm
chmod +x bin/dnf bin/sudo bin/rpm
setup() { env -i PATH="$PWD/bin" "$@" >>messages 2>&1 || fail "$(cat messages)"; }

printf '%s\n' gcc make zlib-devel >installed
setup "$LOCKSTEP_ROOT/scripts/setup"
[ "$(sed -n 1p asked)" = "install -y -q epel-release dnf-plugins-core" ] || fail "asked: $(cat asked)"
[ "$(sed -n 2p asked)" = "config-manager --set-enabled crb" ] || fail "asked: $(cat asked)"
wanted=$(sed -n '3s/^install -y -q //p' asked)
[[ " $wanted " == *" openmpi-devel hdf5-openmpi-devel "* && " $wanted " != *" gcc "* && " $wanted " != *" valgrind "* ]] || fail "asked: $(cat asked)"

tr ' ' '\n' <<<"$wanted" >>installed
: >asked
setup "$LOCKSTEP_ROOT/scripts/setup"
[ ! -s asked ] || fail "nothing is missing, and it asked: $(cat asked)"

setup MPI=mpich "$LOCKSTEP_ROOT/scripts/setup"
[ "$(tail -n 1 asked)" = "install -y -q mpich-devel hdf5-mpich-devel" ] || fail "asked: $(cat asked)"

# make install: what lies under the prefix works there, for users, jobs and other programs, and make uninstall takes all of it
# away again. Where pkg-config does not know MPI and HDF5, their wrappers are asked.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

build=$(dirname "$LOCKSTEP")
# make_it WORD...: of this build.
make_it() { quietly make --no-print-directory -C "$LOCKSTEP_ROOT" BUILD="${build#"$LOCKSTEP_ROOT"/}" "$@"; }
nothing_left() { [ -z "$(find "$1" ! -type d -o -name lockstep)" ] || fail "left: $(find "$1" ! -type d -o -name lockstep)"; }

make_it PREFIX="$PWD/place" install
share=place/share/lockstep

# For users: a config of those that came along, and its data.
mkdir data
place/bin/lockstep synth digits -n 500 -o data/demo-digits.h5
quietly place/bin/lockstep train $share/configs/demo.yaml --run run --set training.epochs=1
[ -s run/metrics.jsonl ] || fail "nothing was trained"
[ -s place/share/man/man1/lockstep.1 ] && [ -s place/share/bash-completion/completions/lockstep ] || fail "no man page or completions"
[ -s place/share/zsh/site-functions/_lockstep ] || fail "no completions for zsh"
[ -s place/share/doc/lockstep/LICENSE ] && [ -s place/share/doc/lockstep/docs/design.md ] && [ -s place/share/doc/lockstep/docs/images/demo.png ] || fail "no documents"

# For scripts and jobs: the program is where they look for it.
cmp place/bin/lockstep $share/build/lockstep
for script in $share/scripts/get-data $share/jobs/*; do bash -n "$script"; done
expect_exit 2 $share/scripts/get-data nothing >messages 2>&1

# For programs: the example, with the installed header and library alone. On two ranks it has the same bits.
export PKG_CONFIG_PATH=$PWD/place/lib/pkgconfig
[ "$(pkg-config --modversion lockstep)" = "$(place/bin/lockstep --version | grep -oE '[0-9]+\.[0-9.]+' | head -n 1)" ] || fail "version"
cc -std=c99 -Wall -Wextra -Wpedantic -Werror $share/examples/encoder.c $(pkg-config --cflags --libs lockstep) -o encoder
OMP_NUM_THREADS=2 ./encoder >one
OMP_NUM_THREADS=1 ranks 2 ./encoder >two
cmp one two || fail "two ranks: $(diff one two)"
grep -q '^epoch 25: loss ' one || fail "the callback was not told: $(cat one)"
# Pattern i is restored: number i of line i is large, all others are small.
tail -n 8 one | awk '{ for (i = 1; i <= 8; i++) if (i == NR ? $i < 0.9 : $i > 0.1) exit 1 }' || fail "not restored: $(cat one)"

make_it PREFIX="$PWD/place" uninstall
nothing_left place

# For packagers.
make_it DESTDIR="$PWD/stage" PREFIX=/opt/of/others install
grep -qx 'prefix=/opt/of/others' stage/opt/of/others/lib/pkgconfig/lockstep.pc
[ "$(readlink -f stage/opt/of/others/share/lockstep/build/lockstep)" = "$PWD/stage/opt/of/others/bin/lockstep" ]
make_it DESTDIR="$PWD/stage" PREFIX=/opt/of/others uninstall
nothing_left stage

# Flags as the wrappers have them; and of HDF5 alone in a directory.
mkdir wrappers
printf '#!/bin/sh\necho gcc -I/at/mpi/include -L/at/mpi/lib -Wl,-rpath -Wl,/at/mpi/lib -lmpi\n' >wrappers/mpicc
printf '#!/bin/sh\necho mpicc -D_GNU_SOURCE -O2 -I/at/hdf5/include -L/at/hdf5/lib /at/hdf5/lib/libhdf5.a -lz -lm\n' >wrappers/h5pcc
chmod +x wrappers/*
shows() { # shows TEXT WORD...: make would run a command with it
    PATH=$PWD/wrappers:$PATH make -n -C "$LOCKSTEP_ROOT" BUILD="$PWD/other" MPI=unknown HDF5=unknown "${@:2}" >commands 2>&1 || fail "$(tail -n 3 commands)"
    grep -qF -- "$1" commands || fail "no '$1': $(tail -n 3 commands)"
}
shows '-isystem /at/hdf5/include -isystem /at/mpi/include'
shows '-L/at/hdf5/lib /at/hdf5/lib/libhdf5.a -lz -lm -L/at/mpi/lib -Wl,-rpath -Wl,/at/mpi/lib -lmpi'
mkdir -p root/lib
shows "-L$PWD/root/lib -Wl,-rpath,$PWD/root/lib -lhdf5 -L/at/mpi/lib" HDF5_ROOT="$PWD/root"
printf '#!/bin/sh\nexit 1\n' >wrappers/h5pcc
if PATH=$PWD/wrappers:$PATH make -n -C "$LOCKSTEP_ROOT" BUILD="$PWD/other" MPI=unknown HDF5=unknown >commands 2>&1; then fail "HDF5 was found"; fi
grep -q 'missing: unknown\. scripts/setup installs' commands || fail "$(cat commands)"

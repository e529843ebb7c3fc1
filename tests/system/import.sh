# Data sets come out the same on any number of ranks, and what cannot be imported is refused by name.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

# same COMMAND...: makes the same data set on 1, 2 and 3 ranks: by its contents' fingerprint, and by what `inspect` knows.
same() {
    local number
    for number in 1 2 3; do
        ranks $number "$LOCKSTEP" "$@" -o out.h5 --overwrite 2>messages || fail "on $number ranks: $(cat messages)"
        "$LOCKSTEP" inspect out.h5 >about.$number
        cmp about.1 about.$number || fail "not the same on $number ranks: $*"
    done
}

same synth digits -n 101 --seed 5
same synth digits --channels 3 -n 11 --size 20x24 --deflate 4
grep -q 'samples      11 of 20 x 24 x 3, uint8' about.1

# Five pictures of 2 x 3, and their labels, as IDX files.
printf '\0\0\010\003\0\0\0\005\0\0\0\002\0\0\0\003abcdefghijklmnopqrstuvwxyz0123' >images.idx
printf '\0\0\010\001\0\0\0\005\0\001\002\001\0' >labels.idx
gzip -k images.idx
same import idx images.idx.gz labels.idx
grep -q 'samples      5 of 2 x 3 x 1, uint8' about.1
grep -q 'classes      3' about.1

head -c 40 images.idx >cut.idx
rm out.h5
for bad in cut.idx missing.idx; do
    expect_exit 2 ranks 2 "$LOCKSTEP" import idx $bad -o out.h5 2>messages
    [ "$(grep -c "^lockstep: error: $bad: " messages)" = 1 ] || fail "one message was expected: $(cat messages)"
    [ ! -e out.h5 ] || fail "a data set was left behind by $bad"
done

# What is there is not lost by accident, and a folder that is missing is named.
"$LOCKSTEP" import idx images.idx -o kept.h5 2>messages
md5sum kept.h5 >before
expect_exit 2 ranks 2 "$LOCKSTEP" synth digits -n 5 -o kept.h5 2>messages
grep -q 'kept.h5 exists already; give another name, or --overwrite' messages || fail "$(cat messages)"
md5sum --quiet -c before
expect_exit 2 "$LOCKSTEP" synth digits -n 5 -o nowhere/out.h5 2>messages
grep -q 'the folder nowhere/ does not exist' messages || fail "$(cat messages)"

# A folder without permission is left out as a file is, unless it was asked for by name or all are wanted.
if [ "$(id -u)" = 0 ]; then as() { setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/tmp "$@"; }; else as() { "$@"; }; fi
chmod 777 . ..
cp "$LOCKSTEP" program # root's folders may be closed to others
mkdir -p disk/pics
base64 -d >disk/pics/1.png <<<'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADklEQVR4nGNgYGBgYAAAAAYAAXKCmeoAAAAASUVORK5CYII='
cp disk/pics/1.png disk/pics/2.png
chmod 644 disk/pics/1.png
chmod 000 disk/pics/2.png
mkdir -m 000 disk/lost+found
as ./program import images disk -o as.h5 --size 2x2 2>messages || fail "$(cat messages)"
grep -q 'disk/lost+found: the folder cannot be read: Permission denied: skipped' messages || fail "$(cat messages)"
grep -q 'as.h5: 1 sample of 2 x 2 x 3, in .* s; 2 skipped' messages || fail "$(cat messages)"
for arguments in 'disk --strict' disk/lost+found; do
    expect_exit 2 as ./program import images $arguments -o strict.h5 --size 2x2 2>messages
    grep -q 'lost+found: the folder cannot be read' messages || fail "$(cat messages)"
done

# Classes and their order as they are given, or as another data set has them; also without pictures.
mkdir -p pets/cat pets/dog pets/.hidden
for picture in cat/1 cat/2 dog/1; do cp disk/pics/1.png pets/$picture.png; done
same import images pets --size 2x2 --labels folder --classes dog,wolf,cat
grep -q 'classes      3: dog, wolf, cat' about.1 || fail "$(cat about.1)"
"$LOCKSTEP" import images pets --size 2x2 --classes-of out.h5 -o again.h5 2>messages || fail "$(cat messages)"
"$LOCKSTEP" inspect again.h5 | grep -q 'classes      3: dog, wolf, cat' || fail "not the classes of out.h5"
expect_exit 2 ranks 2 "$LOCKSTEP" import images pets --size 2x2 --classes dog,wolf -o none.h5 2>messages
grep -q "pets/cat/1.png: its class would be 'cat', which is none of the 2 that were given" messages || fail "$(cat messages)"
expect_exit 2 "$LOCKSTEP" import images pets --size 2x2 --classes-of nowhere.h5 -o none.h5 2>messages
grep -q 'classes-of: nowhere.h5: ' messages || fail "$(cat messages)"

# What the labels were made of is said, and a class of which no picture could be read.
mkdir named
for name in cat_1 cat_2 dog_1 dog_2; do cp disk/pics/1.png named/$name.png; done
head -c 60 disk/pics/1.png >named/broken.png
for number in 1 2; do
    ranks $number "$LOCKSTEP" import images named --size 2x2 --labels prefix -o named.$number.h5 2>messages || fail "$(cat messages)"
    grep -qx 'labels from file names: broken 1, cat 2, dog 2 (--labels none: no labels)' messages || fail "$(cat messages)"
    [ "$(grep -c "warning: class 'broken' (number 0) has no picture" messages)" = 1 ] || fail "$(cat messages)"
done

# A signal leaves nothing of a data set that is not finished.
long=("$LOCKSTEP" synth digits -n 10000000 -o long.h5)
stopped() { # stopped STATUS SIGNAL COMMAND...
    "${@:3}" 2>messages &
    await 60 test -s long.h5.part
    kill -"$2" $!
    expect_exit "$1" wait $!
    await 10 nobody_left
    [ -z "$(find . -maxdepth 1 -name 'long.h5*')" ] || fail "$2 left behind: $(ls)"
}
stopped 143 TERM "${long[@]}"
stopped 130 INT env --default-signal=INT "${long[@]}"
stopped 1 TERM mpirun -np 2 "${long[@]}"

# Commands at the same time, without mpirun, leave each other alone.
for loop in 1 2 3 4; do
    for turn in {1..10}; do "$LOCKSTEP" synth digits -n 500 -o beside.$loop.h5 --overwrite || echo failed; done 2>&1 |
        grep -v -e '^digits: ' -e ': 500 samples of ' >noise.$loop &
done
wait
[ -z "$(cat noise.*)" ] || fail "$(cat noise.*)"

[ -n "$DATA" ] || exit 0
"$LOCKSTEP" import idx "$DATA"/mnist/t10k-images-idx3-ubyte.gz "$DATA"/mnist/t10k-labels-idx1-ubyte.gz -o mnist.h5 2>messages
"$LOCKSTEP" inspect mnist.h5 | grep -q 'samples      10,000 of 28 x 28 x 1, uint8'
same import images "$DATA/odd-images" --size 16x16

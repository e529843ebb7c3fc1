# scripts/get-data: downloads from one home after another, believes nothing whose checksum is wrong, leaves nothing half
# done behind and makes nothing twice; a web server of ours stands in for the homes.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

get_data() { "$LOCKSTEP_ROOT/scripts/get-data" "$@" >messages 2>&1; }
told() { # told TEXT
    grep -qF -- "$1" messages || fail "expected '$1' in: $(cat messages)"
}
nothing_made() { [ -z "$(ls -A data 2>/dev/null)" ] || fail "left in data: $(ls -A data)"; }

# The command line, and what it names.
expect_exit 2 get_data
told 'which set'
expect_exit 2 get_data mnisst
told "'mnisst' is none of mnist, fashion-mnist, cifar10, catdog"
expect_exit 2 get_data mnist --from nowhere
told "--from takes a folder, and 'nowhere' is none"
get_data --help
told 'scripts/get-data SET... [--from DIR]'

# A folder that lacks files, or has others than the published ones: they stay where they are.
mkdir -p own/photographs damaged
expect_exit 2 get_data mnist --from own
told 'own has no train-images-idx3-ubyte.gz'
echo broken >own/train-images-idx3-ubyte.gz
expect_exit 2 get_data fashion-mnist --from own
told 'own/train-images-idx3-ubyte.gz: not the published file: its md5 is'
[ -s own/train-images-idx3-ubyte.gz ] || fail "a file of the user's is gone"
expect_exit 2 get_data cifar10 --from own
told 'own has neither cifar-10-binary.tar.gz nor data_batch_5.bin'
echo broken >own/data_batch_2.bin
expect_exit 2 get_data cifar10 --from own
told 'own/data_batch_2.bin: not the published file'
expect_exit 2 get_data catdog --from own/photographs
told 'no JPEG or PNG file there'
nothing_made

# Downloads that come damaged, or not at all.
cp own/train-images-idx3-ubyte.gz damaged
echo broken >damaged/kagglecatsanddogs_5340.zip
[ -z "$DATA" ] || ln -s "$DATA/mnist" whole
python3 -u -m http.server 0 --bind 127.0.0.1 >served 2>&1 &
server=$!
trap 'kill $server' EXIT
await 10 grep -q ' port [0-9]' served
url=http://127.0.0.1:$(sed -nE 's/.* port ([0-9]+) .*/\1/p' served)
export LOCKSTEP_DATA_MIRROR="$url/nowhere $url/damaged"
expect_exit 1 get_data mnist
told 'error: 404'
told 'not the published file: its md5 is'
told 'what was downloaded is removed'
told 'train-images-idx3-ubyte.gz could not be downloaded'
if command -v unzip >/dev/null; then
    expect_exit 1 get_data catdog
    told 'not the published file: its sha256 is'
fi
LOCKSTEP_DATA_MIRROR=http://127.0.0.1:9 expect_exit 1 get_data cifar10
told 'Without a network, copy it into a folder: get-data cifar10 --from FOLDER'
nothing_made

# The published ones: by way of the network and out of a folder they give the same, and nothing is made again.
[ -n "$DATA" ] || skip "no real data"
LOCKSTEP_DATA_MIRROR="$url/damaged $url/whole" get_data mnist || fail "$(cat messages)"
[ "$(ls -A data)" = "mnist-test.h5"$'\n'"mnist-train.h5" ] || fail "made: $(ls -A data)"
mv data downloaded
get_data mnist --from "$DATA/mnist"
content() { "$LOCKSTEP" inspect "$1" | tail -n +2; } # without its path
for part in train test; do diff <(content data/mnist-$part.h5) <(content downloaded/mnist-$part.h5) >&2; done
get_data mnist
told 'data/mnist-train.h5 is there'
rm data/mnist-test.h5
get_data mnist --from "$DATA/mnist"
told 'data/mnist-test.h5: 10000 samples of 28 x 28 x 1, 10 classes'
get_data cifar10 --from "$DATA/cifar10"
told 'has no data_batch_2.bin data_batch_3.bin data_batch_4.bin data_batch_5.bin'
told 'data/cifar10-train.h5: 10000 samples of 32 x 32 x 3, 10 classes'
told 'data/cifar10-test.h5: 10000 samples of 32 x 32 x 3, 10 classes'

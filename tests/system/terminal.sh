# Names, keys, classes and values come from anywhere. Whatever is in them, a terminal is never given a control character or a
# byte that is no UTF-8: neither in messages, nor in what is printed, nor by `cat log.txt`; and letters of UTF-8 stay.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

evil=$'\e]0;x\a\e[2J\xc2\x9b31m\xff'
name="${evil}ä"

# clean FILE...: but for new lines and tabs there is no control character, of one byte or of two, and all is UTF-8.
clean() {
    local file
    for file in "$@"; do
        [ -s "$file" ] || fail "$file is empty"
        iconv -f UTF-8 -t UTF-8 "$file" >/dev/null || fail "$file is no UTF-8"
        ! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' "$file" || fail "a control character: $(cat -v "$file")"
        ! LC_ALL=C grep -q $'\xc2[\x80-\x9f]' "$file" || fail "a control character of two bytes: $(cat -v "$file")"
    done
}

# refused COMMAND...: with a message in which the name can be seen.
refused() {
    expect_exit 2 "$LOCKSTEP" "$@" >out 2>messages
    clean messages
    [ "$(wc -l <messages)" = 1 ] || fail "one line was expected: $(cat -v messages)"
    grep -qF '\x1b' messages || fail "$(cat messages)"
}

small_data
small_config >config.yaml

# Words of the command line: commands, topics, options, files.
refused "$name"
refused help "$name"
refused train config.yaml "--$name"
refused train "$name.yaml"
refused train config.yaml --set "$name=1"
refused train config.yaml --set "data.train=$(printf 'a\033b')"
refused inspect "$name.h5"
refused import idx "$name" -o out.h5
refused import images "$name" --size 8x8 -o out.h5
refused synth digits -n 9 --size 20x20 -o "$name"
refused evaluate "$name"
grep -qF 'ä' messages || fail "letters are gone: $(cat messages)"

# In YAML a quoted key or value has any character.
key='"k\e[31m\x9b"'
printf '%s: 1\n' "$key" >keys.yaml
refused inspect keys.yaml
for set in "training={$key: 1}" "model.0.conv2d.activation=$key" "code=$key" "model.0.conv2d.name=$key" "loss=$key" "optimizer={$key: {}}" \
    "data.input=[$key]" "training.batch_size=$key"; do
    refused train config.yaml --set "$set"
done
printf 'a: \033[31m\n' >raw.yaml
expect_exit 2 "$LOCKSTEP" inspect raw.yaml >out 2>messages
clean messages

# Classes and files of a data set that is imported, inspected, and trained on; a run of such a name.
mkdir -p "pictures/$name" "pictures/plain"
python3 - "$name" <<'END'
import struct, sys, zlib
def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
picture = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0)) + \
    chunk(b"IDAT", zlib.compress(b"\0" * 29 * 28)) + chunk(b"IEND", b"")
for folder in sys.argv[1], "plain":
    for i in range(20): open(f"pictures/{folder}/{i}.png", "wb").write(picture)
open("pictures/plain/" + sys.argv[1] + ".png", "wb").write(picture[:60])
END
"$LOCKSTEP" import images pictures --size 28x28 --channels 1 -o named.h5 >out 2>messages || fail "$(cat -v messages)"
clean messages
grep -qF '\x1b' messages || fail "the broken picture is not named: $(cat messages)"
"$LOCKSTEP" inspect named.h5 >out
clean out
grep -qF '\x1b' out || fail "the class is not named: $(cat out)"

cp config.yaml "$name.yaml"
"$LOCKSTEP" train "$name.yaml" --run "$name" --set data.train=named.h5 --set data.target='[{rescale: [0, 1]}]' \
    --set training.batch_size=8 2>messages || fail "$(cat -v messages)"
clean messages "$name/log.txt" "$name/config.yaml" "$name/metrics.jsonl"
"$LOCKSTEP" inspect "$name" >out
clean out
"$LOCKSTEP" evaluate "$name" >out 2>messages
clean out
# The settings that were written mean what was set: they are read again.
quietly "$LOCKSTEP" train "$name.yaml" --run "$name" --resume --set data.train=named.h5 --set data.target='[{rescale: [0, 1]}]' \
    --set training.batch_size=8
"$LOCKSTEP" bench "$name.yaml" --json >out 2>messages || fail "$(cat messages)"
clean out
python3 -c 'import json, sys; [json.loads(line) for line in sys.stdin]' <out

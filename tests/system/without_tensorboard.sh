# A build without protobuf-c: it trains, and says before training what a config with tensorboard needs. The objects of this build
# serve, so that only what differs is compiled.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

cp -a "$(dirname "$LOCKSTEP")" build
make_it() { make --no-print-directory -C "$LOCKSTEP_ROOT" BUILD="$PWD/build" "$@"; }
quietly make_it TENSORBOARD=no all
grep -q event_file_missing messages || fail "event files are still there: $(cat messages)"
plain=$PWD/build/lockstep
if ldd "$plain" | grep protobuf; then fail "protobuf-c is still linked"; fi

small_data
small_config >config.yaml
quietly ranks 2 "$plain" train config.yaml --run plain
expect_exit 2 ranks 2 "$plain" train config.yaml --run board --set training.tensorboard={} >messages 2>&1
said 'training.tensorboard: this build of Lockstep cannot write'
[ ! -e board ] || fail "a run was begun"
# A run that another build made with it can be used, and goes on without.
"$plain" inspect plain >/dev/null
quietly "$plain" train --resume plain --set training.epochs=2

# Where pkg-config does not know protobuf-c the build goes on without it, and says nothing.
mkdir bin
printf '#!/bin/sh\ncase "$*" in *protobuf*) exit 1 ;; esac\nexec %s "$@"\n' "$(command -v pkg-config)" >bin/pkg-config
chmod +x bin/pkg-config
PATH=$PWD/bin:$PATH make_it -n all >messages 2>&1 || fail "$(tail -n 3 messages)"
if grep -E 'protoc-c|event\.pb' messages; then fail "protobuf-c is asked for"; fi

# Every config gives the same bits on any number of ranks and threads, in shared memory or by messages, straight through or
# killed and resumed in another way: a few steps, on little data. --full: all configs, and the whole matrix of these.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

# Two or three steps an epoch, of which the last may have fewer samples than there are lanes.
samples=20 batch=8
mkdir data
quietly "$LOCKSTEP" synth digits -n $samples -o data/mnist-train.h5
quietly "$LOCKSTEP" synth digits --channels 3 -n $samples -o data/cifar10-train.h5
cp data/mnist-train.h5 data/mnist-test.h5
cp data/mnist-train.h5 data/demo-digits.h5
cp data/cifar10-train.h5 data/cifar10-test.h5
cp data/cifar10-train.h5 data/photos.h5
for part in 1 2 3; do quietly "$LOCKSTEP" synth digits --channels 3 -n $((samples + 8)) --size 16x16 --seed $part -o data/catdog-$part.h5; done

# settings CONFIG: what makes it small. That of 206 million parameters has narrower layers, for smaller pictures.
settings() {
    echo training.batch_size=$batch training.images=0
    case $1 in
    catdog-colorize)
        echo data.train=data/catdog-?.h5 data.parts=3 training.early_stopping=none 'model.7.reshape=[4,4,8]' \
            model.{0.conv2d.filters=16,2.conv2d.filters=8,5.dense.units=125,6.dense.units=128,9.conv2d.filters=8}
        ;;
    catdog-colorize-small) echo data.train=data/catdog-1.h5 training.early_stopping=none ;;
    esac
}

# train WAY RUN OPTION...: of `config`; a way is RANKS/THREADS/MODE.
train() {
    local words ranks threads mode setting
    IFS=/ read -r ranks threads mode <<<"$1"
    words=(--run "$2" --set training.threads="$threads" --set training.exchange.mode="$mode")
    for setting in $(settings "$config"); do words+=(--set "$setting"); done
    ranks "$ranks" "$LOCKSTEP" train "${files[$config]}" "${words[@]}" "${@:3}"
}

# reference EPOCHS: one rank's run of `config`, with a checkpoint of each epoch.
reference() {
    local run=runs/$config more=()
    [ "$(epochs_of "$run")" -lt "$1" ] || return 0
    [ ! -e "$run" ] || more=(--resume)
    quietly train 1/1/auto "$run" --set training.epochs="$1" --set training.checkpoint='{keep: 1000}' "${more[@]}"
}

# like_reference RUN: and then it is not needed any more.
like_reference() {
    local epochs whole=runs/$config
    epochs=$(epochs_of "$1")
    reference "$epochs"
    diff <(metrics "$whole" | head -n "$epochs") <(metrics "$1") >&2 || fail "$1: the metrics differ"
    "$LOCKSTEP" inspect --diff "$(printf '%s/checkpoints/step-%010d.h5' "$whole" "$(metric "$1" step)")" \
        "$1/checkpoints/last.h5" >&2 || fail "$1 differs"
    rm -rf "$1"
}

straight() { # straight WAY
    local run="$config-${1//\//-}"
    quietly train "$1" "$run" --set training.epochs=1
    like_reference "$run"
}

# killed WAY OTHER: one of its ranks, after a step or more; it goes on in the other way.
killed() {
    local run="$config-${1//\//-}-${2//\//-}" ids
    { trap - ERR; train "$1" "$run" --set training.epochs=1000000 --set training.checkpoint='{every_steps: 1, keep: 2}'; } \
        >messages 2>&1 &
    await 60 [ -e "$run/checkpoints/last.h5" ]
    ids=($(processes))
    [ ${#ids[@]} -gt 0 ] || fail "it has ended by itself: $(cat messages)"
    kill -KILL "${ids[RANDOM % ${#ids[@]}]}"
    ! wait $! || fail "killed, and yet successful: $(cat messages)"
    await 10 nobody_left
    quietly train "$2" "$run" --resume --set training.epochs=$(($(epochs_of "$run") + 1))
    like_reference "$run"
}

declare -A files
for file in "$LOCKSTEP_ROOT"/configs/*.yaml "$LOCKSTEP_ROOT"/tests/data/*.yaml; do files[$(basename "$file" .yaml)]=$file; done

encoded() { # encoded CONFIG FILE: the codes of its reference
    local config=$1
    reference 1
    quietly "$LOCKSTEP" encode "runs/$1" --data data/mnist-train.h5 -o "data/$2-train.h5"
    cp "data/$2-train.h5" "data/$2-test.h5"
}

# prepare: what `config` begins with.
prepare() {
    case $config in
    mnist-codes-classifier) encoded mnist-deep mnist-deep-codes ;;
    mnist-stacked-denoising) encoded mnist-stacked-denoising-1 mnist-codes && config=mnist-stacked-denoising-2 reference 1 ;;
    mnist-stacked-denoising-2) encoded mnist-stacked-denoising-1 mnist-codes ;;
    esac
}

ways=()
for mode in shared messages; do
    for threads in 1 2; do
        for ranks in 1 2 3 4 8; do ways+=("$ranks/$threads/$mode"); done
    done
done

# These have all the layers, losses and optimizers that the others have, and with mnist-denoise Winograd's convolutions.
configs=(mnist-codes-classifier mnist-conv mnist-conv-tf mnist-contractive mnist-denoise mnist-seq2seq mnist-sparse-kl mnist-vae
    penalties)
[ "$LOCKSTEP_TEST_FULL" = 0 ] || mapfile -t configs < <(printf '%s\n' "${!files[@]}" | sort)

for config in "${configs[@]}"; do
    prepare
    if [ "$LOCKSTEP_TEST_FULL" = 0 ]; then
        killed 2/2/messages 3/1/shared
        continue
    fi
    for ((i = 0; i < ${#ways[@]}; i++)); do
        straight "${ways[i]}"
        killed "${ways[i]}" "${ways[(i + 13) % ${#ways[@]}]}" # other ranks, threads and mode; each once
    done
    echo "$config: $((2 * ${#ways[@]})) ways are equal"
done

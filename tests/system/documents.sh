# What the documents say holds: their commands run as they are printed, their configs are valid, and their links lead somewhere.
# A block of README.md or docs/guide.md that begins with ```sh is run, in the order of the page, by a reader with a folder of
# photographs and some digits; a block without a word only shows.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

# blocks PAGE LANGUAGE: its lines, each block's ended by a line of '---'.
blocks() { awk -v begin="\`\`\`$2" '$0 == begin { on = 1; next } /^```/ { if (on) print "---"; on = 0 } on' "$LOCKSTEP_ROOT/$1"; }

mkdir build data PHOTOS
ln -s "$LOCKSTEP" build/lockstep
ln -s "$LOCKSTEP_ROOT"/{configs,scripts} .
cp "$LOCKSTEP_ROOT"/docs/images/*.png PHOTOS
quietly "$LOCKSTEP" synth digits -n 200 -o data/mnist-train.h5
quietly "$LOCKSTEP" synth digits -n 50 --seed 2 -o data/mnist-test.h5

for page in docs/guide.md README.md; do
    rm -rf runs data/photos.h5
    block= count=0
    while IFS= read -r line; do
        if [ "$line" = --- ]; then
            quietly bash -ec "$block" </dev/null
            block= count=$((count + 1))
        else
            block+=$line$'\n'
        fi
    done < <(blocks $page sh)
    [ $count -ge 3 ] || fail "$page: only $count blocks of commands were found"
done
awk -F'"loss": ' '{ split($2, a, ","); loss[NR] = a[1] } END { exit !(NR == 40 && loss[40] < 0.8 * loss[1]) }' runs/photos/metrics.jsonl ||
    fail "the photographs have taught nothing: $(cat runs/photos/metrics.jsonl)"
[ -s photos.png ] && [ -s codes.npy ] && [ -s back.npy ] || fail "outputs are missing: $(ls)"

# Configs that are complete.
for page in README.md docs/guide.md; do
    blocks $page yaml | awk -v name="${page##*/}" '/^---$/ { n++; next } { print >(name "." n + 0 ".yaml") }'
done
found=0
for config in *.yaml; do
    grep -q '^training:' "$config" || continue
    quietly "$LOCKSTEP" train "$config" --run "runs/of-$config" --set training.epochs=1
    found=$((found + 1))
done
[ $found = 2 ] || fail "two complete configs were expected: $found"

# Links within the project: files, and headings as GitHub names them.
anchors() { sed -nE 's/^#+ //p' "$1" | tr 'A-Z' 'a-z' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'; }
cd "$LOCKSTEP_ROOT"
for page in *.md docs/*.md docs/notes/*.md; do
    while IFS= read -r link; do
        target=${link%%#*}
        [ -n "$target" ] && file=$(dirname "$page")/$target || file=$page
        [ -e "$file" ] || fail "$page: $link leads nowhere"
        [[ $link != *'#'* ]] || anchors "$file" | grep -qx -- "${link#*#}" || fail "$page: $link: there is no such heading"
    done < <(grep -oE '\]\([^) ]+\)' "$page" | sed 's/^](//; s/)$//' | sed "/^[a-z]*:/d")
done

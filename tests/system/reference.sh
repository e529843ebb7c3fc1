# What is made of the program's tables: the reference is current, the man page and the completions have every command and option
# that --help has.
. "$LOCKSTEP_ROOT/tests/system/lib.sh"

"$LOCKSTEP" --tables >tables
for kind in markdown man bash zsh; do "$LOCKSTEP_ROOT/scripts/reference" $kind <tables >$kind; done
diff "$LOCKSTEP_ROOT/docs/reference.md" markdown >&2 || fail "docs/reference.md is not what the program says: make docs"
awk -F '\t' 'NF != 9 { print; bad = 1 } END { exit bad }' tables || fail "these rows have not nine columns"

# Every command, and every option of each.
commands=$("$LOCKSTEP" --help | sed -nE 's/^  ([a-z]+)  .*/\1/p')
[ "$(wc -w <<<"$commands")" -ge 11 ] || fail "commands: $commands"
for command in $commands; do
    kinds=$("$LOCKSTEP" $command --help | sed -nE "s/^  lockstep ($command [a-z0-9]+) .*/\1/p")
    while read -r words; do
        grep -q "^### lockstep $words\$" markdown || fail "no $words in the reference"
        grep -q "^\.SS \"lockstep $words " man || fail "no $words in the man page"
        options=$("$LOCKSTEP" $words --help | sed -nE 's/^  --([a-z-]+).*/\1/p')
        sed -n "/^### lockstep $words\$/,/^###* /p" markdown | grep -oE '^\| `--[a-z-]+' | sed 's/^| `--//' | diff - <(echo "$options") >&2 ||
            fail "other options of $words in the reference"
        for option in $options; do
            grep -q "^    \"$words\") .*--$option " bash || fail "no --$option of $words for bash"
            sed -n "/^    '$words')/,/;;/p" zsh | grep -qE -- "--$option[=\[]" || fail "no --$option of $words for zsh"
        done
    done <<<"${kinds:-$command}"
done
# Every key, layer and so on that help has.
"$LOCKSTEP" help config | sed -nE 's/^ +([a-z0-9_.]+)  .*/\1/p' | sort -u | while read -r name; do
    grep -qE "^(### $name|\| \`([a-z_]+\.)*$name\` .*)\$" markdown || fail "no $name in the reference"
done
if command -v groff >/dev/null; then [ -z "$(groff -man -Tutf8 -ww man 2>&1 >/dev/null)" ] || fail "groff: $(groff -man -Tutf8 -ww man 2>&1 >/dev/null)"; fi

# bash: what TAB gives at the end of these words.
. ./bash
complete_words() { # complete_words EXPECTED WORD...: the last word is begun
    local expected=$1
    shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _lockstep
    [ "${COMPREPLY[*]}" = "$expected" ] || fail "$*: '${COMPREPLY[*]}' in place of '$expected'"
}
complete_words train lockstep tr
complete_words 'idx cifar10 images --help' lockstep import ''
complete_words --resume lockstep train config.yaml --re
complete_words 'training.epochs=' lockstep train config.yaml --set training.ep
complete_words 'crop stretch pad' lockstep import images --fit ''
complete_words 'conv2d conv2d_transpose' lockstep help conv
complete_words '' lockstep decode run --set ''

# zsh, where it is there.
command -v zsh >/dev/null || skip "there is no zsh"
cat >keys.zsh <<'END'
zmodload zsh/zpty
mkdir -p functions && cp zsh functions/_lockstep
zpty shell zsh -f -i
zpty -w shell "cd $PWD; fpath=($PWD/functions \$fpath); autoload -Uz compinit; compinit -u -d dump; lockstep() { print -r -- \"\$*\" >typed }"
zpty -w shell $'lockstep tra\tconfig.yaml --resu\t--set training.epo\t5; lockstep2=1; exit'
for ((i = 0; i < 500; i++)); do [[ -s typed ]] && break; sleep 0.02; zpty -rt shell line 2>/dev/null; done
END
zsh -f keys.zsh >messages 2>&1 </dev/null || true
[ "$(cat typed)" = 'train config.yaml --resume --set training.epochs=5' ] || fail "zsh: $(cat typed messages)"

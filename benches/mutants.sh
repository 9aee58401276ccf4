#!/usr/bin/env bash
# Holds `cargo poc affected` against mutants: in a copy of CHECKOUT, one function after another is made to panic, all tests
# run, and every test that passed before and does not now must be in the selection. What is missed is printed, exit code 1.
#
#     cargo build --release && benches/mutants.sh [--killed N] [--seed N] [--observed] [--reuse] CHECKOUT [NEXTEST ARGUMENT…]
#
# --killed N    Go on until N mutants were killed: did not pass all tests (20). Mutants that do not build do not count.
# --seed N      Another choice of functions (1).
# --observed    Collect first what every test runs, and hold the narrowed selection against the mutants too.
# --reuse       Check the results that `verify` reuses instead of the selection: every test that a mutant breaks must fail in
#               `verify` too. Every test is selected, so a test that does not run is reused. Some mutants stay while others follow,
#               and some states without a mutant are checked too. Each NEXTEST ARGUMENT must be a build option.
#
# Needs cargo-nextest, and what the checkout's tests need; fetches nothing. The checkout is only read. Doctests are not run.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
killed=20 seed=1 observed= reuse=
while [[ ${1:-} == --* ]]; do
    case $1 in
    --killed) killed=$2 && shift 2 ;;
    --seed) seed=$2 && shift 2 ;;
    --observed) observed=yes && shift ;;
    --reuse) reuse=yes && shift ;;
    *) echo "unknown option $1" >&2 && exit 2 ;;
    esac
done
source "$here/copy.sh" "${1:-}"
shift
export CARGO_NET_OFFLINE=true

# A mutant may make a test wait for ever.
printf '[profile.default]\nslow-timeout = { period = "60s", terminate-after = 2 }\n' >"$scratch/nextest.toml"

[[ -z $reuse ]] || {
    mkdir -p .config
    [[ -e .config/nextest.toml ]] || cp -- "$scratch/nextest.toml" .config
    for manifest in $(git ls-files '*Cargo.toml'); do
        [[ -e ${manifest%Cargo.toml}src/lib.rs ]] && ! grep -q '^doctest' "$manifest" || continue
        grep -q '^\[lib\]' "$manifest" || printf '\n[lib]\n' >>"$manifest"
        sed -i '/^\[lib\]/a doctest = false' "$manifest"
    done
    git add .
    # Compared with an empty commit, every file is changed.
    export GIT_AUTHOR_NAME=bench GIT_AUTHOR_EMAIL=bench@example.invalid
    export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
    empty=$(git commit-tree -m nothing "$(git mktree </dev/null)")
    git reset --quiet --soft "$(git commit-tree -p "$empty" -m everything "$(git write-tree)")"
}

# The tests that pass, one a line: binary id and name. Fails where the tests cannot be built.
passing() {
    cargo nextest run --tool-config-file "mutants:$scratch/nextest.toml" --workspace --no-fail-fast --status-level all --final-status-level none --show-progress none \
        "$@" >"$scratch/run" 2>&1 || true
    grep -q '^ *Summary ' "$scratch/run" || return 1
    # `        PASS [   0.004s] (1/9) grep-cli decompress::tests::ok`; also LEAK, and `TRY 2 PASS` of what was tried again.
    sed -nE 's/^ *(TRY [0-9]+ )?(PASS|LEAK) \[[^]]*\] *(\([^)]*\) *)?//p' "$scratch/run" | sort -u
}

# The tests of `$scratch/lost` that the selection lacks; the arguments are for `affected`.
missed() {
    "$program" affected --base HEAD --format names "$@" 2>"$scratch/warnings" | cut -f 2- >"$scratch/selected"
    [[ $(<"$scratch/selected") != ALL ]] || return 0
    awk -F '\t' 'NR == FNR { if ($2 == "*") whole[$1]; else single[$1 " " $2]; next }
        { split($0, words, " ") } !(words[1] in whole) && !($0 in single)' "$scratch/selected" "$scratch/lost"
}

# Runs `verify`, and lists the tests that fail in it. Its results are kept for the next run.
reusing() {
    local exit=0
    "$program" verify --runner nextest --base "$empty" --format json "$@" >"$scratch/report" 2>"$scratch/warnings" || exit=$?
    # A build may fail.
    ((exit <= 1)) || { cat -- "$scratch/warnings" >&2 && exit 1; }
    reused=$((reused + $(sed -nE 's/^  "reused": ([0-9]+),$/\1/p' "$scratch/report")))
    awk -F '"' '/^  "failing": \[/ { on = 1 } /^  \]/ { on = 0 } on && $2 == "binary" { binary = $4 }
        on && $2 == "test" { print binary " " $4 }' "$scratch/report" | sort -u >"$scratch/failing"
}

echo "Running all tests of $(basename -- "$checkout") once"
passing "$@" >"$scratch/before" || { tail -n 20 "$scratch/run" >&2 && exit 1; }
# What does not pass every time tells nothing.
passing "$@" >"$scratch/again"
comm -12 "$scratch/before" "$scratch/again" >"$scratch/base"
printf '%d tests pass\n' "$(wc -l <"$scratch/base")"
[[ -z $observed ]] || "$program" affected --collect ${@:+-- "$@"} >/dev/null 2>"$scratch/run" ||
    { tail -n 20 "$scratch/run" >&2 && exit 1; }

"$here/functions.sh" "$seed" >"$scratch/functions"

# What the selection lacks of `$scratch/lost`, from sources alone and, where that was collected, narrowed.
judge() {
    [[ -z $reuse ]] || { comm -23 "$scratch/lost" "$scratch/failing" >"$scratch/missed" && return; }
    missed --no-observed >"$scratch/missed"
    [[ -z $observed ]] || missed | sed 's/$/ (narrowed)/' >>"$scratch/missed"
}

# Compares the tests that no longer pass with the selection, or with the failed tests of `verify`. Fails if nothing builds.
compare() {
    [[ -z $reuse ]] || reusing "$@"
    passing "$@" >"$scratch/now" || return 1
    runs=$((runs + 1))
    comm -23 "$scratch/base" "$scratch/now" >"$scratch/lost"
    judge
    if [[ -s $scratch/missed ]] && passing "$@" >"$scratch/now"; then
        # What a mutant breaks it breaks every time.
        comm -23 "$scratch/lost" "$scratch/now" >"$scratch/lost.again"
        mv -- "$scratch/lost.again" "$scratch/lost"
        judge
    fi
    lost=$(wc -l <"$scratch/lost")
    tests=$((tests + lost))
    printf '%s: %d tests lost, %d missed\n' "$change" "$lost" "$(wc -l <"$scratch/missed")"
    sed 's/^/    missed: /' "$scratch/missed"
    misses=$((misses + $(wc -l <"$scratch/missed")))
}

tried=0 found=0 tests=0 misses=0 runs=0 reused=0
RANDOM=$seed
[[ -z $reuse ]] || { change='no mutant' && compare "$@"; }
while ((found < killed)) && IFS=: read -r file line <&3; do
    tried=$((tried + 1))
    change=$file:$line
    sed -i "${line}s/\$/ if true { panic!(\"a mutant\") }/" "$file"
    # One of four mutants is judged together with the next one.
    [[ -z $reuse ]] || ((RANDOM % 4)) || continue
    compare "$@" || { git checkout --quiet -- . && continue; }
    ((lost == 0)) || found=$((found + 1))
    case $((RANDOM % 4))$reuse in
    0yes) ;;
    1yes) git checkout --quiet -- . && change='no mutant' && compare "$@" ;;
    2yes | 3yes) sed -i "${line}s/ if true { panic!(\"a mutant\") }\$//" "$file" ;;
    *) git checkout --quiet -- . ;;
    esac
done 3<"$scratch/functions"
printf '%d mutants, %d killed, %d tests lost, %d missed\n' "$tried" "$found" "$tests" "$misses"
[[ -z $reuse ]] || printf '%d runs reused %d of %d results\n' "$runs" "$reused" "$((runs * $(wc -l <"$scratch/base")))"
((misses == 0 && found > 0))

#!/usr/bin/env bash
# Measures the seconds from a saved edit to the verdict of the tests, in a copy of CHECKOUT, and prints the medians, also relative
# to the faster one of the two whole suites.
#
#     cargo build --release && benches/loop.sh [--edits N] [--seed N] [--coverage FILE] CHECKOUT [BUILD OPTION…]
#
# --edits N     The number of functions to edit, one after another (10). Functions that no test can reach are left out.
# --seed N      Another choice of functions (1).
# --coverage FILE  The collected coverage of this commit with these options; if there is no such file, it is collected and written. Collecting
#               starts a process for each test; thousands of tests take minutes.
#
# $KEEP, a folder, gets the output of each run.
#
# nextest       cargo nextest run --workspace, then cargo test --workspace --doc
# cargo         cargo test --workspace
# rdeps         cargo nextest run -E 'rdeps(=PACKAGE)', then the documentation tests of these packages
# sources       cargo poc verify --no-reuse
# coverage      the same, with collected coverage
# reuse         cargo poc verify after a second edit: the tests of the first one have passed
#
# Each of them has its own target folder and begins with a build of the unchanged sources. Their order changes with each edit.
# Needs cargo-nextest, an idle machine, and what the tests of the checkout need; fetches nothing. The checkout is only read.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
edits=10 seed=1 collected=
while [[ ${1:-} == --* ]]; do
    case $1 in
    --edits) edits=$2 && shift 2 ;;
    --seed) seed=$2 && shift 2 ;;
    --coverage) collected=$(realpath -m -- "$2") && shift 2 ;;
    *) echo "unknown option $1" >&2 && exit 2 ;;
    esac
done
source "$here/copy.sh" "${1:-}"
shift
options=("$@")
export CARGO_NET_OFFLINE=true

all=(nextest cargo rdeps sources coverage reuse)

# Documentation tests of the packages in the arguments; nothing if none of them has a library.
documentation() {
    cargo test --doc "$@" "${options[@]}" 2>"$scratch/doc" || grep -q '^error: no library targets found' "$scratch/doc"
}

run() {
    export CARGO_TARGET_DIR=$scratch/$1
    case $1 in
    nextest) cargo nextest run --workspace "${options[@]}" && documentation --workspace ;;
    cargo) cargo test --workspace "${options[@]}" ;;
    rdeps)
        cargo nextest run --workspace "${options[@]}" -E "rdeps(=$package)" --no-tests=pass && documentation "${dependents[@]}"
        ;;
    sources | coverage) "$program" verify --base HEAD --no-reuse "${options[@]}" ;;
    reuse) "$program" verify --base HEAD "${options[@]}" ;;
    esac >"$scratch/output" 2>&1 || printf 'note: %s failed at %s: %s\n' "$1" "$function" "$(tail -n 1 "$scratch/output")"
    [[ -z ${KEEP:-} ]] || cp -- "$scratch/output" "$KEEP/$done.$1"
}

seconds() {
    local start=$EPOCHREALTIME
    run "$1"
    awk -v start="$start" -v end="$EPOCHREALTIME" 'BEGIN { printf "%.2f\n", end - start }'
}

build() {
    CARGO_TARGET_DIR=$scratch/$1 cargo test --workspace --no-run --quiet "${options[@]}" 2>"$scratch/output" ||
        { cat -- "$scratch/output" >&2 && exit 1; }
}

edit() { # FILE:LINE
    sed -i "${1##*:}s/\$/ if false { panic!(\"an edit\") }/" "${1%:*}"
}

# The number of selected tests of an edit, or nothing.
selected() {
    CARGO_TARGET_DIR=$scratch/sources "$program" affected --base HEAD --format json "${options[@]}" 2>/dev/null |
        sed -nE 's/^  "selected": ([0-9]+),$/\1/p'
}

# The package of a file.
package_of() {
    local folder
    folder=$(dirname -- "$1")
    until [[ -e $folder/Cargo.toml ]]; do folder=$(dirname -- "$folder"); done
    sed -nE '/^\[package\]/,/^\[[^p]/s/^name *= *"(.*)"/\1/p' "$folder/Cargo.toml"
}

echo "Building $(basename -- "$checkout")"
build nextest
for name in "${all[@]:1}"; do cp -a -- "$scratch/nextest" "$scratch/$name"; done
coverage=(--collect)
[[ -z $collected ]] || coverage+=(--export "$collected")
[[ ! -s $collected ]] || coverage=(--import "$collected")
CARGO_TARGET_DIR=$scratch/coverage "$program" affected "${coverage[@]}" "${options[@]}" >"$scratch/output" 2>&1 ||
    { tail -n 20 "$scratch/output" >&2 && exit 1; }

printf '%-40s %8s' edit selected && printf ' %8s' "${all[@]}" && echo
done=0 previous=
"$here/functions.sh" "$seed" >"$scratch/functions"
while ((done < edits)) && read -r function <&3; do
    edit "$function"
    count=$(selected)
    ((${count:-0} > 0)) || { git checkout --quiet -- . && continue; }
    if [[ -z $previous ]]; then
        previous=$function && git checkout --quiet -- . && continue
    fi
    package=$(package_of "${function%:*}")
    mapfile -t dependents < <("$program" affected --base HEAD --format packages "${options[@]}" 2>/dev/null | sed 's/^/--package=/')
    git checkout --quiet -- .
    for name in "${all[@]}"; do build "$name"; done
    edit "$previous" && run reuse && edit "$function"
    seconds reuse >"$scratch/time.reuse"
    git checkout --quiet -- . && edit "$function"
    for ((at = 0; at < 5; at++)); do
        name=${all[(at + done) % 5]}
        seconds "$name" >"$scratch/time.$name"
    done
    printf '%-40s %8s' "$function" "$count"
    for name in "${all[@]}"; do printf ' %8s' "$(<"$scratch/time.$name")"; done | tee -a "$scratch/times"
    echo | tee -a "$scratch/times"
    git checkout --quiet -- .
    previous=$function done=$((done + 1))
done 3<"$scratch/functions"

median() {
    sort -n | awk '{ value[NR] = $1 } END { printf " %8.2f", (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'
}
printf '%-49s' 'median seconds'
for ((at = 1; at <= ${#all[@]}; at++)); do awk -v at="$at" '{ print $at }' "$scratch/times" | median; done
printf '\n%-49s' 'median ratio to the faster whole suite'
for ((at = 1; at <= ${#all[@]}; at++)); do
    awk -v at="$at" '{ print $at / ($1 < $2 ? $1 : $2) }' "$scratch/times" | median
done
echo

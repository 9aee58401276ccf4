#!/usr/bin/env bash
# Times the release binary against cargo, in alternation: on a generated workspace of 200 packages, and on a copy of every
# CHECKOUT given. Prints medians in milliseconds, the ratio to cargo's own call, and peak memory.
#
#     cargo build --release && benches/compare.sh [--runs N] [CHECKOUT…]
#
# A checkout needs what `cargo metadata --offline` needs: run `cargo fetch` in it first. Only files that its git knows are
# copied; the checkout itself is only read.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
program=$(cd -- "$here/.." && cargo metadata --no-deps --format-version 1 |
    sed -E 's/.*"target_directory":"([^"]*)".*/\1/')/release/cargo-poc
[[ -x $program ]] || { echo "no $program; run: cargo build --release" >&2; exit 1; }
runs=21
if [[ ${1:-} == --runs ]]; then
    runs=$2
    shift 2
fi
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
export CARGO_NET_OFFLINE=true
committed=(-c user.name=bench -c user.email=bench@example.invalid -c commit.gpgsign=false)

# Microseconds that a command takes; its output goes nowhere.
timed() {
    local start=$EPOCHREALTIME
    "$@" >/dev/null 2>&1
    local end=$EPOCHREALTIME
    echo $((${end/[.,]/} - ${start/[.,]/}))
}

median() {
    sort -n | sed -n "$(((runs + 1) / 2))p"
}

# A package in the middle of the workspace, and the root of its library.
choose() {
    git ls-files '*/src/lib.rs' | sort | awk '{ lines[NR] = $0 } END { print lines[int((NR + 1) / 2)] }'
}

# A PoC with a step that was proven before the last edit, so that `status` has files to hash and a change to look at.
prepare() {
    library=$(choose)
    package=$(sed -nE 's/^name *= *"(.*)"/\1/p' "${library%src/lib.rs}Cargo.toml" | head -n 1)
    mkdir -p docs
    cat >docs/bench-plan.md <<EOF
# Bench PoC Implementation Plan

## Overview

| Attribute | Value |
|-----------|-------|
| **Base** | \`$(git rev-parse HEAD)\` |
| **Packages** | \`$package\` |

## Implementation Steps

### Step 1: Measure

**Tasks**:
- [ ] Measure

**Verification**:
\`\`\`bash
true
\`\`\`

## Files to Create/Modify

| File | Action | Status |
|------|--------|--------|
| \`$library\` | Modify | Pending |
EOF
    printf '# Bench PoC Results\n' >docs/bench-results.md
    # The step's command names no package, so its evidence depends on every file of the workspace.
    "$program" verify bench --step 1 --quiet
    printf '\n// An edit.\n' >>"$library"
}

measure() { # what it is called
    prepare
    local -A commands=(
        [members]="cargo metadata --no-deps --offline --format-version 1"
        [resolve]="cargo metadata --offline --format-version 1"
        [status]="$program status --offline"
        [affected]="$program affected --offline"
        [init]="$program init other --dry-run --offline -p $package --file $library"
    )
    local order=(members status affected resolve init) name run
    for ((run = 0; run <= runs; run++)); do
        for name in "${order[@]}"; do
            # shellcheck disable=SC2086 # words without blanks
            timed ${commands[$name]} >>"$scratch/$1.$name"
        done
        # The first round warms the disk cache.
        ((run > 0)) || rm -- "$scratch/$1".*
    done
    local files
    files=$(git ls-files | wc -l)
    printf '\n%s: %d packages, %d files, %d runs\n' "$1" \
        "$(cargo metadata --no-deps --format-version 1 | grep -oE '"manifest_path":' | wc -l)" "$files" "$runs"
    printf '%-10s %10s %8s %12s\n' command 'median ms' ratio 'peak memory'
    local base value ratio memory
    for name in members status affected resolve init; do
        value=$(median <"$scratch/$1.$name")
        case $name in
        members | resolve) base=$value ;;
        esac
        ratio=$(awk "BEGIN { printf \"%.2f\", $value / $base }")
        memory=$(peak ${commands[$name]})
        printf '%-10s %10s %8s %12s\n' "$name" "$(awk "BEGIN { printf \"%.1f\", $value / 1000 }")" "$ratio" "$memory"
    done
}

# Of the largest of its processes, cargo's among them; needs GNU time.
peak() {
    if [[ -x /usr/bin/time ]]; then
        /usr/bin/time -f '%M' -o "$scratch/peak" "$@" >/dev/null 2>&1
        awk '{ printf "%.0f MB", $1 / 1024 }' "$scratch/peak"
    else
        printf -- '-'
    fi
}

"$here/generate.sh" "$scratch/generated"
(cd -- "$scratch/generated" && measure generated)
for checkout in "$@"; do
    name=$(basename -- "$checkout")
    mkdir -- "$scratch/$name"
    git -C "$checkout" ls-files -z | tar -C "$checkout" --null --no-recursion --files-from - -c | tar -C "$scratch/$name" -x
    (
        cd -- "$scratch/$name"
        git init --quiet
        git add --force .
        git "${committed[@]}" commit --quiet --no-verify --message 'A copy'
        measure "$name"
    )
done

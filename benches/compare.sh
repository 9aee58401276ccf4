#!/usr/bin/env bash
# Times the release binary against cargo, in alternation: on a generated workspace of 200 packages, on one of 8 with 100
# PoCs of 80 KB each, on one with ten of them (`report` beside `status`), and on a copy of every CHECKOUT given. Prints
# medians of the time that passed and of the processors' time (user and system, of all processes), both in milliseconds and
# as a ratio to cargo's own call, and peak memory. On a machine that does other work meanwhile, only the processors' time
# means much.
#
#     cargo build --release && benches/compare.sh [--runs N] [CHECKOUT…]
#
# A checkout needs what `cargo metadata --offline` needs: run `cargo fetch` in it first. It is only read: the
# copy leaves out its history and what was built.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
program=$(cd -- "$here/.." && cargo metadata --no-deps --format-version 1 |
    sed -E 's/.*"target_directory":"([^"]*)".*/\1/')/release/cargo-poc
# What is measured is built and kept in its own folder.
unset CARGO_TARGET_DIR
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

# Milliseconds that a command takes: passed, and of the processors. Its output goes nowhere.
timed() {
    local TIMEFORMAT='%3R %3U %3S'
    { time "$@" >/dev/null 2>&1; } 2>&1 | awk '{ printf "%.0f %.0f\n", $1 * 1000, ($2 + $3) * 1000 }'
}

median() { # column
    cut -d ' ' -f "$1" | sort -n | sed -n "$(((runs + 1) / 2))p"
}

# The root of the library of a member in the middle of the workspace, below the current folder.
choose() {
    cargo metadata --no-deps --offline --format-version 1 | grep -oE '"manifest_path":"[^"]*"' | cut -d '"' -f 4 |
        sed -n "s|^$PWD/\(.*/\)Cargo.toml\$|\1src/lib.rs|p" | sort -u | while read -r library; do
        [[ ! -f $library ]] || echo "$library"
    done | awk '{ lines[NR] = $0 } END { print lines[int((NR + 1) / 2)] }'
}

# A PoC with a step that was proven before the last edit, so that `status` has files to hash and a change to look at.
prepare() {
    # Files as old as the index would be read by every git call; no repository stays like that beyond its first commands.
    sleep 1.1
    git status --porcelain >/dev/null
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
    # The body of the package's first function changes, so that `affected` has a way to look for.
    edited=$(git ls-files "${library%lib.rs}*.rs" | xargs grep -lE '^ *(pub )?fn .*\{$' | head -n 1)
    sed -i -E '0,/^ *(pub )?fn .*\{$/s//& let _ = ();/' "$edited"
    "$program" affected --offline | head -n 1
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
    printf '%-10s %10s %8s %14s %8s %12s\n' command 'passed ms' ratio 'processors ms' ratio 'peak memory'
    local passed spent passed_base spent_base
    for name in members status affected resolve init; do
        passed=$(median 1 <"$scratch/$1.$name")
        spent=$(median 2 <"$scratch/$1.$name")
        case $name in
        members | resolve)
            passed_base=$passed
            spent_base=$spent
            ;;
        esac
        # shellcheck disable=SC2086 # words without blanks
        printf '%-10s %10s %8s %14s %8s %12s\n' "$name" "$passed" "$(ratio "$passed" "$passed_base")" \
            "$spent" "$(ratio "$spent" "$spent_base")" "$(peak ${commands[$name]})"
    done
}

# The list of all PoCs: `status` as it is called again and again, and `anew` without what it has kept of the documents.
# Each PoC has a step that was proven before the last edit.
measure_list() { # what it is called
    sleep 1.1
    git status --porcelain >/dev/null
    local plan name run command
    for plan in docs/*-plan.md; do
        name=$(basename -- "$plan" -plan.md)
        "$program" verify "$name" --step 0 --quiet >/dev/null 2>&1
    done
    printf '\n// An edit.\n' >>packages/p0/src/lib.rs
    for ((run = 0; run <= runs; run++)); do
        for name in members status anew; do
            command="$program status --offline"
            case $name in
            members) command="cargo metadata --no-deps --offline --format-version 1" ;;
            anew) rm -f -- target/cargo-poc/documents ;;
            esac
            # shellcheck disable=SC2086 # words without blanks
            timed $command >>"$scratch/$1.$name"
        done
        ((run > 0)) || rm -- "$scratch/$1".*
    done
    printf '\n%s: %d PoCs, %d steps, %d KB of documents, %d runs\n' "$1" "$(find docs -name '*-plan.md' | wc -l)" \
        "$(cat docs/*-plan.md | grep -c '^### Step')" "$(($(cat docs/*.md | wc -c) / 1024))" "$runs"
    printf '%-10s %10s %8s %14s %8s\n' command 'passed ms' ratio 'processors ms' ratio
    local passed spent passed_base spent_base
    for name in members status anew; do
        passed=$(median 1 <"$scratch/$1.$name")
        spent=$(median 2 <"$scratch/$1.$name")
        if [[ $name == members ]]; then
            passed_base=$passed
            spent_base=$spent
        fi
        printf '%-10s %10s %8s %14s %8s\n' "$name" "$passed" "$(ratio "$passed" "$passed_base")" \
            "$spent" "$(ratio "$spent" "$spent_base")"
    done
}

# The page of all PoCs beside the list of them, each with a recorded run.
measure_page() {
    sleep 1.1
    git status --porcelain >/dev/null
    local plan name run
    for plan in docs/*-plan.md; do
        name=$(basename -- "$plan" -plan.md)
        "$program" verify "$name" --step 0 --quiet >/dev/null 2>&1
    done
    for ((run = 0; run <= runs; run++)); do
        for name in status report; do
            timed "$program" "$name" --offline >>"$scratch/page.$name"
        done
        ((run > 0)) || rm -- "$scratch/page".*
    done
    printf '\npage: %d PoCs, %d KB of documents, %d KB of HTML, %d runs\n' "$(find docs -name '*-plan.md' | wc -l)" \
        "$(($(cat docs/*.md | wc -c) / 1024))" "$(($(wc -c <target/cargo-poc/report.html) / 1024))" "$runs"
    printf '%-10s %10s %14s\n' command 'passed ms' 'processors ms'
    for name in status report; do
        printf '%-10s %10s %14s\n' "$name" "$(median 1 <"$scratch/page.$name")" "$(median 2 <"$scratch/page.$name")"
    done
}

ratio() {
    awk -v value="$1" -v base="$2" 'BEGIN { printf "%.2f", value / base }'
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
# As people write plans, fifteen steps of 5 KB, and a hundred small ones.
for shape in large:100 small:4; do
    "$here/generate.sh" "$scratch/${shape%:*}" 8
    "$here/documents.sh" "$scratch/${shape%:*}" 100 80 "${shape#*:}"
    (cd -- "$scratch/${shape%:*}" && measure_list "${shape%:*}")
done
"$here/generate.sh" "$scratch/page" 8
"$here/documents.sh" "$scratch/page" 10
(cd -- "$scratch/page" && measure_page)
for checkout in "$@"; do
    name=$(basename -- "$checkout")
    mkdir -- "$scratch/$name"
    tar -C "$checkout" --exclude=./.git --exclude=./target -c . | tar -C "$scratch/$name" -x
    (
        cd -- "$scratch/$name"
        git init --quiet
        git add .
        git "${committed[@]}" commit --quiet --no-verify --message 'A copy'
        measure "$name"
    )
done

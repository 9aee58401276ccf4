#!/usr/bin/env bash
# What each command does before it can answer: the processes that it starts and the files of the workspace that the program
# itself opens (not those that cargo and git open), on a generated workspace of 8 packages with two PoCs, one of them begun.
# Then the size of the program, and the median time of --help in milliseconds. Needs strace.
#
#     cargo build --release && benches/startup.sh [--runs N]
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
program=${CARGO_POC:-$(cd -- "$here/.." && cargo metadata --no-deps --format-version 1 |
    sed -E 's/.*"target_directory":"([^"]*)".*/\1/')/release/cargo-poc}
[[ -x $program ]] || { echo "no $program; run: cargo build --release" >&2; exit 1; }
command -v strace >/dev/null || { echo "strace is not installed" >&2; exit 1; }
runs=51
if [[ ${1:-} == --runs ]]; then
    runs=$2
fi
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
export CARGO_NET_OFFLINE=true GIT_AUTHOR_NAME=bench GIT_AUTHOR_EMAIL=bench@example.invalid
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL GIT_CONFIG_GLOBAL=/dev/null

"$here/generate.sh" "$scratch/workspace" 8 >/dev/null
cd -- "$scratch/workspace"
workspace=$(pwd -P)
{
    "$program" init cache -p p3 --file packages/p3/src/cache.rs
    "$program" init tidy --size tiny -p p5 --file packages/p5/src/tidy.rs
    sed -i '/^```bash$/,/^```$/ { /^cargo /s/.*/true/ }' docs/tidy-plan.md
    git add .
    git commit --quiet --message 'Two plans'
    "$program" verify tidy --step 0
    # Files as old as the index would be read by every git call.
    sleep 1.1
    git status --porcelain
} >"$scratch/set-up" 2>&1 || { cat "$scratch/set-up" >&2; exit 1; }

# A row of the table: what a command's own threads do, and none of the processes that it starts.
profile() {
    strace --follow-forks --detach-on=execve --quiet=all --signal=none --trace=execve,open,openat \
        --string-limit=512 --output="$scratch/trace" "$program" "$@" >/dev/null 2>&1 || true
    awk -v workspace="$workspace/" -v program="$program" -v line="$*" '
    / execve\(/ && !/ENOENT/ { # A name is looked for along PATH: the last one is it.
        match($0, /\[.*\]/)
        words = substr($0, RSTART + 1, RLENGTH - 2)
        if (index($0, "execve(\"" program "\"")) next
        gsub(/"|,/, "", words)
        sub(/ -C [^ ]*/, "", words)
        split(words, word, " ")
        sub(/.*\//, "", word[1])
        if (!($1 in started)) order[++processes] = $1
        started[$1] = word[1] " " word[2]
        next
    }
    / open(at)?\(/ && !/ENOENT/ {
        if (!match($0, /"[^"]*"/)) next
        path = substr($0, RSTART + 1, RLENGTH - 2)
        if (index(path, workspace) != 1) next
        path = substr(path, length(workspace) + 1)
        kind = path ~ /^target/ ? "kept" : path ~ /O_DIRECTORY/ || $0 ~ /O_DIRECTORY/ ? "folder" : \
            path ~ /\.md$/ ? "document" : path ~ /\.rs$/ ? "source" : path ~ /Cargo\.(toml|lock)$/ ? "manifest" : "other file"
        opened[kind]++
    }
    END {
        told = ""
        for (each = 1; each <= processes; each++) {
            name = started[order[each]]
            if (!(name in times)) names[++distinct] = name
            times[name]++
        }
        for (each = 1; each <= distinct; each++)
            told = told (each > 1 ? ", " : "") names[each] (times[names[each]] > 1 ? " ×" times[names[each]] : "")
        files = ""
        split("manifest document source folder kept other_file", kinds, " ")
        for (each = 1; each <= 6; each++) {
            kind = kinds[each]
            sub(/_/, " ", kind)
            if (opened[kind]) files = files (files == "" ? "" : ", ") opened[kind] " " kind (opened[kind] > 1 && kind != "kept" ? "s" : "")
        }
        printf "| `%s` | %s | %s |\n", line, told == "" ? "none" : told, files == "" ? "none" : files
    }' "$scratch/trace"
}

printf '| command | processes | files of the workspace |\n|---|---|---|\n'
profile --help
profile completions bash
profile man
profile status
profile status cache
profile check
profile affected
profile report
profile init other -p p1 --file packages/p1/src/other.rs --dry-run
profile deps cache --dry-run
profile update cache --dry-run
profile verify tidy --step 1 --list
profile step start cache 1 --dry-run
profile step note cache 1 --issue slow --dry-run
profile step 'done' tidy 0 --dry-run
profile step 'done' tidy 0
profile amend tidy --reason 'a slower disk' --dry-run

for ((run = 0; run < runs; run++)); do
    TIMEFORMAT=%3R
    { time "$program" --help >/dev/null; } 2>&1
done | sort -n | sed -n "$(((runs + 1) / 2))p" |
    awk -v size="$(wc -c <"$program")" '{ printf "\nprogram %.2f MB, --help %.0f ms\n", size / 1e6, $1 * 1000 }'

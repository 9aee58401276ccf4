#!/usr/bin/env bash
# Compares `cargo poc verify --strength` with `cargo mutants --in-diff`: the verdict of each mutant that both list, and the time.
#
#     cargo build --release && benches/strength.sh [--changes N] [--seed N] CHECKOUT [FEATURE OPTION…]
#
# --changes N   The number of changes (3). Each touches one to five functions with at least three mutants: the base has other bodies for them.
# --seed N      Another choice of functions (1).
#
# For each change, `cargo mutants` runs once, and `cargo poc` twice: without anything built, and with what its first run left. cargo-mutants
# never reuses a build. Both use the same machine one after the other, so compare only times of one change.
#
# Needs cargo-mutants, python3, and what the checkout's tests need; fetches nothing. The checkout is only read.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
changes=3 seed=1
while [[ ${1:-} == --* ]]; do
    case $1 in
    --changes) changes=$2 && shift 2 ;;
    --seed) seed=$2 && shift 2 ;;
    *) echo "unknown option $1" >&2 && exit 2 ;;
    esac
done
source "$here/copy.sh" "${1:-}"
shift
export CARGO_NET_OFFLINE=true NO_COLOR=1
export GIT_AUTHOR_NAME=bench GIT_AUTHOR_EMAIL=bench@example.invalid
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
printf '/target\n/Cargo.lock\n' >>.git/info/exclude
head=$(git rev-parse HEAD)
cargo mutants --list --json --workspace >"$scratch/all.json"

for number in $(seq "$changes"); do
    git checkout --quiet --force --detach "$head"
    # The base has other bodies for some functions, so each line of them is changed.
    python3 - "$scratch/all.json" "$seed.$number" <<'END'
import json, random, sys
mutants = json.load(open(sys.argv[1]))
random.seed(sys.argv[2])
functions = {}
for mutant in mutants:
    # A mutant of a constant has no function.
    if not mutant["function"]:
        continue
    span = mutant["function"]["span"]
    key = (mutant["file"], span["start"]["line"], span["end"]["line"])
    functions.setdefault(key, []).append(mutant)
functions = sorted(key for key, own in functions.items() if len(own) >= 3)
chosen = random.sample(functions, random.randint(1, 5))
for file in {key[0] for key in chosen}:
    lines = open(file, newline="").read().split("\n")
    for _, start, end in sorted((key for key in chosen if key[0] == file), reverse=True):
        # The body of a function on one line stays.
        for at in range(start, end - 1):
            if lines[at].strip():
                lines[at] = "//" + lines[at]
    open(file, "w", newline="").write("\n".join(lines))
END
    git commit --quiet --all --allow-empty --message base
    git checkout --quiet "$head" -- .
    git diff HEAD >"$scratch/diff"
    rm -rf target/cargo-poc/strength target/mutants
    [[ -s $scratch/diff ]] || { echo "change $number: nothing has changed" && continue; }
    now() { date +%s.%N; }
    start=$(now)
    # Without --workspace, only the package at the root has mutants.
    cargo mutants --workspace --in-diff "$scratch/diff" "$@" --output "$scratch/out" >"$scratch/theirs.txt" 2>&1 || true
    middle=$(now)
    "$program" verify --strength --base HEAD --verbose "$@" >"$scratch/ours.txt" 2>&1 || true
    later=$(now)
    "$program" verify --strength --base HEAD --verbose "$@" >"$scratch/again.txt" 2>&1 || true
    end=$(now)
    [[ -z ${KEEP:-} ]] || { mkdir -p "$KEEP/$number" && cp -r "$scratch"/{diff,theirs.txt,ours.txt,again.txt,out} "$KEEP/$number"; }
    python3 - "$scratch" "$number" "$start" "$middle" "$later" "$end" <<'END'
import json, os, re, sys
folder, number = sys.argv[1:3]
times = [float(time) for time in sys.argv[3:]]
theirs_s, ours_s, again_s = (after - before for before, after in zip(times, times[1:]))
try:
    outcomes = json.load(open(f"{folder}/out/mutants.out/outcomes.json"))["outcomes"]
except OSError:
    print(f"change {number}: cargo-mutants found no mutant")
    sys.exit()
words = {"CaughtMutant": "caught", "MissedMutant": "missed", "Timeout": "timeout", "Unviable": "unviable"}
theirs = {
    one["scenario"]["Mutant"]["name"]: words.get(one["summary"], one["summary"])
    for one in outcomes
    if isinstance(one["scenario"], dict)
}
ours = {}
for line in open(f"{folder}/ours.txt"):
    found = re.match(r"\s*(caught|Missed|Timeout|unviable) (\S+:\d+:\d+): (.*)", line)
    if found:
        ours[f"{found[2]}: {found[3]}"] = found[1].lower()
shared = theirs.keys() & ours.keys()
same = [name for name in shared if theirs[name] == ours[name]]
for name in sorted(shared - set(same)):
    print(f"  {name}: cargo-mutants {theirs[name]}, cargo poc {ours[name]}")
if not ours:
    print("".join(list(open(f"{folder}/ours.txt"))[-5:]))
escapes = sum("escaped" in line for line in open(f"{folder}/ours.txt"))
print(
    f"change {number}: {len(theirs)} and {len(ours)} mutants, {len(shared)} shared, {len(same)} equal, {escapes} escapes; "
    f"cargo-mutants {theirs_s:.0f} s, cargo poc {ours_s:.0f} s ({theirs_s / ours_s:.1f} times faster), "
    f"again {again_s:.0f} s ({theirs_s / again_s:.1f})",
    flush=True,
)
END
    rm -rf "$scratch/out"
done

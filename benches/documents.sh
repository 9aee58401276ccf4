#!/usr/bin/env bash
# Writes COUNT PoCs (100 by default) into the folder docs/ of the workspace DIR: a plan of KIB kibibytes each (80 by
# default), with as many steps as that takes when each has LINES lines of code (100 by default), and results that tell of
# each step. No two documents are alike.
set -euo pipefail
usage='usage: documents.sh DIR [COUNT] [KIB] [LINES]'
dir=${1:?$usage}
count=${2:-100}
kib=${3:-80}
lines=${4:-100}
mkdir -p -- "$dir/docs"
base=$(git -C "$dir" rev-parse HEAD)
package=$(sed -nE 's/^name *= *"(.*)"/\1/p' "$dir"/packages/*/Cargo.toml "$dir"/Cargo.toml 2>/dev/null | head -n 1)
for ((poc = 0; poc < count; poc++)); do
    name=$(printf 'poc%03d' "$poc")
    awk -v name="$name" -v poc="$poc" -v base="$base" -v package="$package" -v size="$((kib * 1024))" -v lines="$lines" \
        -v plan="$dir/docs/$name-plan.md" -v results="$dir/docs/$name-results.md" '
    function criteria(to, mark) {
        printf "## Success Criteria\n\n" > to
        for (each = 1; each <= 8; each++)
            printf "- [%s] `%s` answers request %d in under %d ms, at %d requests a second\n", \
                mark, name, each, each * 3 + poc, each * 1000 > to
        printf "\n" > to
    }
    BEGIN {
        head = "# " name " PoC Implementation Plan\n\n> **Track Progress**: see [`docs/" name "-results.md`](" name "-results.md).\n\n"
        head = head "## Overview\n\n| Attribute | Value |\n|-----------|-------|\n| **Name** | " name " |\n| **Type** | PoC |\n"
        head = head "| **Created** | 2026-01-03 |\n| **Base** | `" base "` |\n| **Packages** | `" package "` |\n\n"
        printf "%s", head > plan
        criteria(plan, " ")
        printf "## Implementation Steps\n" > plan
        printf "# %s Results\n\n## Summary\n\n| Attribute | Value |\n|-----------|-------|\n| **Status** | In Progress |\n", name > results
        printf "| **Started** | 2026-01-03T09:00:00-08:00 |\n| **Completed** | -- |\n\n## Goal\n\nTo find out what %s costs.\n\n", name > results
        criteria(results, "x")
        printf "## Implementation Progress\n" > results
        files = "\n## Files to Create/Modify\n\n| File | Action | Status |\n|------|--------|--------|\n"
        written = length(head) + length(files)
        for (step = 0; written + 200 < size; step++) {
            part = "part_" poc "_" step
            text = "\n### Step " step ": Part " step " of " name " -- what it costs\n\n"
            text = text "**Goal**: After this step part " step " works, *alone*, and `" part "` says so. It is called from `src/lib.rs`.\n\n"
            text = text "**Tasks**:\n- [ ] Create `src/" part ".rs`: the part\n- [ ] Write the tests in `tests/part.rs`\n- [ ] Say what it does\n\n"
            text = text "**Code** (add to `src/lib.rs`):\n```rust\npub mod " part ";\n\n/// A part.\npub fn " part "(input: &str) -> usize {\n"
            text = text "    let length = input.len();\n"
            for (line = 4; line < lines; line++)
                text = text "    let length = length + " line "; // [" line "] of `" part "`\n"
            text = text "    // Nothing is longer than that.\n    length.min(" step ")\n}\n```\n\n"
            text = text "**Tests** (add to `tests/part.rs`):\n```rust\n#[test]\nfn " part "_is_bounded() {\n    assert_eq!(" part "(\"\"), 0);\n}\n```\n\n"
            text = text "**Verification**:\n```bash\n" (step ? "cargo test -p " package " " part "\n# Expected: All pass" : "true") "\n```\n\n"
            text = text "**Output**: " step + 1 "/" step + 1 " tests pass\n\n---\n"
            if (step % 2 == 0)
                row = "| `packages/" package "/src/" part ".rs` | Create | Pending: part " step " |\n"
            else
                row = ""
            printf "%s", text > plan
            files = files row
            written += length(text) + length(row)
            printf "\n### Step %d: Part %d of %s -- what it costs\n\n**Status**: In Progress\n\n**Expected**: %d tests pass\n\n", \
                step, step, name, step + 1 > results
            printf "**Implementation**:\n- `%s` in `src/%s.rs`\n- its tests\n\n**Test Results**: %d/%d tests passing\n\n", \
                part, part, step, step + 1 > results
            printf "**Issues**: None\n\n**Lessons Learned**:\n- Part %d was cheaper than part %d\n\n**Result**: --\n\n---\n", step, step - 1 > results
        }
        printf "%s\n## Dependencies\n\nNo new dependencies required.\n", files > plan
        printf "\n## Final Validation\n\n**All Tests**:\n- Unit: %d\n\n**Total**: %d tests\n", step, step > results
    }'
done

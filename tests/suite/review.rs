//! `status --since`: what the runs on a branch prove, and what is not proven.

use crate::kit::Sandbox;
use crate::plans::plan;

const PLAN: &str = plan!(
    "- [ ] it answers
  - Proof: step 2
- [ ] people like it
  - Proof: person
",
    "### Step 1: Answer

**Tasks**:
- [ ] write

**Verification**:
```bash
cargo test -p app --lib
# Expected: 1 passed
```

### Step 2: Answer from outside

**Tasks**:
- [ ] write

**Verification**:
```bash
cargo test -p app --test it
# Expected: 1 passed
```

### Step 3: More

**Tasks**:
- [ ] write

**Verification**:
```bash
cargo test -p app --test more
```
"
);

#[test]
fn a_review_tells_new_proofs_from_earlier_ones() {
    let sandbox = Sandbox::workspace("app; other");
    sandbox.write("docs/cache-plan.md", PLAN);
    sandbox.git();
    sandbox.poc("init cache --adopt").exits(0);
    sandbox.poc("verify cache --step 1").exits(0);
    sandbox.commit("step 1");
    sandbox
        .poc("status --since main")
        .exits(0)
        .prints("No PoC differs from main");
    sandbox.run_git(&["checkout", "--quiet", "-b", "work"]);
    sandbox.poc("verify cache --step 2").exits(0);
    sandbox
        .poc("verify cache --confirm criterion.2 --reason asked")
        .exits(0);
    sandbox.commit("step 2");
    let run = sandbox.poc("status --since main");
    run.exits(0);
    for text in [
        "cache  in progress, since main",
        "Proves   step 2: Answer from outside",
        "criterion 1: it answers",
        "criterion 2: people like it",
        "Open     step 3: More (pending)",
        "Earlier  1 item proven before",
    ] {
        run.prints(text);
    }
    let markdown = sandbox.poc("status --since main --format markdown");
    markdown
        .exits(0)
        .prints("Proves:\n\n- step 2: Answer from outside\n");
    markdown.prints("Leaves open:\n\n- step 3: More (pending)\n");
    markdown.prints("Proven before:\n\n- step 1: Answer\n");
    // Trunk goes on, and the branch is still compared with its beginning.
    sandbox.run_git(&["checkout", "--quiet", "main"]);
    sandbox.append("docs/cache-results.md", "\nA note.\n");
    sandbox.commit("note");
    sandbox.run_git(&["checkout", "--quiet", "work"]);
    sandbox
        .poc("status --since main")
        .prints("Proves   step 2: Answer from outside");
    // A change makes what was proven stale.
    sandbox.edit("app/src/lib.rs", "    42\n", "    40 + 2\n");
    sandbox
        .poc("status --since HEAD")
        .prints("Open     step 1: Answer (stale")
        .prints("step 2: Answer from outside (stale");
}

#[test]
fn a_review_needs_a_commit_and_a_format_for_people() {
    let sandbox = Sandbox::workspace("app");
    sandbox.git();
    sandbox
        .poc("status --since nowhere")
        .exits(2)
        .says("nowhere");
    sandbox
        .poc("status --since main --format sarif")
        .exits(2)
        .says("supports `--format human` and `--format markdown`");
}

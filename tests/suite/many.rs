//! Many PoCs at once.

use std::fmt::Write as _;

use crate::kit::{Run, Sandbox};

/// A plan of about 25 KB and its results, with something to find in both.
fn documents(poc: usize) -> (String, String) {
    let mut plan = format!(
        "# P{poc} PoC Implementation Plan\n\n> **Track Progress**: see [`docs/p{poc}-results.md`](p{poc}-results.md).\n\n\
         ## Overview\n\n| Attribute | Value |\n|---|---|\n| **Base** | `main` |\n| **Created** | January 3, 2026 |\n\n\
         ## Success Criteria\n\n- [ ] under {poc} ms\n  - measured twice\n- [ ] [fill in: what else]\n\n## Implementation Steps\n"
    );
    let mut results = format!(
        "# P{poc} Results\n\n## Summary\n\n| Attribute | Value |\n|---|---|\n| **Status** | In Progress |\n\
         | **Started** | 2026-01-02 |\n\n## Success Criteria\n\n- [x] under {poc} ms (at night)\n\n## Implementation Progress\n"
    );
    for step in 0..80 {
        let code = "    let answer = 42;\n".repeat(step % 9);
        let _ = write!(
            plan,
            "\n### Step {step}: Part {step}\n\n**Tasks**:\n- [x] write it\n- [ ] try it\n\n**Code**:\n```rust\nfn part() {{\n{code}}}\n\
             ```\n\n**Tests**:\n```rust\n#[test]\nfn t{step}() {{}}\n```\n\n**Verification**:\n```bash\ncargo test -p store t{step}\n\
             # Expected: {step} passed\n```\n\n**Output**: it answers\n"
        );
        let status = ["Pending", "✅ Complete", "In Progress (2026-01-04)"][step % 3];
        let _ = write!(
            results,
            "\n### Step {step}: Part {step} ✅\n\n**Status**: {status}\n\n**Test Results**: {step}/{step} tests passing\n\n\
             **Issues**: None\n\n**Result**: fine\n"
        );
    }
    plan.push_str("\n## Files to Create/Modify\n\n| File | Action | Status |\n|---|---|---|\n| `store/src/lib.rs` | Modify | Pending |\n");
    results.push_str(
        "\n## Final Validation\n\n**All Tests**:\n- Unit: 3\n- Live: 4\n\n**Total**: 9 tests\n",
    );
    (plan, results)
}

fn many() -> Sandbox {
    with(6)
}

fn with(pocs: usize) -> Sandbox {
    let sandbox = Sandbox::workspace("store");
    sandbox.git();
    for poc in 0..pocs {
        let (plan, results) = documents(poc);
        sandbox.write(&format!("docs/p{poc}-plan.md"), plan);
        sandbox.write(&format!("docs/p{poc}-results.md"), results);
    }
    sandbox
}

fn status(sandbox: &Sandbox) -> Run {
    sandbox.poc("status --format json")
}

#[test]
fn an_edited_document_is_read_again() {
    let sandbox = many();
    status(&sandbox);
    sandbox.edit(
        "docs/p3-plan.md",
        "### Step 7: Part 7\n",
        "### ~~Step 7~~: Moved\n",
    );
    sandbox.edit(
        "docs/p4-results.md",
        "| **Status** | In Progress |",
        "| **Status** | Complete |",
    );
    let json = status(&sandbox).json();
    assert_eq!(json["pocs"][3]["steps"][7]["state"], "withdrawn");
    assert_eq!(json["pocs"][4]["summary"]["status"], "Complete");
}

/// The list and the check of one PoC report the same findings.
#[test]
fn list_and_single_status_agree() {
    let sandbox = many();
    let list = status(&sandbox).json();
    for poc in [0, 5] {
        let name = format!("p{poc}");
        let check = sandbox.poc(&format!("check {name} --format json")).json();
        let findings = |report: &serde_json::Value| report["findings"].as_array().unwrap().clone();
        let (checked, listed) = (findings(&check), findings(&list["pocs"][poc]));
        assert!(checked.len() > 100, "{checked:?}");
        assert_eq!(checked.len(), listed.len());
        for (one, other) in checked.iter().zip(&listed) {
            for member in ["code", "severity", "path", "line", "column"] {
                assert_eq!(one[member], other[member], "{one}\n{other}");
            }
            // `status` says in the message what to do, too.
            let message =
                |finding: &serde_json::Value| finding["message"].as_str().unwrap().to_owned();
            assert!(message(other).starts_with(&message(one)), "{one}\n{other}");
        }
    }
}

/// Whose a changed file is, the other plans say. Where one PoC is named they are not read for anything else.
#[test]
fn files_of_other_plans_are_not_unplanned_for_a_named_poc() {
    let sandbox = with(12);
    let row = "| `store/src/lib.rs` | Modify | Pending |\n";
    sandbox.edit("docs/p0-plan.md", row, "");
    sandbox.append("store/src/lib.rs", "// An edit.\n");
    let is_a_surprise = || {
        let run = sandbox.poc("status p0 --format json");
        run.stdout.contains("POC080")
    };
    assert!(!is_a_surprise(), "other plans name the file");
    for poc in 1..12 {
        sandbox.edit(&format!("docs/p{poc}-plan.md"), row, "");
    }
    assert!(is_a_surprise(), "nobody names it any more");
}

#[test]
fn nested_workspace_has_separate_pocs_and_changes() {
    let sandbox = Sandbox::package();
    sandbox
        .append("Cargo.toml", "\n[workspace]\nexclude = [\"inner\"]\n")
        .write(
            "inner/Cargo.toml",
            "[package]\nname = \"inner\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n",
        )
        .write(
            "inner/src/lib.rs",
            "pub fn two() -> u32 {\n    2\n}\n\n#[test]\nfn is_two() {\n    assert_eq!(two(), 2);\n}\n",
        )
        .git();
    sandbox.poc("init around -p app").exits(0);
    sandbox.poc_in("inner", "init within -p inner").exits(0);
    assert!(sandbox.exists("inner/docs/within-plan.md"));
    let names = |run: &Run| -> Vec<String> {
        let report = run.json();
        let pocs = report["pocs"].as_array().unwrap().iter();
        pocs.map(|poc| poc["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&sandbox.poc("status --format json")), ["around"]);
    let within = sandbox.poc_in("inner/src", "status --format json");
    assert_eq!(names(&within), ["within"]);
    sandbox
        .poc("status within")
        .exits(2)
        .says("no plan `within`");
    sandbox.edit("inner/src/lib.rs", "    2\n", "    1 + 1\n");
    // The change is the inner workspace's; to the outer one its files are data that tests may read.
    sandbox
        .poc_in("inner", "affected")
        .exits(0)
        .prints("1 of 1 test");
    let outer = sandbox.poc("affected");
    outer.exits(0).prints("  app").hides("  inner");
}

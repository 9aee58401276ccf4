//! Documents that exist before `init`.

use super::*;

#[test]
fn interrupted_init_is_completed() {
    let sandbox = workspace();
    sandbox.poc("init cache -p app").exits(0);
    let (plan, results) = (
        sandbox.read("docs/cache-plan.md"),
        sandbox.read("docs/cache-results.md"),
    );
    sandbox.remove("docs/cache-results.md");
    sandbox.poc("init cache -p app").exits(0);
    assert_eq!(sandbox.read("docs/cache-plan.md"), plan);
    assert_eq!(sandbox.read("docs/cache-results.md"), results);
    assert_eq!(
        sandbox.read("docs/.gitattributes"),
        "*-results.md merge=union\n"
    );
}

#[test]
fn nothing_is_ever_overwritten() {
    for there in ["docs/cache-plan.md", "docs/cache-results.md"] {
        let sandbox = workspace();
        sandbox.write(there, "mine");
        let before = sandbox.files();
        sandbox
            .poc("init cache -p app")
            .exits(2)
            .says(there)
            .says("already exists");
        assert_eq!(sandbox.files(), before);
    }
}

/// D4: a plan that was written by hand gets its results, and can then be worked with.
#[test]
fn a_plan_without_results_is_adopted() {
    const PLAN: &str = "# Rate Burst PoC Implementation Plan\n\n## Overview\n\n| Attribute | Value |\n|---|---|\n| **Proves** | bursts pass |\n\n\
         ## Success Criteria\n\n- [ ] a burst of 10 passes\n\n## Implementation Steps\n\n### Step 1: Count\n\n**Tasks**:\n- [ ] count\n\n\
         **Verification**:\n```bash\ncargo test -p store\n# Expected: All pass\n```\n\n**Output**: counts\n";
    for how in ["init burst --adopt", "check burst --fix"] {
        let sandbox = workspace();
        sandbox.write("docs/burst-plan.md", PLAN);
        sandbox
            .poc("init burst -p store")
            .exits(2)
            .says("cargo poc init burst --adopt");
        sandbox
            .poc("check burst")
            .prints("POC003")
            .prints("cargo poc init burst --adopt");
        sandbox.poc(how).says("docs/burst-results.md");
        assert_eq!(sandbox.read("docs/burst-plan.md"), PLAN);
        let text = sandbox.read("docs/burst-results.md");
        let results = read_results(&Document::from_text("r", text.clone()));
        assert_eq!(results.problems, [], "{text}");
        assert_eq!(results.title, "Rate Burst PoC Results");
        let criteria: Vec<&str> = results
            .criteria
            .iter()
            .map(|item| item.text.as_str())
            .collect();
        assert_eq!(criteria, ["a burst of 10 passes"]);
        assert_eq!(results.steps.len(), 1);
        assert_eq!(results.steps[0].expected, "counts");
        sandbox.poc("step start burst 1").exits(0);
        sandbox.poc("init burst --adopt").exits(0).says("Unchanged");
    }
}

/// D18: a PoC where a step is expected is no unknown step.
#[test]
fn a_missing_step_is_named() {
    let sandbox = workspace();
    sandbox.poc("init cache -p store").exits(0);
    sandbox
        .poc("step note cache --issue slow")
        .exits(2)
        .says("the step is missing")
        .says("cache 1");
}

/// D8: a document is recognized as a plan by its content, not only by its name.
#[test]
fn documents_with_only_the_name_of_a_plan_are_not_plans() {
    let sandbox = workspace();
    sandbox
        .write(
            "docs/release-plan.md",
            "# Release plan\n\n## Overview\n\n- tag\n- publish\n",
        )
        .write(
            "docs/raft-implementation.md",
            "# Raft\n\n## Dependencies\n\nNone.\n",
        );
    sandbox.poc("init cache -p store").exits(0);
    let report = sandbox.poc("status --format json").json();
    let names: Vec<&str> = report["pocs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|poc| poc["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["cache"]);
    // A named document is always read.
    sandbox.poc("status release").prints("no step found");
}

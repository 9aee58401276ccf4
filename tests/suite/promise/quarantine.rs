//! Tests in quarantine: excused for a while, shown, and never for longer than the plan says.

use serde_json::json;

use super::{sandbox_of, status, text};
use crate::kit::Sandbox;

const PLAN: &str = "# Cache Plan

## Overview

| Attribute | Value |
|---|---|
| **Base** | `main` |
| **Packages** | `app` |

## Success Criteria

- [ ] it answers
  - Proof: step 1
- [ ] the shaky test passes
  - Proof: test `shaky`

## Implementation Steps

### Step 1: Do it

**Tasks**:
- [ ] write it

**Verification**:
```bash
cargo test --lib --no-fail-fast
# Expected: All pass
```

## Quarantine

| Test | Owner | Reason | Until |
|------|-------|--------|-------|
| `shaky` | Ada | races with the clock, #12 | 9999-01-31 |
";

const RESULTS: &str = "# Cache Results

## Summary

| Attribute | Value |
|---|---|
| **Status** | Pending |

## Implementation Progress

### Step 1: Do it

**Status**: Pending
";

/// A package in which the test `shaky` fails.
fn shaky(plan: &str) -> Sandbox {
    let sandbox = sandbox_of(plan, RESULTS);
    sandbox.write(
        "src/lib.rs",
        "#[test]\nfn solid() {}\n#[test]\nfn shaky() {\n    assert!(std::env::var(\"STEADY\").is_ok());\n}\n",
    );
    sandbox
}

#[test]
fn a_failure_in_quarantine_is_excused_and_shown() {
    let sandbox = shaky(PLAN);
    sandbox
        .poc("verify cache --step 1")
        .exits(0)
        .says("in quarantine, so its failure is excused: app shaky");
    let poc = status(&sandbox);
    assert_eq!(poc["steps"][0]["state"], "proven", "{poc:#}");
    assert_eq!(
        poc["quarantine"],
        json!([{
            "test": "shaky", "owner": "Ada", "reason": "races with the clock, #12", "until": "9999-01-31",
            "excuses": true, "why": null, "line": 34
        }])
    );
    // It is excused, not passed.
    assert_eq!(poc["criteria"]["items"][1]["state"], "failed");
    sandbox
        .poc("status cache")
        .prints("Quarantine   shaky until 9999-01-31, Ada: races with the clock, #12");
}

#[test]
fn a_quarantine_excuses_only_what_it_names_while_it_lasts() {
    let ended = PLAN.replace("9999-01-31", "2020-01-31");
    for (plan, reason) in [
        (ended.clone(), "it ended on 2020-01-31"),
        (PLAN.replace("| Ada |", "| -- |"), "it has no owner"),
        (
            PLAN.replace("races with the clock, #12", ""),
            "it has no reason",
        ),
        (PLAN.replace("9999-01-31", "soon"), "it has no last day"),
        (PLAN.replace("`shaky`", "`other`"), ""),
        (PLAN.replace(" --no-fail-fast", ""), ""),
    ] {
        let sandbox = shaky(&plan);
        let run = sandbox.poc("verify cache --step 1");
        assert_eq!(run.code, 1, "{reason}: {run}");
        if !reason.is_empty() {
            sandbox
                .poc("check cache")
                .exits(1)
                .prints("error[POC058]: the quarantine of `shaky` excuses nothing")
                .prints(reason);
        }
    }
    // A second failure is not excused with the first.
    let sandbox = shaky(PLAN);
    sandbox.append("src/lib.rs", "#[test]\nfn broken() {\n    panic!();\n}\n");
    sandbox.poc("verify cache --step 1").exits(1);
}

#[test]
fn a_run_counts_again_when_its_quarantine_has_ended() {
    let sandbox = shaky(PLAN);
    sandbox.poc("verify cache --step 1").exits(0);
    for (row, state) in [
        (
            "| `shaky` | Ada | races with the clock, #12 | 2020-01-31 |\n",
            "failed",
        ),
        ("", "failed"),
        (
            "| `shaky` | Eve | races with the clock, #12 | 9998-01-31 |\n",
            "proven",
        ),
    ] {
        let plan = PLAN.replace(
            "| `shaky` | Ada | races with the clock, #12 | 9999-01-31 |\n",
            row,
        );
        sandbox.write("docs/cache-plan.md", plan);
        let poc = status(&sandbox);
        assert_eq!(poc["steps"][0]["state"], state, "{row}: {poc:#}");
    }
}

#[test]
fn a_quarantine_that_is_added_or_prolonged_weakens_the_plan() {
    let without = PLAN.replace(
        "| `shaky` | Ada | races with the clock, #12 | 9999-01-31 |\n",
        "",
    );
    let begun = shaky(&without);
    begun.poc("verify cache --step 1").exits(1);
    begun.write("docs/cache-plan.md", PLAN);
    let found = |sandbox: &Sandbox| {
        let poc = status(sandbox);
        let changes = poc["contract"]["changes"].as_array().unwrap().clone();
        let words = changes.iter().map(|change| {
            format!(
                "{} {} {}",
                text(&change["what"]),
                text(&change["how"]),
                text(&change["is"])
            )
        });
        words.collect::<Vec<_>>()
    };
    assert_eq!(found(&begun), ["quarantine relaxed shaky until 9999-01-31"]);
    begun.poc("status --check").exits(1).prints("POC061");

    let begun = shaky(&PLAN.replace("9999", "9998"));
    begun.poc("verify cache --step 1").exits(0);
    begun.write("docs/cache-plan.md", PLAN);
    assert_eq!(found(&begun), ["quarantine relaxed shaky until 9999-01-31"]);
    begun.write("docs/cache-plan.md", PLAN.replace("9999", "9997"));
    assert_eq!(
        found(&begun),
        ["quarantine tightened shaky until 9997-01-31"]
    );
}

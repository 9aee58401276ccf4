//! Expectations relative to the baseline: the command runs in the files of the base commit and in the work tree, alternately.

use crate::kit::{Run, Sandbox};

const RESULTS: &str = "# Speed Results\n\n## Summary\n\n| Attribute | Value |\n|---|---|\n| **Status** | In Progress |\n\n## \
                       Implementation Progress\n\n### Step 1: Do it\n\n**Status**: Pending\n";

/// A package with a plan whose Done block is this, and a file `speed.txt`, all in the base commit.
fn sandbox(block: &str, speed: &str) -> Sandbox {
    let sandbox = Sandbox::package();
    sandbox
        .write(
            "docs/speed-plan.md",
            format!(
                "# Speed Plan\n\n## Overview\n\n| Attribute | Value |\n|---|---|\n| **Base** | `main` |\n\n## Implementation \
                 Steps\n\n### Step 1: Do it\n\n**Tests**: none\n\n**Verification**:\n```bash\ntrue\n```\n\n## What \"Done\" Looks \
                 Like\n\n```bash\n{block}```\n"
            ),
        )
        .write("docs/speed-results.md", RESULTS)
        .write("speed.txt", speed);
    sandbox.git();
    sandbox
}

/// Verifies after `speed.txt` has changed. The expectation is about its values.
fn verify(expected: &str, before: &str, now: &str) -> (Sandbox, Run) {
    let sandbox = sandbox(&format!("cat speed.txt\n# Expected: {expected}\n"), before);
    sandbox.write("speed.txt", now);
    let run = sandbox.poc("verify speed --done");
    (sandbox, run)
}

#[test]
fn value_is_compared_with_the_base_commit() {
    // A shorter time is no regression, but a lower rate is one; of a number without a unit nothing is known.
    let met = [
        ("p1 within 5 % of baseline", "10 ms", "10 ms"),
        ("p2 within 5 % of the baseline", "10 ms", "10.4 ms"),
        ("p3 within 5 % of baseline", "10 ms", "2 ms"),
        ("p4 within 5 % of baseline", "10 MB/s", "20 MB/s"),
        ("p5 at most 5 % above baseline", "10", "9"),
        ("p6 within 5 % of baseline", "10", "10.2"),
        ("within 100000 % of baseline", "", ""),
    ];
    let unmet = [
        ("p11 within 5 % of baseline", "10 ms", "11 ms"),
        ("p12 within 5 % of baseline", "10 MB/s", "9 MB/s"),
        ("p13 within 5 % of baseline", "10", "9"),
        ("p14 at most 5 % above baseline", "10", "11"),
        ("p15 at most 5 % below baseline", "10", "9"),
    ];
    let all = || met.iter().chain(&unmet);
    let values = |of: fn(&(&str, &str, &str)) -> String| {
        let lines = all().map(|case| {
            let name = case.0.split(' ').next().unwrap_or_default();
            format!("{name}: {}\n", of(case))
        });
        lines.collect::<String>()
    };
    let expected: Vec<&str> = all().map(|case| case.0).collect();
    let (_, run) = verify(
        &expected.join(", "),
        &values(|case| case.1.to_owned()),
        &values(|case| case.2.to_owned()),
    );
    let run = run.exits(1);
    for (expected, ..) in unmet {
        run.says(&format!("{expected} expected, but the ratio is "));
    }
    for (expected, ..) in met {
        let expected = expected.replace("the ", "");
        assert!(
            !run.stderr.contains(&format!("{expected} expected")),
            "{run:?}"
        );
    }
}

#[test]
fn ratio_is_recorded_with_its_interval() {
    let (sandbox, run) = verify("p99 within 5 % of baseline", "p99: 10 ms", "p99: 10.4 ms");
    run.exits(0)
        .says("ratio 1.040 (1.040 to 1.040) in 12 pairs");
    let record = sandbox.read("docs/speed-results.md");
    let part = "{\"name\":\"p99 relative to baseline\",\"value\":1.04";
    assert!(record.contains(part), "{record}");
    // The copies contain the work tree and the base commit; the work tree is not changed.
    assert_eq!(sandbox.read("speed.txt"), "p99: 10.4 ms");
    sandbox.edit("docs/speed-plan.md", "within 5 %", "within 50 %");
    sandbox
        .poc("check")
        .exits(1)
        .prints("error[POC061]")
        .prints("relaxed");
}

#[test]
fn untracked_and_removed_files_are_those_of_the_work_tree() {
    let sandbox = sandbox(
        "cat speed.txt new.txt 2>/dev/null || true\n# Expected: p99 within 5 % of baseline\n",
        "p99: 10 ms\n",
    );
    sandbox.remove("speed.txt").write("new.txt", "p99: 20 ms\n");
    let run = sandbox.poc("verify speed --done");
    run.exits(1).says("but the ratio is 2.000");
}

#[test]
fn what_cannot_be_told_is_not_proven() {
    // Each run of the work tree has another value, as on a busy machine.
    let block = "d=${CARGO_TARGET_DIR:-target}; mkdir -p $d; echo x >> $d/runs; values=(5 8 12.5 20); case $PWD in *base*) v=10 ;; *) \
                 v=${values[$(wc -l < $d/runs) % 4]} ;; esac; echo \"p99: $v ms\"\n# Expected: p99 within 5 % of baseline\n";
    let sandbox = sandbox(block, "");
    let run = sandbox.poc("verify speed --done");
    run.exits(4).says("after 90 pairs does not decide it");
    let status = sandbox.poc("status speed --format json").json();
    assert_ne!(status["pocs"][0]["done"]["state"], "proven");
}

#[test]
fn missing_value_in_the_base_commit_is_not_proven() {
    let (_, run) = verify("p99 within 5 % of baseline", "nothing", "p99: 10 ms");
    run.exits(4)
        .says("the output has no value of `p99`, in the base commit");
    let (_, run) = verify("p99 within 5 % of baseline", "p99: 0 ms", "p99: 10 ms");
    run.exits(4).says("a value is zero or negative");
    // Without a value in the work tree, nothing is compared.
    let (_, run) = verify("p99 within 5 % of baseline", "p99: 10 ms", "nothing");
    run.exits(1).says("the output has no value of `p99`");
}

#[test]
fn command_that_fails_in_the_base_commit_is_not_proven() {
    let sandbox = sandbox("cat new.txt\n# Expected: p99 within 5 % of baseline\n", "");
    sandbox.write("new.txt", "p99: 10 ms");
    let run = sandbox.poc("verify speed --done");
    run.exits(4)
        .says("it ended with exit 1 in the base commit")
        .says("new.txt");
}

#[test]
fn each_value_of_a_name_is_compared() {
    // One of them is ten times as large, and the mean is the same.
    let before = "p99: 10 ms\np99: 10 ms\n";
    let (_, run) = verify(
        "p99 within 5 % of baseline",
        before,
        "p99: 1 ms\np99: 100 ms\n",
    );
    run.exits(1).says("but the ratio is 10.000");
    let (_, run) = verify("p99 within 5 % of baseline", before, "p99: 10 ms\n");
    run.exits(4)
        .says("`p99` has another number of values in each run");
}

#[test]
fn command_with_the_path_of_the_work_tree_is_not_compared() {
    let sandbox = sandbox("", "p99: 10 ms");
    let root = &sandbox.root;
    for command in [
        format!("cat {root}/speed.txt"),
        format!("d={root}; cat $d/speed.txt"),
        format!("(cd '{root}' && cat speed.txt)"),
    ] {
        let plan = sandbox.read("docs/speed-plan.md");
        let start = plan.find("Looks Like").unwrap();
        let block = format!(
            "Looks Like\n\n```bash\n{command}\n# Expected: p99 within 5 % of baseline\n```\n"
        );
        sandbox.write("docs/speed-plan.md", format!("{}{block}", &plan[..start]));
        sandbox.write("speed.txt", "p99: 20 ms");
        let run = sandbox.poc("verify speed --done");
        run.exits(4)
            .says("the command names the work tree by its absolute path");
    }
}

#[test]
fn base_that_moves_with_each_commit_is_no_baseline() {
    let (sandbox, _) = verify("p99 within 5 % of baseline", "p99: 10 ms", "p99: 20 ms");
    sandbox.edit("docs/speed-plan.md", "`main`", "`HEAD`");
    let run = sandbox.poc("verify speed --done");
    run.exits(4)
        .says("the Base `HEAD` of the plan moves with each commit");
}

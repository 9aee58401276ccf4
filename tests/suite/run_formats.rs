//! `verify --format` and `--report`: machine-readable results of a run.

use serde_json::{Value, json};

use crate::formats::{fits, junit, sarif_schema, schema};
use crate::kit::{Run, Sandbox, finish};

/// The report of a run, which is the whole standard output.
#[track_caller]
fn report(run: &Run, code: i32) -> Value {
    let report = run.exits(code).json();
    fits(&schema("verify"), &report);
    assert_eq!(report["exit"], code, "{run}");
    report
}

/// A PoC whose baseline has passed, and then one of its tests fails and another is gone.
fn worse() -> Sandbox {
    let sandbox = Sandbox::workspace("store; app: store");
    sandbox.git();
    sandbox
        .poc("init cache -p store --file store/src/cache.rs")
        .exits(0);
    sandbox
        .poc("verify cache --baseline -q --runner cargo")
        .exits(0);
    sandbox.commit("plan");
    sandbox
        .edit("store/src/lib.rs", "    42\n", "    43\n")
        .edit("store/tests/it.rs", "fn integration", "fn renamed");
    sandbox
}

#[test]
fn recorded_run_matches_its_schema() {
    let sandbox = Sandbox::workspace("store");
    sandbox.git();
    sandbox
        .poc("init cache -p store --file store/src/cache.rs")
        .exits(0);
    let run = sandbox.poc("verify cache --baseline --format json");
    let baseline = report(&run, 0);
    assert_eq!(baseline["scope"], "baseline");
    assert_eq!(baseline["outcome"], "passed");
    assert_eq!(
        baseline["tests"],
        json!({"passed": 3, "failed": 0, "ignored": 0, "filtered": 0})
    );
    assert_eq!(baseline["findings"], json!([]));
    assert_eq!(
        baseline["pocs"],
        json!([{
            "name": "cache", "proven": true, "results": "docs/cache-results.md", "regressions": null, "vanished": null,
        }])
    );
    assert_eq!(baseline["commands"][0]["output"], Value::Null);
    run.says("test tests::unit ... ok").says("Recorded");
    assert_eq!(
        sandbox.poc("status cache --format json").json()["pocs"][0]["tests"]["baseline"]["passed"],
        3
    );
}

#[test]
fn failed_and_missing_tests_are_reported_with_positions() {
    let sandbox = worse();
    let run = sandbox.poc("verify cache --affected --format json --runner cargo --no-record");
    let told = report(&run, 1);
    assert_eq!(told["outcome"], "failed");
    let poc = &told["pocs"][0];
    assert_eq!(poc["proven"], false);
    assert_eq!(poc["results"], Value::Null);
    let gone = json!([{"binary": "store::it", "test": "integration"}]);
    assert_eq!(poc["vanished"], gone);
    let regressions = poc["regressions"].as_array().unwrap();
    assert!(
        regressions.contains(&json!({"binary": "store", "test": "tests::unit"})),
        "{told:#}"
    );
    let command = &told["commands"][0];
    assert_eq!(command["exit"], 101);
    assert!(
        command["output"]
            .as_str()
            .unwrap()
            .contains("test result: FAILED"),
        "{told:#}"
    );

    let findings = told["findings"].as_array().unwrap();
    let about = |text: &str| {
        let found = findings
            .iter()
            .find(|finding| finding["message"].as_str().unwrap().contains(text));
        let found = found.unwrap_or_else(|| panic!("nothing about {text} in {told:#}"));
        let place = format!("{}:{}", found["path"].as_str().unwrap(), found["line"]);
        (found["code"].as_str().unwrap(), place)
    };
    // The functions' own lines.
    assert_eq!(
        about("`tests::unit` of store failed, but passed in the baseline of cache"),
        ("POC023", "store/src/lib.rs:15".to_owned())
    );
    assert_eq!(
        about("`renamed` of store::it failed"),
        ("POC021", "store/tests/it.rs:4".to_owned())
    );
    assert_eq!(
        about("`integration` of store::it is missing or ignored"),
        ("POC023", "store/tests/it.rs:1".to_owned())
    );
    // A documentation test: the line of its code block.
    assert_eq!(about("of store::doc failed").1, "store/src/lib.rs:5");
}

#[test]
fn one_run_is_printed_and_written_in_every_format() {
    let sandbox = worse();
    sandbox.write("target/summary.md", "before\n");
    let mut command = sandbox.command(crate::kit::PROGRAM);
    let line = "verify cache --affected --no-record --runner cargo --format json --report json=target/run.json \
                --report sarif=target/run.sarif --report junit=target/run.xml --report github=target/run.txt --report markdown=target/run.md";
    command.args(line.split_whitespace()).env(
        "GITHUB_STEP_SUMMARY",
        sandbox.root.join("target/summary.md"),
    );
    let run = finish(command, line);
    let told = report(&run, 1);
    assert_eq!(sandbox.read("target/run.json"), run.stdout);
    let findings = told["findings"].as_array().unwrap();
    assert!(!findings.is_empty());

    let log: Value = serde_json::from_str(&sandbox.read("target/run.sarif")).unwrap();
    fits(&sarif_schema(), &log);
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), findings.len());
    for (result, finding) in results.iter().zip(findings) {
        assert_eq!(result["ruleId"], finding["code"]);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], finding["path"]);
        assert_eq!(place["region"]["startLine"], finding["line"]);
    }

    assert!(junit(&sandbox.read("target/run.xml")).failures > 0);
    let annotations = sandbox.read("target/run.txt");
    assert_eq!(annotations.lines().count(), findings.len());
    let first = "::error file=store/src/lib.rs,line=15,col=1,title=POC023::the test `tests::unit` of store failed";
    assert!(annotations.contains(first), "{annotations}");
    let summary = sandbox.read("target/summary.md");
    assert!(
        summary.starts_with("before\n## cargo poc verify: affected\n"),
        "{summary}"
    );
    assert!(summary.contains("cache: failed, "), "{summary}");
    assert!(summary.contains("The change can affect "), "{summary}");
    assert_eq!(
        summary,
        format!("before\n{}", sandbox.read("target/run.md"))
    );
    assert_eq!(
        summary.matches("| POC0").count(),
        findings.len(),
        "{summary}"
    );
}

#[test]
fn github_shows_ten_and_the_summary_has_all() {
    let sandbox = Sandbox::package();
    sandbox.write("tests/many.rs", "");
    for number in 0..13 {
        let test = format!("#[test]\nfn fails_{number}() {{\n    panic!();\n}}\n");
        sandbox.append("tests/many.rs", &test);
    }
    sandbox.write("target/summary.md", "");
    let mut command = sandbox.command(crate::kit::PROGRAM);
    let line = "verify --full --runner cargo --format github";
    command.args(line.split_whitespace()).env(
        "GITHUB_STEP_SUMMARY",
        sandbox.root.join("target/summary.md"),
    );
    let run = finish(command, line);
    // Here people read along.
    run.exits(1).prints("test fails_3 ... FAILED");
    assert_eq!(
        run.stdout
            .matches("\n::error file=tests/many.rs,line=")
            .count(),
        10,
        "{run}"
    );
    assert_eq!(
        sandbox
            .read("target/summary.md")
            .matches("| POC021 |")
            .count(),
        13
    );
}

#[test]
fn failed_command_of_a_plan_is_reported_on_its_line() {
    let sandbox = Sandbox::package();
    sandbox.git();
    sandbox
        .poc("init cache -p app --file src/cache.rs")
        .exits(0);
    let plan = "# Cache\n\n## Success Criteria\n\n- [ ] fast\n\n## Implementation Steps\n\n### Step 1: Keep\n\n**Verification**:\n\n```bash\n\
                true\necho seen\n# Expected: \"other\"\nfalse\n```\n";
    sandbox.write("docs/cache-plan.md", plan);
    let run = sandbox.poc("verify cache --step 1 --format json");
    let told = report(&run, 1);
    assert_eq!(told["findings"][0]["path"], "docs/cache-plan.md");
    assert_eq!(told["findings"][0]["line"], 15);
    assert_eq!(told["commands"][1]["outcome"], "failed");
    assert_eq!(told["commands"][1]["unmet"].as_array().unwrap().len(), 1);
    // Later commands were not run.
    let left = &told["commands"][2];
    assert_eq!(
        (&left["command"], &left["outcome"]),
        (&json!("false"), &Value::Null)
    );
    // A person has to look: to be seen, and not an error.
    sandbox.write(
        "docs/cache-plan.md",
        plan.replace("\"other\"", "it looks right")
            .replace("false\n", ""),
    );
    let told = report(
        &sandbox.poc("verify cache --step 1 --format json --no-record"),
        1,
    );
    assert_eq!(told["outcome"], "unconfirmed");
    assert_eq!(told["findings"][0]["code"], "POC060");
    assert_eq!(told["findings"][0]["severity"], "warning");
}

#[test]
fn compile_errors_and_missing_tests_are_findings() {
    let sandbox = Sandbox::package();
    sandbox.git();
    sandbox.write("src/lib.rs", "fn broken( {}\n");
    let told = report(
        &sandbox.poc("verify --full --runner cargo --format json"),
        1,
    );
    let message = told["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("could not compile"), "{told:#}");
    sandbox.write("src/lib.rs", "");
    sandbox.remove("tests/it.rs");
    let told = report(
        &sandbox.poc("verify --full --runner cargo --format json"),
        4,
    );
    assert_eq!(told["outcome"], "no-tests");
    let message = told["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("no test ran"), "{told:#}");
}

#[test]
fn change_that_affects_no_test_has_a_report() {
    let sandbox = Sandbox::workspace("store");
    sandbox.git();
    let told = report(&sandbox.poc("verify --format json"), 0);
    assert_eq!(told["outcome"], Value::Null);
    assert_eq!(told["commands"], json!([]));
    assert_eq!(told["selection"]["selected"], 0);
    let log = sandbox.poc("verify --format sarif").exits(0).json();
    fits(&sarif_schema(), &log);
    assert_eq!(
        junit(&sandbox.poc("verify --format junit").exits(0).stdout).tests,
        0
    );
}

#[test]
fn shards_and_merge_have_reports() {
    let sandbox = Sandbox::workspace("one; two");
    sandbox.git();
    for shard in 1..=2 {
        let line = format!(
            "verify --full --partition {shard}/2 --runner cargo --format json --report shard=target/{shard}.json"
        );
        let told = report(&sandbox.poc(&line), 0);
        assert_eq!(told["tests"]["passed"], 3);
    }
    let merged = "verify --merge target/1.json target/2.json --format json";
    let told = report(&sandbox.poc(merged), 0);
    assert_eq!(told["tests"]["passed"], 6);
    assert_eq!(told["commands"].as_array().unwrap().len(), 2);
    let refused =
        sandbox.poc("verify --merge target/1.json target/2.json --report junit=target/x.xml");
    refused.exits(2).says("verify --partition");
}

#[test]
fn error_in_json_mode_is_json_after_other_output() {
    let sandbox = Sandbox::package();
    sandbox.git();
    let error = crate::formats::failure(&sandbox.poc("verify nothing --format json"), 2);
    assert_eq!(error["code"], "usage");
    crate::formats::failure(&sandbox.poc("verify --list --format json"), 2);
}

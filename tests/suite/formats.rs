//! Machine-readable formats: the output matches the schemas in `docs/schema`, including errors.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use quick_junit::{Report, TestCaseStatus};
use serde_json::{Value, json};

use crate::json_schema::Validator;
use crate::kit::{Run, Sandbox};

/// A schema. The public schemas allow additional members; in tests every member must be documented.
pub(crate) fn schema(name: &str) -> Validator {
    let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/schema/{name}.json"));
    let text = fs::read_to_string(path).unwrap();
    let mut schema: Value = serde_json::from_str(&text).unwrap();
    close(&mut schema);
    Validator::new(schema)
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            if members.contains_key("properties") {
                members.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

#[track_caller]
pub(crate) fn fits(validator: &Validator, value: &Value) {
    let problems = validator.problems(value);
    assert!(problems.is_empty(), "{problems:#?}\n{value:#}");
}

const RESULTS: &str = "# Cache PoC Results\n\n## Implementation Progress\n\n### Step 1: Keep\n\n**Status**: Complete\n";

/// A workspace with a plan, a claim that nothing proves, a file with a blank in its name, and a change.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::workspace("store; app: store");
    sandbox.git();
    sandbox
        .poc("init cache -p store --file store/src/cache.rs --criterion fast")
        .exits(0);
    sandbox.write("docs/cache-results.md", RESULTS).edit(
        "store/src/lib.rs",
        "    42\n",
        "    40 + 2\n",
    );
    sandbox
}

#[test]
fn shard_matches_its_schema() {
    let sandbox = sandbox();
    sandbox
        .poc("verify -q --runner cargo --partition 1/2 --report shard=target/one.json")
        .exits(0);
    let shard: Value = serde_json::from_str(&sandbox.read("target/one.json")).unwrap();
    fits(&schema("shard"), &shard);
}

#[test]
fn status_matches_its_schema() {
    let sandbox = sandbox();
    let schema = schema("status");
    fits(&schema, &sandbox.poc("status --format json").json());
    // Evidence of every kind that a run leaves.
    sandbox.poc("verify cache --baseline -q").exits(0);
    let run = sandbox.poc("status cache --format json");
    fits(&schema, &run.exits(0).json());
    assert_ne!(run.json()["pocs"][0]["tests"]["baseline"], Value::Null);
    // The first verification of a step locks the plan; then it promises something else.
    sandbox.poc("verify cache --step 0 -q");
    sandbox.edit("docs/cache-plan.md", "- [ ] fast", "- [ ] faster");
    let run = sandbox.poc("status cache --format json");
    fits(&schema, &run.json());
    let changes = &run.json()["pocs"][0]["contract"]["changes"];
    assert_ne!(changes.as_array().unwrap().len(), 0);
    // Outside of a workspace most is unknown.
    let elsewhere = Sandbox::empty();
    elsewhere.write("x-plan.md", sandbox.read("docs/cache-plan.md"));
    let run = elsewhere.poc("status --plan x-plan.md --format json");
    fits(&schema, &run.json());
}

#[test]
fn check_matches_its_schema() {
    let sandbox = sandbox();
    sandbox.write("docs/bad-plan.md", b"# Plan \xff\n");
    let run = sandbox.poc("check --format json");
    let report = run.exits(2).json();
    fits(&schema("check"), &report);
    assert_ne!(report["findings"].as_array().unwrap().len(), 0);
    assert_eq!(report["unreadable"].as_array().unwrap().len(), 1);
}

#[test]
fn affected_matches_its_schema() {
    let sandbox = sandbox();
    let schema = schema("affected");
    let run = sandbox.poc("affected --format json");
    let report = run.exits(0).json();
    fits(&schema, &report);
    assert_ne!(report["selected"], 0);
    fits(
        &schema,
        &sandbox
            .poc("affected --files store/src/lib.rs --format json")
            .json(),
    );
}

/// The whole output of a failing run in JSON mode.
#[track_caller]
pub(crate) fn failure(run: &Run, code: i32) -> Value {
    let report = run.exits(code).json();
    fits(&schema("error"), &report);
    assert_eq!(run.stderr, "", "{run}");
    assert_eq!(report["error"]["exit"], code);
    report["error"].clone()
}

#[test]
fn an_error_in_json_mode_is_json_with_a_code_and_the_next_command() {
    let sandbox = sandbox();
    let error = failure(&sandbox.poc("status nothing --format json"), 2);
    assert_eq!(error["code"], "usage");
    assert_eq!(error["next"]["command"], "cargo poc status");
    let error = failure(&sandbox.poc("affected --base nothing --format json"), 2);
    assert_eq!(error["next"]["command"], "git log --oneline");
    let error = failure(&sandbox.poc("status --format json --no-such-flag"), 2);
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("--no-such-flag")
    );
    assert_eq!(error["next"]["command"], "cargo poc status --help");
    let error = failure(&Sandbox::empty().poc("affected --format=json"), 2);
    assert!(!error["causes"].as_array().unwrap().is_empty());
    let mut no_git = sandbox.command(crate::kit::PROGRAM);
    no_git
        .args(["affected", "--format", "json"])
        .env("GIT", "no-such-git");
    let error = failure(&crate::kit::finish(no_git, "affected without git"), 4);
    assert_eq!(error["code"], "could-not-run");
}

#[test]
fn unreadable_document_is_among_the_errors() {
    let sandbox = sandbox();
    sandbox.write("docs/bad-plan.md", b"# Plan \xff\n");
    let run = sandbox.poc("status --format json");
    let report = run.exits(2).json();
    fits(&schema("status"), &report);
    assert_eq!(report["pocs"].as_array().unwrap().len(), 1);
    let message = report["unreadable"][0]["message"].as_str().unwrap();
    assert!(message.contains("docs/bad-plan.md"), "{message}");
    assert_eq!(run.stderr, "");
}

/// The schema of OASIS, as the package of a development dependency has it.
pub(crate) fn sarif_schema() -> Validator {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    let toolchain = cargo_poc::internals::sys::cargo::toolchain(root).unwrap();
    let host = toolchain
        .lines()
        .find_map(|line| line.strip_prefix("host: "));
    // What this platform does not build need not be there.
    let options = ["--offline", "--locked", "--filter-platform", host.unwrap()];
    let metadata = cargo_metadata::MetadataCommand::new()
        .current_dir(root)
        .other_options(options.map(str::to_owned))
        .exec()
        .unwrap();
    let package = metadata
        .packages
        .iter()
        .find(|package| package.name.as_str() == "serde-sarif")
        .unwrap();
    let path = package
        .manifest_path
        .with_file_name("src")
        .join("schema.json");
    // Its regex for languages has a bracket too many, which strict readers refuse.
    let text = fs::read_to_string(path).unwrap().replace("{2}]?$", "{2}?$");
    Validator::new(serde_json::from_str(&text).unwrap())
}

#[test]
fn sarif_contains_every_finding_and_matches_its_schema() {
    let sandbox = sandbox();
    let findings = sandbox.poc("status --format json").json()["pocs"][0]["findings"].clone();
    let findings = findings.as_array().unwrap();
    assert!(!findings.is_empty());
    let log = sandbox.poc("status --format sarif").exits(0).json();
    fits(&sarif_schema(), &log);
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), findings.len());
    for (result, finding) in results.iter().zip(findings) {
        assert_eq!(result["ruleId"], finding["code"]);
        assert_eq!(result["level"], finding["severity"]);
        assert_eq!(result["message"]["text"], finding["message"]);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], finding["path"]);
        assert_eq!(place["region"]["startLine"], finding["line"]);
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        let rule = &log["runs"][0]["tool"]["driver"]["rules"][index];
        assert_eq!(rule["id"], finding["code"]);
    }
}

#[test]
fn sarif_paths_are_uris_relative_to_the_repository() {
    let sandbox = Sandbox::empty();
    let folder = "an inner gr\u{f6}\u{df}e";
    sandbox.member(folder, "app", &[]);
    sandbox.git();
    sandbox.poc_in(folder, "init cache -p app").exits(0);
    sandbox.remove(&format!("{folder}/docs/cache-results.md"));
    let log = sandbox.poc_in(folder, "status --format sarif").json();
    let uris: Vec<&str> = log["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| {
            let place = &result["locations"][0]["physicalLocation"];
            place["artifactLocation"]["uri"].as_str().unwrap()
        })
        .collect();
    assert!(
        uris.contains(&"an%20inner%20gr%C3%B6%C3%9Fe/docs/cache-plan.md"),
        "{uris:?}"
    );
}

pub(crate) fn junit(text: &str) -> Report {
    Report::deserialize_from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn junit_of_a_run_has_each_command_and_each_test() {
    let sandbox = Sandbox::package();
    sandbox.append(
        "tests/it.rs",
        "\n#[test]\nfn fails() {\n    panic!(\"it does\");\n}\n\n#[test]\n#[ignore]\nfn waits() {}\n",
    );
    sandbox.git();
    sandbox
        .poc("verify --full --no-record --runner cargo --report junit=target/run.xml")
        .exits(1)
        .says("Wrote target/run.xml");
    let read = junit(&sandbox.read("target/run.xml"));
    let [commands, binaries @ ..] = &read.test_suites[..] else {
        panic!("{read:#?}");
    };
    assert_eq!(commands.name.as_str(), "cargo poc verify: full");
    let command = &commands.test_cases[0];
    assert!(matches!(command.status, TestCaseStatus::NonSuccess { .. }));
    let output = command.system_out.as_ref().expect("what it printed last");
    assert!(output.as_str().contains("it does"), "{output:?}");
    let it = binaries
        .iter()
        .find(|suite| suite.name.as_str() == "app::it");
    let it = it.expect("a suite for the integration test");
    let how = |name: &str| {
        let case = it.test_cases.iter().find(|case| case.name.as_str() == name);
        &case.unwrap_or_else(|| panic!("{name} in {it:#?}")).status
    };
    assert!(matches!(how("fails"), TestCaseStatus::NonSuccess { .. }));
    assert!(matches!(how("waits"), TestCaseStatus::Skipped { .. }));
    assert_eq!((it.tests, it.failures), (3, 1));
}

#[test]
fn junit_is_written_even_if_nothing_is_run() {
    let sandbox = Sandbox::package();
    sandbox.git();
    sandbox
        .poc("verify --report junit=target/none.xml")
        .exits(0);
    assert_eq!(junit(&sandbox.read("target/none.xml")).tests, 0);
}

#[test]
fn junit_has_a_case_for_each_step_and_each_finding() {
    let sandbox = sandbox();
    sandbox.append("docs/cache-results.md", "\u{1b}[31mred\u{0}\n");
    let report = sandbox.poc("status --format json").json();
    let poc = &report["pocs"][0];
    let read = junit(&sandbox.poc("status --format junit").exits(0).stdout);
    let [steps, findings] = &read.test_suites[..] else {
        panic!("{read:#?}");
    };
    assert_eq!(steps.name.as_str(), "cache");
    assert_eq!(
        steps.test_cases.len(),
        poc["steps"].as_array().unwrap().len()
    );
    let failed =
        |case: &quick_junit::TestCase| matches!(case.status, TestCaseStatus::NonSuccess { .. });
    for (case, step) in steps
        .test_cases
        .iter()
        .zip(poc["steps"].as_array().unwrap())
    {
        assert_eq!(failed(case), step["state"] == "claimed", "{case:?}");
    }
    let errors = findings
        .test_cases
        .iter()
        .filter(|case| failed(case))
        .count();
    let listed = poc["findings"].as_array().unwrap();
    assert_eq!(findings.test_cases.len(), listed.len());
    let gating = listed
        .iter()
        .filter(|finding| finding["severity"] == "error");
    assert_eq!(errors, gating.count());
    assert_ne!(errors, 0);
}

#[test]
fn markdown_has_a_table_of_pocs_and_one_of_findings() {
    let sandbox = sandbox();
    let run = sandbox.poc("status --format markdown --report markdown=target/status.md");
    assert_eq!(run.stdout, sandbox.read("target/status.md"));
    run.prints("| PoC | State | Steps proven | Next |")
        .prints("| cache | ")
        .prints("| POC020 | docs/cache-");
    let findings = sandbox.poc("check --format markdown");
    assert!(run.stdout.ends_with(&findings.stdout), "{run}\n{findings}");
}

#[test]
fn several_reports_are_written_in_addition_to_the_output() {
    let sandbox = sandbox();
    let run = sandbox
        .poc("status --report json=target/poc/a.json --report junit=target/poc/b.xml --report sarif=target/poc/c.sarif");
    run.exits(0).prints("cache");
    let json = sandbox.poc("status --format json").stdout;
    assert_eq!(sandbox.read("target/poc/a.json"), json);
    junit(&sandbox.read("target/poc/b.xml"));
    let log: Value = serde_json::from_str(&sandbox.read("target/poc/c.sarif")).unwrap();
    assert_eq!(log["version"], "2.1.0");
    sandbox
        .poc("status --report yaml=x")
        .exits(2)
        .says("json, junit, sarif");
    sandbox
        .poc("status --report json=docs")
        .exits(4)
        .says("docs");
}

/// A clone of the sandbox that has its last commit alone.
fn shallow(sandbox: &Sandbox) -> Sandbox {
    let clone = Sandbox::empty();
    let from = format!("file://{}", sandbox.root);
    // The branch of the remote's HEAD counts as its default branch.
    sandbox.run_git(&["checkout", "--quiet", "main"]);
    clone.run_git(&["clone", "--quiet", "--depth=1", "--branch=work", &from, "."]);
    clone
}

#[test]
fn shallow_clone_without_the_base_fails_with_a_remedy() {
    let sandbox = Sandbox::workspace("store; app: store");
    sandbox.git();
    let first = sandbox.run_git(&["rev-parse", "HEAD"]);
    sandbox.run_git(&["checkout", "--quiet", "-b", "work"]);
    sandbox
        .edit("store/src/lib.rs", "    42\n", "    40 + 2\n")
        .commit("second");
    let clone = shallow(&sandbox);
    // Without a PoC, the base would be where the branch left the default branch.
    clone
        .poc("affected")
        .exits(4)
        .says("shallow clone of 1 commits")
        .says("git fetch --unshallow");
    clone.poc("verify").exits(4).says("git fetch --unshallow");

    sandbox.run_git(&["checkout", "--quiet", "work"]);
    sandbox
        .poc(&format!("init cache -p store --base {first}"))
        .exits(0);
    sandbox.commit("third");
    let clone = shallow(&sandbox);
    let fetch = format!("git fetch --depth=1 origin {first}");
    clone.poc("affected cache").exits(4).says(&fetch);
    clone.poc("verify").exits(4).says(&fetch);
    clone.poc("status --check").exits(4).prints(&fetch);
    clone.shell(&fetch).exits(0);
    clone.poc("affected cache").exits(0).prints("store");
    clone.poc("status --check").exits(0);
}

#[test]
fn the_schemas_name_the_version_that_the_documentation_describes() {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema");
    let documentation = fs::read_to_string(folder.with_file_name("json.md")).unwrap();
    let schemas: Vec<Utf8PathBuf> = folder
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().into_path())
        .collect();
    assert!(schemas.len() >= 3);
    for path in schemas {
        let schema: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(
            schema["properties"]["version"],
            json!({"const": 1}),
            "{path}"
        );
        Validator::new(schema);
        let name = path.file_name().unwrap();
        assert!(
            documentation.contains(name),
            "{name} is not in docs/json.md"
        );
    }
}

//! `check`: the linter. Each folder of `tests/cases/check` is a case of one code:
//!
//! - `in/` is laid over a workspace of `store`, `app` (which depends on it) and `free`, and committed as `main`
//! - then `gone` names files to remove, `then/` is laid over, and `script` is run in bash
//! - `output.txt` is what `cargo poc check` prints
//!
//! The code must be found where `fires` is in the path or the line, and never where `near` is. `SNAPSHOTS=overwrite`
//! writes `output.txt` anew, to be read before it is committed.

use std::collections::BTreeSet;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_poc::internals::finding::Code;
use cargo_poc::internals::lint::rules;
use rayon::prelude::*;
use serde_json::Value;
use snapbox::{Assert, Data, assert::DEFAULT_ACTION_ENV};

use crate::kit::Sandbox;

fn cases() -> Vec<Utf8PathBuf> {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/check");
    let mut cases: Vec<_> = folder
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().into_path())
        .collect();
    cases.sort();
    cases
}

fn code_of(case: &Utf8Path) -> &str {
    &case.file_name().unwrap()[..6]
}

/// The workspace of a case before the check.
fn sandbox(case: &Utf8Path) -> Sandbox {
    let sandbox = Sandbox::workspace("store; app: store; free");
    lay_over(&sandbox, &case.join("in"));
    if tree(&case.join("in"))
        .iter()
        .any(|(path, _)| path.file_name() == Some("Cargo.toml"))
    {
        sandbox.lock_with_cargo();
    }
    sandbox.git();
    for path in read(case, "gone").lines() {
        sandbox.remove(path);
    }
    lay_over(&sandbox, &case.join("then"));
    let script = read(case, "script");
    if !script.is_empty() {
        sandbox.shell(&script).exits(0);
    }
    sandbox
}

fn read(case: &Utf8Path, name: &str) -> String {
    fs::read_to_string(case.join(name)).unwrap_or_default()
}

fn lay_over(sandbox: &Sandbox, folder: &Utf8Path) {
    for (path, bytes) in tree(folder) {
        sandbox.write(path.as_str(), bytes);
    }
}

fn tree(folder: &Utf8Path) -> Vec<(Utf8PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop().filter(|next| next.is_dir()) {
        for entry in next.read_dir_utf8().unwrap() {
            let path = entry.unwrap().into_path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = fs::read(&path).unwrap();
                files.push((path.strip_prefix(folder).unwrap().to_owned(), bytes));
            }
        }
    }
    files
}

/// What differs from run to run: where it ran, and the records of evidence.
fn redacted(sandbox: &Sandbox, output: &str) -> String {
    let output = output.replace(sandbox.root.as_str(), "[ROOT]");
    let evidence = |line: &str| line.contains("<!-- cargo-poc:evidence");
    let lines = output.lines().map(|line| {
        if evidence(line) {
            let at = line.find("<!--").unwrap();
            format!("{}<!-- cargo-poc:evidence …", &line[..at])
        } else {
            line.trim_end().to_owned()
        }
    });
    lines.map(|line| line + "\n").collect()
}

/// The error of a case, if there is one.
fn failures(case: &Utf8Path) -> Vec<String> {
    let name = case.file_name().unwrap();
    let mut failures = Vec::new();
    let sandbox = sandbox(case);
    let run = sandbox.poc("check");
    let told = format!(
        "{}exit code {}\n",
        redacted(&sandbox, &run.stdout),
        run.code
    );
    let expected = Data::read_from(case.join("output.txt").as_std_path(), None);
    let assert = Assert::new().action_env(DEFAULT_ACTION_ENV);
    if let Err(error) = assert.try_eq(Some(&name), Data::text(told).raw(), expected.raw()) {
        failures.push(error.to_string());
    }
    let checked = sandbox.poc("check --format json").json();
    let findings = checked["findings"].as_array().unwrap();
    let mut fired = false;
    for finding in findings
        .iter()
        .filter(|finding| finding["code"] == code_of(case))
    {
        let place = format!("{} {}", finding["path"], finding["message"]);
        if place.contains("near") && !place.contains("fires") {
            failures.push(format!("{name} fires near by: {finding:#}"));
        }
        fired |= place.contains("fires");
    }
    if !fired {
        failures.push(format!("{name} does not fire\n{run}"));
    }
    // One computation: status shows the same.
    let key = |finding: &Value| (finding["code"].to_string(), finding["line"].to_string());
    let status = sandbox.poc("status --format json").json();
    let pocs = status["pocs"].as_array().unwrap().iter();
    let shown = pocs.flat_map(|poc| poc["findings"].as_array().unwrap().iter().map(key));
    if shown.collect::<Vec<_>>() != findings.iter().map(key).collect::<Vec<_>>() {
        failures.push(format!("{name}: status shows other findings than check"));
    }
    failures
}

#[test]
fn every_rule_fires_only_in_its_case() {
    let failures: Vec<String> = cases().par_iter().flat_map(|case| failures(case)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn every_code_has_a_case() {
    // POC060 to POC079 have theirs beside the commands they belong to.
    let own = |code: &&Code| !("POC060".."POC080").contains(&code.as_str());
    let rules = rules::all();
    let codes: BTreeSet<&str> = rules.iter().filter(own).map(|code| code.as_str()).collect();
    let cases = cases();
    let covered: BTreeSet<&str> = cases.iter().map(|case| code_of(case)).collect();
    assert_eq!(codes, covered);
}

#[test]
fn findings_page_is_generated_from_the_rules() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/findings.md");
    let assert = Assert::new().action_env(DEFAULT_ACTION_ENV);
    assert.eq(
        Data::text(rules::page()).raw(),
        Data::read_from(&page, None).raw(),
    );
}

#[test]
fn codes_and_names_of_rules_are_unique() {
    let rules = rules::all();
    let names: BTreeSet<&str> = rules.iter().map(|code| code.name()).collect();
    assert_eq!(names.len(), rules.len());
    for code in rules {
        assert_eq!(rules::find(code.name()), Some(code));
        assert_eq!(rules::find(&code.as_str().to_lowercase()), Some(code));
        let kebab = |letter: char| letter.is_ascii_lowercase() || letter == '-';
        assert!(code.name().chars().all(kebab), "{}", code.name());
    }
}

#[test]
fn example_of_each_rule_is_in_its_case() {
    for case in cases() {
        let code = rules::find(code_of(&case)).unwrap();
        let files = tree(&case);
        let texts: Vec<String> = files
            .iter()
            .filter(|(path, _)| path.as_str() != "output.txt")
            .map(|(_, bytes)| String::from_utf8_lossy(bytes).replace("\\\n", ""))
            .collect();
        let examples = examples(&code.explain());
        assert!(!examples.is_empty(), "{code} has no example");
        for example in examples {
            let there = texts.iter().any(|text| text.contains(example.trim_end()));
            assert!(
                there,
                "the example of {code} is in no file of {case}:\n{example}"
            );
        }
    }
}

/// The code blocks of a section; of a console, each command is one.
fn examples(section: &str) -> Vec<String> {
    let mut examples = Vec::new();
    let mut lines = section.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if language == "console" {
            examples.extend(
                block
                    .iter()
                    .map(|line| line.trim_start_matches("$ ").to_owned()),
            );
        } else {
            examples.push(block.join("\n"));
        }
    }
    examples
}

fn case(code: &str) -> Sandbox {
    let cases = cases();
    let case = cases.iter().find(|case| code_of(case) == code);
    sandbox(case.unwrap())
}

#[test]
fn fix_resolves_its_finding_and_changes_nothing_else() {
    for code in ["POC013", "POC040", "POC043", "POC044", "POC053"] {
        let sandbox = case(code);
        let before = sandbox.files();
        let preview = sandbox.poc("check fires --fix --dry-run");
        preview
            .exits(0)
            .prints("--- a/docs/fires-")
            .prints("+++ b/docs/fires-");
        assert_eq!(sandbox.files(), before, "{code}: a dry run writes");

        let run = sandbox.poc("check fires --fix");
        run.says("Fixed 1 finding in docs/fires-").hides(code);
        let after = sandbox.files();
        let changed: Vec<_> = after
            .iter()
            .filter(|(path, bytes)| before.get(*path) != Some(*bytes))
            .collect();
        assert_eq!(changed.len(), 1, "{code}");
        // The diff of the dry run equals the change.
        let (path, bytes) = changed[0];
        sandbox
            .write(path.as_str(), &before[path])
            .write("patch", &preview.stdout);
        sandbox.shell("git apply patch && rm patch").exits(0);
        assert_eq!(&sandbox.files()[path], bytes, "{code}");

        // No finding is left.
        sandbox
            .poc("check fires --fix --dry-run")
            .exits(0)
            .says("Unchanged");
    }
}

#[test]
fn a_fix_keeps_line_ends_and_the_byte_order_mark() {
    let sandbox = case("POC040");
    let crlf = |text: String| format!("\u{feff}{}", text.replace('\n', "\r\n"));
    for path in ["docs/fires-plan.md", "docs/fires-results.md"] {
        sandbox.write(path, crlf(sandbox.read(path)));
    }
    let before = sandbox.read("docs/fires-results.md");
    sandbox
        .poc("check fires --fix")
        .says("Fixed 1 finding")
        .hides("POC040");
    let after = sandbox.read("docs/fires-results.md");
    assert!(after.starts_with(before.trim_end()), "{after:?}");
    assert_eq!(after.matches('\n').count(), after.matches("\r\n").count());
    assert!(
        after.contains("\r\n\r\n### Step 2: Forget them\r\n\r\n**Status**: Pending\r\n"),
        "{after:?}"
    );
}

#[test]
fn absolute_path_inside_the_workspace_is_shortened() {
    let sandbox = case("POC009");
    let path = sandbox.root.join("store/src/lib.rs");
    sandbox.edit("docs/fires-plan.md", "../other/src/lib.rs", path.as_str());
    sandbox.poc("check fires").exits(1).prints("POC009");
    sandbox.poc("check fires --fix").exits(0).hides("POC009");
    assert!(
        sandbox
            .read("docs/fires-plan.md")
            .contains("| `store/src/lib.rs` | Modify |")
    );
}

#[test]
fn suppressed_findings_do_not_fail_and_stay_suppressed_when_lines_move() {
    let sandbox = case("POC048");
    sandbox.poc("check fires").exits(1);
    sandbox
        .poc("check fires --baseline known.json")
        .exits(2)
        .says("known.json does not exist; `--write-baseline` creates it");
    sandbox
        .poc("check fires --baseline known.json --write-baseline")
        .exits(0)
        .says("Wrote");
    let written = sandbox.read("known.json");
    assert!(
        written.lines().count() > 2,
        "a line for each finding: {written}"
    );
    let run = sandbox.poc("check fires --baseline known.json");
    run.exits(0).says("0 errors, 0 warnings").hides("POC048");

    let results = sandbox.read("docs/fires-results.md");
    sandbox.write("docs/fires-results.md", format!("\n\n{results}"));
    sandbox.poc("check fires --baseline known.json").exits(0);
    let json = sandbox
        .poc("check fires --baseline known.json --format json")
        .exits(0)
        .json();
    assert_eq!(json["errors"], 0);
    assert!(
        json["findings"]
            .as_array()
            .unwrap()
            .iter()
            .all(|finding| finding["known"] == true)
    );

    // An additional finding of the same kind is new, and a resolved one is reported.
    sandbox.edit(
        "docs/fires-results.md",
        "- [ ] c6 holds",
        "- [ ] c6 holds\n- [ ] c7 holds",
    );
    sandbox
        .poc("check fires --baseline known.json")
        .prints("POC046");
    sandbox
        .edit(
            "docs/fires-results.md",
            "- [ ] c6 holds\n- [ ] c7 holds",
            "- [x] c6 holds",
        )
        .poc("check fires --baseline known.json")
        .exits(0)
        .says("of the baseline no longer occurring");

    sandbox.write("known.json", "{\"version\": 2, \"findings\": []}");
    sandbox
        .poc("check --baseline known.json")
        .exits(2)
        .says("version 2");
    sandbox.write("known.json", "[");
    sandbox
        .poc("check --baseline known.json")
        .exits(2)
        .says("failed to read the baseline known.json");
}

#[test]
fn levels_come_from_the_configuration_and_from_flags() {
    let sandbox = case("POC012");
    sandbox
        .poc("check fires")
        .exits(0)
        .prints("warning[POC012]");
    sandbox
        .poc("check fires -D warnings")
        .exits(1)
        .prints("error[POC012]");
    sandbox.poc("check fires -D poc012").exits(1);
    sandbox.poc("check fires -D contradicting-counts").exits(1);
    sandbox
        .poc("check fires -A POC012")
        .exits(0)
        .hides("POC012");
    sandbox
        .poc("check -D POC999")
        .exits(2)
        .says("no rule has the code or name `POC999`");
    sandbox
        .poc("check -A POC020")
        .exits(2)
        .says("cannot be lowered, because");
    sandbox.append(
        "Cargo.toml",
        "\n[workspace.metadata.poc.lints]\nPOC012 = \"deny\"\n",
    );
    sandbox.poc("check fires").exits(1).prints("error[POC012]");
    sandbox.poc("status --check").exits(1);
    sandbox.poc("check fires -W POC012").exits(0);
    sandbox.edit("Cargo.toml", "POC012 = \"deny\"", "warnings = \"allow\"");
    sandbox.poc("check fires").exits(0).hides("POC012");
    sandbox.poc("status fires --check").exits(0).hides("POC012");
}

#[test]
fn explain_prints_a_rule() {
    let nowhere = Sandbox::empty();
    nowhere
        .poc("check --explain POC045")
        .exits(0)
        .prints("POC045: a criterion differs between plan and results (error)")
        .prints("p99 read latency < 10 ms");
    nowhere
        .poc("check --explain reworded-criterion")
        .exits(0)
        .prints("POC045: ");
    nowhere
        .poc("check --explain poc004")
        .exits(0)
        .prints("[fill in: …]");
    let list = nowhere.poc("check --explain");
    list.exits(0);
    for code in rules::all() {
        list.prints(code.as_str()).prints(code.name());
    }
    nowhere
        .poc("check --explain POC999")
        .exits(2)
        .says("no rule has the code or name");
}

#[test]
fn github_gets_annotations() {
    let sandbox = case("POC083");
    sandbox
        .poc("check --format github")
        .exits(1)
        .prints("::error file=store/src/fires.rs,line=5,col=5,title=POC083::`todo!` is left");
}

#[test]
fn documents_outside_a_workspace_are_checked_by_themselves() {
    let sandbox = case("POC050");
    let elsewhere = Sandbox::empty();
    for name in ["fires-plan.md", "fires-results.md"] {
        elsewhere.write(name, sandbox.read(&format!("docs/{name}")));
    }
    let run = elsewhere.poc("check --plan fires-plan.md");
    run.exits(1)
        .prints("the total is 294")
        .prints("--> fires-results.md:29")
        .hides("POC031");
}

#[test]
fn new_plan_has_only_placeholder_findings() {
    let sandbox = Sandbox::workspace("core; store: core; app: store");
    sandbox.git();
    sandbox
        .poc("init small -p store --size tiny --file src/lib.rs --offline")
        .exits(0);
    sandbox
        .poc("init large -p store --file src/cache.rs --file tests/cache.rs --criterion 'p99 < 1 ms' --offline")
        .exits(0);
    sandbox.poc("init bare -p app --offline").exits(0);
    sandbox.poc("check small -D warnings").exits(0);
    let findings = sandbox.poc("check --format json").exits(0).json();
    let findings = findings["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    assert!(
        findings.iter().all(|finding| finding["code"] == "POC004"),
        "{findings:#?}"
    );
    // A file of one plan is no surprise in another.
    sandbox.write("store/src/cache.rs", "//! Keeps.\n");
    sandbox.poc("check small -D warnings").exits(0);
    sandbox.write("store/src/other.rs", "//! Other.\n");
    sandbox
        .poc("check small -D warnings")
        .exits(1)
        .prints("POC080");
}

#[test]
fn control_sequences_in_lines_are_removed() {
    let sandbox = case("POC004");
    sandbox.edit(
        "docs/fires-plan.md",
        "[fill in: what works",
        "\u{1b}]0;title\u{7}[fill in: \u{1b}[31mwhat works",
    );
    let run = sandbox.poc("check fires");
    assert!(!run.stdout.contains(['\u{1b}', '\u{7}']), "{run}");
}

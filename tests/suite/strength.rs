//! `verify --strength`: mutants of the changed code, and the tests that detect them.

mod excluded;
#[cfg(unix)]
mod faults;
mod plan;

use serde_json::{Value, json};

use crate::formats::{fits, schema};
use crate::kit::{PROGRAM, Run, Sandbox, finish, mutants_for};

/// Functions whose mutants have different outcomes.
const CHANGED: &str = r"
pub fn larger(a: u32, b: u32) -> u32 {
    if a > b { a } else { b }
}

pub fn count(n: u32) -> u32 {
    let mut i = 0;
    while i < n {
        i += 1;
    }
    i
}

pub fn unknown() -> bool {
    true
}

#[cfg(test)]
mod more {
    #[test]
    fn larger() {
        assert_eq!(super::larger(2, 1), 2);
        assert_eq!(super::larger(1, 2), 2);
    }

    #[test]
    fn count() {
        assert_eq!(super::count(3), 3);
    }
}
";

/// Two packages; `base` has this code after the first commit.
fn sandbox(code: &str) -> Sandbox {
    let sandbox = Sandbox::workspace("base; app: base");
    sandbox.git();
    sandbox.append("base/src/lib.rs", code);
    sandbox
}

fn strength(sandbox: &Sandbox, more: &str) -> Run {
    let line = format!("verify --strength --format json {more}");
    sandbox.poc(&line)
}

fn places(report: &Value) -> Vec<(&str, &str, u64)> {
    let survivors = report["strength"]["survivors"].as_array().unwrap().iter();
    survivors
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap();
            let tests = one["tests"].as_u64().unwrap();
            (text("place"), text("function"), tests)
        })
        .collect()
}

#[test]
fn each_outcome_is_counted_and_each_survivor_is_named() {
    if !mutants_for("each_outcome_is_counted_and_each_survivor_is_named") {
        return;
    }
    let sandbox = sandbox(CHANGED);
    let files = sandbox.files();
    // The limit is shorter than that of cargo-mutants, for the mutant that runs for ever.
    let run = strength(&sandbox, "--timeout 12");
    run.says("11 of 13 mutants killed (1 by timeout)\n")
        .says("missed base/src/lib.rs:21:10 in larger: 1 test passed\n")
        .says("-    if a > b { a } else { b }\n+    if a >= b { a } else { b }\n")
        .says("missed base/src/lib.rs:33:5 in unknown: no test reaches it\n");
    assert_eq!(sandbox.files(), files);
    let report = run.exits(0).json();
    fits(&schema("verify"), &report);
    let known = &report["strength"];
    for (key, count) in [
        ("killed", 11),
        ("viable", 13),
        ("caught", 10),
        ("timeout", 1),
        ("missed", 2),
        ("unviable", 0),
    ] {
        assert_eq!(known[key], count, "{key}");
    }
    assert_eq!(known["escapes"], json!([]));
}

/// An item that has moved, or of which only a comment changed, has no mutants.
#[test]
fn only_touched_items_have_mutants() {
    if !mutants_for("only_touched_items_have_mutants") {
        return;
    }
    let sandbox = Sandbox::workspace("base");
    sandbox.append(
        "base/src/lib.rs",
        "\npub fn two() -> u32 {\n    2\n}\n\npub fn three() -> u32 {\n    3\n}\n",
    );
    sandbox.git();
    sandbox.edit("base/src/lib.rs", "    2\n", "    // Two.\n    2\n");
    strength(&sandbox, "")
        .exits(4)
        .prints("the change touches no code that cargo-mutants can change");
    sandbox.edit("base/src/lib.rs", "    42\n", "    40 + 2\n");
    let run = strength(&sandbox, "");
    let report = run.exits(0).json();
    assert_eq!(report["strength"]["caught"], 4);
    assert_eq!(report["strength"]["viable"], 4);
}

#[test]
fn mutant_that_does_not_compile_is_unviable() {
    if !mutants_for("mutant_that_does_not_compile_is_unviable") {
        return;
    }
    let only = "\npub struct Locked(u8);\npub fn locked() -> Locked {\n    Locked(1)\n}\n";
    strength(&sandbox(only), "")
        .exits(4)
        .prints("none of 1 mutant compiles");
    let both = format!("{only}\npub fn yes() -> bool {{\n    true\n}}\n");
    let run = strength(&sandbox(&both), "");
    let report = run.exits(0).json();
    assert_eq!(report["strength"]["unviable"], 1);
    assert_eq!(report["strength"]["missed"], 1);
    assert_eq!(places(&report), [("base/src/lib.rs:26:5", "yes", 0)]);
}

#[test]
fn without_a_mutant_the_tests_must_pass() {
    if !mutants_for("without_a_mutant_the_tests_must_pass") {
        return;
    }
    let code = CHANGED.replace("super::count(3), 3", "super::count(3), 4");
    strength(&sandbox(&code), "")
        .exits(1)
        .prints("without a mutant, a test fails in the copy of the work tree: base more::count");
    strength(&sandbox("\npub fn broken() -> u32 {\n    true\n}\n"), "")
        .exits(4)
        .prints("does not build without a mutant")
        .prints("mismatched types");
}

/// A test that prints the result of the code, and another that runs its binary, which it finds beside its own.
#[cfg(unix)]
const HIDDEN: [&str; 2] = [
    r#"
#[test]
fn prints() {
    println!("twice 4 is {}", base::twice(4));
}
"#,
    r#"
#[test]
fn reads() {
    let own = std::env::current_exe().unwrap();
    let names = std::fs::read_dir(own.parent().unwrap()).unwrap();
    let paths = names.map(|name| name.unwrap().path());
    let is_shown = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with("shown-") && !name.ends_with(".d")
    };
    let Some(shown) = paths.filter(is_shown).next() else { return };
    let ran = std::process::Command::new(shown).arg("--nocapture").output().unwrap();
    let text = String::from_utf8(ran.stdout).unwrap();
    assert!(text.contains("twice 4 is 8"), "{text}");
}
"#,
];

#[cfg(unix)]
#[test]
fn test_outside_of_the_selection_that_detects_a_mutant_is_an_escape() {
    if !mutants_for("test_outside_of_the_selection_that_detects_a_mutant_is_an_escape") {
        return;
    }
    let sandbox = Sandbox::workspace("base; app");
    sandbox
        .write("base/tests/shown.rs", HIDDEN[0])
        .append("app/tests/it.rs", HIDDEN[1]);
    sandbox.git();
    sandbox.append(
        "base/src/lib.rs",
        "\npub fn twice(n: u32) -> u32 {\n    n * 2\n}\n",
    );
    for more in ["", "--separate-builds"] {
        let run = strength(&sandbox, more);
        let report = run.exits(1).json();
        fits(&schema("verify"), &report);
        assert_eq!(report["strength"]["missed"], 4);
        let escape = |place: &str| json!({"binary": "app::it", "test": "reads", "place": place});
        assert_eq!(
            report["strength"]["escapes"],
            json!([
                escape("base/src/lib.rs:21:5"),
                escape("base/src/lib.rs:21:5"),
                escape("base/src/lib.rs:21:7"),
                // 4 / 2
                escape("base/src/lib.rs:21:7")
            ])
        );
        run.says("escaped app::it reads: it fails with the mutant at base/src/lib.rs:21:7");
    }
}

/// Functions of many kinds, some of which cannot be switched in one build.
const KINDS: &str = r#"
pub const fn constant() -> bool {
    true
}

pub fn iterator() -> impl Iterator<Item = u32> {
    [1, 2].into_iter()
}

pub struct Stack<T>(Vec<T>);

impl<T: Clone + Default> Stack<T> {
    pub fn new() -> Self {
        Self(Vec::new())
    }

    pub fn push(&mut self, item: T) -> &mut Self {
        self.0.push(item);
        self
    }

    pub fn top(&self) -> Option<&T> {
        fn last(length: usize) -> usize {
            length - 1
        }
        // The comment ends the body. }
        if self.0.is_empty() { None } else { self.0.get(last(self.0.len())) }
    }
}

pub trait Named {
    fn name(&self) -> String {
        let é = "é".to_owned();
        if é.starts_with('é') { é } else { String::new() }
    }
}

impl Named for u8 {}

pub async fn later(x: bool) -> bool {
    x
}

pub fn checked(a: i32) -> Result<i32, String> {
    match a {
        a if a < 0 => Err("negative".to_owned()),
        a => Ok(a),
    }
}

pub struct Locked(u8);

pub fn locked() -> Locked {
    Locked(1)
}

#[cfg(test)]
mod more {
    use super::*;

    #[test]
    fn kinds() {
        assert!(constant());
        assert_eq!(iterator().collect::<Vec<_>>(), [1, 2]);
        let mut stack = Stack::new();
        assert_eq!(stack.top(), None);
        assert_eq!(stack.push(1).push(2).top(), Some(&2));
        assert_eq!(7_u8.name(), "é");
        assert_eq!(checked(4), Ok(4));
        assert_eq!(locked().0, 1);
    }
}
"#;

/// How many mutants share a build, and the verdict of each, from the verbose output.
fn verdicts(sandbox: &Sandbox, more: &str) -> (String, Vec<String>) {
    let run = sandbox.poc(&format!("verify --strength --verbose {more}"));
    run.exits(0);
    let lines = || run.stderr.lines().map(str::trim);
    let shared = lines().find(|line| line.ends_with("share one build"));
    let is_verdict = |line: &&str| {
        let word = line.split(' ').next().unwrap_or_default();
        ["caught", "Missed", "Timeout", "unviable"].contains(&word) && line.contains("lib.rs:")
    };
    let mut verdicts: Vec<String> = lines().filter(is_verdict).map(str::to_owned).collect();
    verdicts.sort();
    (shared.unwrap_or_default().to_owned(), verdicts)
}

#[test]
fn one_build_and_a_build_for_each_mutant_have_the_same_verdicts() {
    if !mutants_for("one_build_and_a_build_for_each_mutant_have_the_same_verdicts") {
        return;
    }
    let sandbox = sandbox(KINDS);
    let (shared, together) = verdicts(&sandbox, "");
    let (none, apart) = verdicts(&sandbox, "--separate-builds");
    assert_eq!(together, apart);
    let of = format!("of {} mutants share one build", together.len());
    assert_eq!(none, format!("0 {of}"));
    // Not those of the constant function and of the iterator, nor those that do not compile.
    let (count, rest) = shared.split_once(' ').unwrap();
    assert!(
        rest == of && count.parse::<u32>().unwrap() >= 12,
        "{shared}"
    );
    for word in ["caught", "Missed", "unviable"] {
        let mut lines = together.iter();
        assert!(lines.any(|line| line.starts_with(word)), "{together:#?}");
    }
}

#[test]
fn strength_excludes_other_scopes() {
    let sandbox = sandbox("");
    for other in [
        "--baseline",
        "--done",
        "--full",
        "--shadow",
        "--watch",
        "--failed",
        "--partition 1/2",
    ] {
        sandbox.poc(&format!("verify --strength {other}")).exits(2);
    }
}

#[test]
fn missing_tool_is_named_with_its_installation() {
    let sandbox = sandbox(CHANGED);
    let mut command = sandbox.command(PROGRAM);
    let path = std::env::var_os("PATH").unwrap();
    let name = format!("cargo-mutants{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::split_paths(&path).filter(|folder| !folder.join(&name).exists());
    command.env("PATH", std::env::join_paths(path).unwrap());
    let line = "verify --strength";
    command.args(line.split(' '));
    finish(command, line)
        .exits(4)
        .says("install it with `cargo install cargo-mutants`");
}

/// The kill of a documentation test counts, as in `cargo mutants`, which runs all of them.
#[test]
fn mutant_that_only_a_documentation_test_detects_is_caught() {
    if !mutants_for("mutant_that_only_a_documentation_test_detects_is_caught") {
        return;
    }
    let code = |name: &str, example: &str| {
        format!(
            "\n/// T.\n///\n/// ```\n/// {example}\n/// ```\npub fn {name}(n: u32) -> u32 {{\n    n * 2\n}}\n"
        )
    };
    let sandbox = sandbox(&code("twice", "assert_eq!(base::twice(4), 8);"));
    // Of another function, and of another package.
    sandbox.append(
        "base/src/lib.rs",
        &code("double", "base::twice(1);").replace("n * 2", "twice(n)"),
    );
    sandbox.append(
        "app/src/lib.rs",
        "\n/// T.\n///\n/// ```\n/// assert_eq!(base::double(4), 8);\n/// ```\npub struct Shown;\n",
    );
    for more in ["", "--separate-builds"] {
        let run = strength(&sandbox, more);
        let report = run.exits(0).json();
        let known = &report["strength"];
        assert_eq!((&known["killed"], &known["viable"]), (&json!(6), &json!(6)));
    }
}

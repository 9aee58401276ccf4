//! Observed coverage: a real workspace is built with coverage and run once, and the item graph is held against it.

#[cfg(target_os = "linux")]
mod files;
mod maps;
mod selection;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::MetadataCommand;
use cargo_poc::internals::affected::coverage::audit::audit;
use cargo_poc::internals::affected::coverage::store::Store;
use cargo_poc::internals::affected::items::{Changed, CrateGraph, Graph, Uncached};
use cargo_poc::internals::workspace::Workspace;

use crate::kit::{Sandbox, nextest_for};

const LIBRARY: &str = r#"//! A library.

/// Runs for every type.
pub fn generic<T: ToString>(value: T) -> String {
    value.to_string()
}

pub fn with_closure(numbers: &[u32]) -> Vec<u32> {
    numbers.iter().map(|number| {
        let more = number + 1;
        more
    }).collect()
}

pub async fn later(number: u32) -> u32 {
    number + 1
}

macro_rules! made {
    ($name:ident) => {
        pub fn $name() -> u32 {
            7
        }
    };
}

made!(made_here);

pub fn in_the_program() -> &'static str {
    "said"
}

pub fn never() {}

pub fn before_it_ends() {}

pub fn fails() {}

/// The process that runs this is killed: nothing is written at its end.
pub fn waits() {
    before_it_ends();
    println!("waiting");
    loop {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn generics() {
        assert_eq!(super::generic(1), "1");
    }

    #[test]
    fn closures() {
        assert_eq!(super::with_closure(&[1]), [2]);
    }

    #[test]
    fn futures() {
        use std::future::Future as _;
        let future = std::pin::pin!(super::later(1));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(future.poll(&mut context).is_ready());
    }

    #[test]
    fn made_by_a_macro() {
        assert_eq!(super::made_here(), 7);
    }

    #[test]
    fn failing() {
        super::fails();
        panic!("as it should");
    }

    #[test]
    #[ignore]
    fn left_alone() {
        super::never();
    }
}
"#;

const PROGRAM: &str = r#"fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("wait") => app::waits(),
        Some("clear") => cleared(),
        _ => println!("{}", app::in_the_program()),
    }
}

fn cleared() {
    let me = std::env::current_exe().unwrap();
    std::process::Command::new(me).env_clear().status().unwrap();
}
"#;

const OUTSIDE: &str = r#"use std::process::Command;

fn app(word: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_app"));
    command.arg(word);
    command
}

#[test]
fn runs_the_program() {
    assert_eq!(app("say").output().unwrap().stdout, b"said\n");
}

#[test]
fn the_program_is_killed() {
    let mut child = app("wait").stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut output, &mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn without_its_environment() {
    assert!(app("clear").output().unwrap().status.success());
}
"#;

fn workspace() -> Sandbox {
    let sandbox = Sandbox::package();
    sandbox
        .write("src/lib.rs", LIBRARY)
        .write("src/main.rs", PROGRAM)
        .write("tests/it.rs", OUTSIDE)
        .git();
    sandbox
}

/// The store of a workspace, and per test the names of the items it ran; why not, for those that are not observed.
fn ran(sandbox: &Sandbox) -> (Store, BTreeMap<String, Result<BTreeSet<String>, String>>) {
    let store = Store::load(&sandbox.root.join("target"), &[])
        .unwrap()
        .unwrap();
    let (_, graph) = graph(sandbox);
    let name = |index: &u32| {
        let item = &store.items[*index as usize];
        let id = (0..).take(graph.nodes.nodes.len()).find(|id| {
            let own = graph.nodes.item(&graph.sources, *id);
            (own.key, own.hash) == (item.key, item.hash)
        });
        graph.describe(id.unwrap())
    };
    let tests = store.tests.iter().map(|test| {
        let ran = test.ran.clone().map(|ran| ran.iter().map(name).collect());
        (format!("{} {}", test.binary, test.name), ran)
    });
    let tests = tests.collect();
    (store, tests)
}

fn graph(sandbox: &Sandbox) -> (Workspace, Graph) {
    let metadata = MetadataCommand::new()
        .manifest_path(sandbox.root.join("Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap();
    let workspace = Workspace::new(metadata);
    let crates = CrateGraph::of(&workspace);
    let graph = Graph::build(crates, &Changed::default(), &Uncached);
    (workspace, graph)
}

#[test]
fn coverage_includes_child_processes() {
    if !nextest_for("coverage_includes_child_processes") {
        return;
    }
    let sandbox = workspace();
    let run = sandbox.poc("affected --collect");
    run.exits(0)
        .says("Observed 6 of 9 tests")
        .says("1 test: it failed")
        .says("1 test: it is ignored")
        .says("1 test: it may start a program without its environment");
    let (_, tests) = ran(&sandbox);
    let of = |test: &str| {
        let ran = tests[test].as_ref().unwrap();
        ran.iter().map(String::as_str).collect::<Vec<_>>()
    };
    assert_eq!(
        of("app tests::generics"),
        ["app::generic", "app::tests::generics"]
    );
    assert_eq!(
        of("app tests::closures"),
        ["app::tests::closures", "app::with_closure"]
    );
    assert_eq!(
        of("app tests::futures"),
        ["app::later", "app::tests::futures"]
    );
    assert_eq!(
        of("app tests::made_by_a_macro"),
        ["app::made", "app::tests::made_by_a_macro"]
    );
    assert_eq!(
        of("app::it runs_the_program"),
        [
            "app::in_the_program",
            "app::main",
            "it::app",
            "it::runs_the_program"
        ]
    );
    assert_eq!(
        of("app::it the_program_is_killed"),
        [
            "app::before_it_ends",
            "app::main",
            "app::waits",
            "it::app",
            "it::the_program_is_killed"
        ]
    );
    assert_eq!(tests["app tests::failing"], Err("it failed".to_owned()));

    let audit = sandbox.poc("affected --audit --format json");
    let report = audit.exits(0).json();
    assert_eq!(report["missed"], 0);
    assert_eq!(report["observed"], 6);
    assert_eq!(report["pairs"], 17);
    // All of the 15 executed items except the macro.
    assert_eq!(report["functions"], 14);
    sandbox
        .poc("affected --audit")
        .exits(0)
        .prints("0 missed of 17 pairs")
        .hides("files have changed");
    let left: Vec<_> = sandbox
        .files()
        .into_keys()
        .filter(|path| path.extension() == Some("profraw"))
        .collect();
    assert!(left.is_empty(), "{left:?}");

    // Nothing changed: only tests without coverage run again.
    sandbox
        .poc("affected --collect")
        .exits(0)
        .says("Kept 7 tests from an interrupted run");

    // Edits above do not shift coverage; a changed function is skipped.
    sandbox.edit(
        "src/lib.rs",
        "//! A library.",
        "//! A library.\n//! And more.\n",
    );
    sandbox
        .poc("affected --audit")
        .exits(0)
        .prints("0 missed of 17 pairs")
        .says("files have changed");
}

#[test]
fn pair_without_a_path_is_a_miss() {
    if !nextest_for("pair_without_a_path_is_a_miss") {
        return;
    }
    let sandbox = workspace();
    sandbox.poc("affected --collect").exits(0);
    let (mut store, _) = ran(&sandbox);
    let (workspace, graph) = graph(&sandbox);
    assert!(audit(&workspace, &graph, &store).is_clean());

    // As if the program had been run by a test that does not know of it.
    let main = |index: &&u32| {
        let item = &store.items[**index as usize];
        store.files[item.file as usize] == "src/main.rs"
    };
    let it = store
        .tests
        .iter()
        .find(|test| test.name == "runs_the_program")
        .unwrap();
    let main = *it.ran.as_ref().unwrap().iter().find(main).unwrap();
    let unit = store
        .tests
        .iter_mut()
        .find(|test| test.name == "tests::generics")
        .unwrap();
    let ran = unit.ran.as_mut().unwrap();
    ran.push(main);
    ran.sort_unstable();
    let found = audit(&workspace, &graph, &store);
    assert_eq!(found.missed, 1);
    let [miss] = &found.misses[..] else {
        panic!("{:?}", found.misses)
    };
    assert_eq!(
        (miss.item.as_str(), miss.file.as_str()),
        ("app::main", "src/main.rs")
    );
    assert_eq!(
        miss.example,
        ("app".to_owned(), "tests::generics".to_owned())
    );
    assert!(!miss.broken.is_empty());

    store.save(&sandbox.root.join("target")).unwrap();
    sandbox
        .poc("affected --audit")
        .exits(1)
        .prints("missed app::main")
        .prints("1 missed of 18 pairs");

    // And a test whose name is not in the sources.
    let mut renamed = store.tests[0].clone();
    renamed.name = "of::nowhere".to_owned();
    store.tests.push(renamed);
    store.save(&sandbox.root.join("target")).unwrap();
    sandbox
        .poc("affected --audit")
        .exits(1)
        .prints("unknown test app of::nowhere");
}

#[test]
fn custom_harness_does_not_affect_coverage_of_other_tests() {
    if !nextest_for("custom_harness_does_not_affect_coverage_of_other_tests") {
        return;
    }
    let sandbox = Sandbox::package();
    sandbox
        .append(
            "Cargo.toml",
            "\n[[test]]\nname = \"own\"\nharness = false\n",
        )
        .write(
            "tests/own.rs",
            "fn main() {\n    assert!(std::env::args().len() == 1);\n}\n",
        )
        .git();
    sandbox
        .poc("affected --collect")
        .exits(0)
        .says("Observed 2 of 2 tests")
        .says("app::own: its custom harness does not list its tests");
    sandbox.poc("affected --audit").exits(0);
}

#[test]
fn a_baseline_can_collect_as_well() {
    if !nextest_for("a_baseline_can_collect_as_well") {
        return;
    }
    let sandbox = Sandbox::package();
    sandbox.git();
    sandbox.poc("init work -p app").exits(0);
    sandbox.poc("verify work --collect").exits(2);
    sandbox
        .poc("verify work --baseline --collect")
        .exits(0)
        .says("Observed 2 of 2 tests");
    sandbox.poc("affected --audit").exits(0);
    let results = sandbox.read("docs/work-results.md");
    assert!(results.contains("--baseline"), "{results}");
}

#[test]
fn input_of_a_macro_in_an_impl_is_reached_by_its_call() {
    if !nextest_for("input_of_a_macro_in_an_impl_is_reached_by_its_call") {
        return;
    }
    let sandbox = Sandbox::package();
    sandbox
        .write(
            "src/lib.rs",
            "macro_rules! given {\n    ($($item:tt)*) => {\n        $($item)*\n    };\n}\n\n\
             pub struct Held;\n\nimpl Held {\n    given! {\n        pub fn held(&self) -> u32 {\n            5\n        }\n    }\n}\n\n\
             #[test]\nfn holds() {\n    assert_eq!(Held.held(), 5);\n}\n",
        )
        .write("tests/it.rs", "")
        .git();
    the_only_test_runs_two_functions(&sandbox);
}

/// Collects coverage and audits it.
fn the_only_test_runs_two_functions(sandbox: &Sandbox) {
    sandbox
        .poc("affected --collect")
        .exits(0)
        .says("Observed 1 of 1 test");
    sandbox
        .poc("affected --audit")
        .exits(0)
        .prints("0 missed of 2 pairs");
}

//! Observed coverage: a real workspace is built with coverage and run once, and the item graph is held against it.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::MetadataCommand;
use cargo_poc::affected::items::{Changed, Graph, Layout, Uncached};
use cargo_poc::affected::observed::audit::audit;
use cargo_poc::affected::observed::store::Store;
use cargo_poc::workspace::Workspace;

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
    let store = Store::load(&sandbox.root.join("target")).unwrap().unwrap();
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
    let layout = Layout::of(&workspace);
    let graph = Graph::build(layout, &Changed::default(), &Uncached);
    (workspace, graph)
}

#[test]
fn each_test_is_kept_with_what_it_and_its_children_executed() {
    if !nextest_for("each_test_is_kept_with_what_it_and_its_children_executed") {
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

    // Nothing changed: only what is not observed yet runs again.
    sandbox
        .poc("affected --collect")
        .exits(0)
        .says("Kept 7 tests from a run before");

    // Edits above do not shift what was observed; a function that is not as it was is left out.
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
fn a_pair_that_the_graph_has_no_way_for_is_a_miss() {
    if !nextest_for("a_pair_that_the_graph_has_no_way_for_is_a_miss") {
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

    // And a test whose name the sources do not tell of.
    let mut renamed = store.tests[0].clone();
    renamed.name = "of::nowhere".to_owned();
    store.tests.push(renamed);
    store.save(&sandbox.root.join("target")).unwrap();
    sandbox
        .poc("affected --audit")
        .exits(1)
        .prints("unknown test app of::nowhere");
}

/// Selected tests, as `binary test`.
fn selected(sandbox: &Sandbox, line: &str) -> Vec<String> {
    let run = sandbox.poc(&format!("{line} --format names"));
    run.exits(0);
    let names = run.stdout.lines().map(|line| {
        let mut words = line.split('\t').skip(1);
        format!("{} {}", words.next().unwrap(), words.next().unwrap())
    });
    names.collect()
}

#[test]
fn a_changed_body_selects_those_that_ran_it_and_those_that_are_not_observed() {
    if !nextest_for("a_changed_body_selects_those_that_ran_it_and_those_that_are_not_observed") {
        return;
    }
    let sandbox = workspace();
    // Both tests lead to `either`, and one runs it.
    sandbox.append(
        "src/lib.rs",
        "\npub fn either(go: bool) -> u32 {\n    if go { chosen() } else { 0 }\n}\n\nfn chosen() -> u32 {\n    1\n}\n\n\
         const fn fixed() -> u32 {\n    1\n}\n\npub const FIXED: u32 = fixed();\n\n#[cfg(test)]\nmod more {\n    #[test]\n    fn goes() {\n        \
         assert_eq!(super::either(true), 1);\n    }\n\n    #[test]\n    fn stays() {\n        assert_eq!(super::either(false), 0);\n    \
         }\n\n    #[test]\n    #[should_panic]\n    fn fails() {\n        super::either(true);\n    }\n\n    #[test]\n    fn counts() {\n        \
         assert_eq!(super::FIXED, 1);\n    }\n\n    #[test]\n    fn builds() {\n        \
         std::process::Command::new(env!(\"CARGO\")).arg(\"--version\").status().unwrap();\n    }\n}\n",
    );
    sandbox.commit("more");
    sandbox.poc("affected --collect").exits(0);
    sandbox.run_git(&["checkout", "--quiet", "-b", "work"]);
    let base = "affected --base HEAD";
    assert_eq!(selected(&sandbox, base), Vec::<String>::new());

    sandbox.edit(
        "src/lib.rs",
        "fn chosen() -> u32 {\n    1\n}",
        "fn chosen() -> u32 {\n    1 + 0\n}",
    );
    let all = [
        "app more::builds",
        "app more::fails",
        "app more::goes",
        "app more::stays",
    ];
    assert_eq!(selected(&sandbox, &format!("{base} --no-observed")), all);
    // `fails` did not fail as it should, so nothing is known of it; what cargo ran for `builds` was not observed.
    assert_eq!(
        selected(&sandbox, base),
        ["app more::builds", "app more::fails", "app more::goes"]
    );
    sandbox
        .poc(base)
        .exits(0)
        .says("1 test that ran nothing of what changed");

    // Committed or not, it is the same change since the suite was run.
    sandbox.commit("changed");
    assert_eq!(
        selected(&sandbox, "affected --base HEAD~1"),
        ["app more::builds", "app more::fails", "app more::goes"]
    );

    sandbox
        .poc("verify --no-record --runner nextest")
        .exits(1)
        .says("1 test that ran nothing of what changed")
        .says("more::fails")
        .hides("more::stays");

    // What else changes is judged by the sources, and by them alone.
    sandbox.edit(
        "src/lib.rs",
        "fn chosen() -> u32 {",
        "#[inline(never)]\nfn chosen() -> u32 {",
    );
    assert_eq!(selected(&sandbox, base), all);
    sandbox.edit("src/lib.rs", "#[inline(never)]\n", "");
    assert_eq!(selected(&sandbox, base), Vec::<String>::new());
    sandbox.edit(
        "src/lib.rs",
        "const fn fixed() -> u32 {\n    1",
        "const fn fixed() -> u32 {\n    1 + 0",
    );
    assert_eq!(
        selected(&sandbox, base),
        ["app more::builds", "app more::counts"]
    );
    sandbox.edit("src/lib.rs", "1 + 0\n}\n\npub const", "1\n}\n\npub const");

    // With another toolchain's or other features' runs nothing is left out.
    sandbox.edit(
        "src/lib.rs",
        "    if go { chosen()",
        "    if !!go { chosen()",
    );
    assert_eq!(selected(&sandbox, base), all);
    sandbox.edit(
        "src/lib.rs",
        "    if !!go { chosen()",
        "    if go { chosen()",
    );
    sandbox.edit("src/lib.rs", "    1 + 0\n}", "    2 - 1\n}");
    assert_eq!(
        selected(&sandbox, base),
        ["app more::builds", "app more::fails", "app more::goes"]
    );
    sandbox.poc("affected --collect -- --all-features").exits(0);
    sandbox.edit("src/lib.rs", "    2 - 1\n}", "    3 - 2\n}");
    sandbox
        .poc(base)
        .exits(0)
        .says("what was collected is not used: it was collected with --all-features");
    assert_eq!(selected(&sandbox, base), all);
    sandbox.write("target/cargo-poc/observed", "nothing of ours");
    sandbox
        .poc(base)
        .exits(0)
        .says("selecting from the sources alone");
    assert_eq!(selected(&sandbox, base), all);
}

#[test]
fn tests_of_a_procedural_macro_are_known_by_the_id_that_nextest_gives() {
    if !nextest_for("tests_of_a_procedural_macro_are_known_by_the_id_that_nextest_gives") {
        return;
    }
    let sandbox = Sandbox::package();
    sandbox
        .append("Cargo.toml", "\n[lib]\nproc-macro = true\n")
        .write(
            "src/lib.rs",
            "fn helper() -> u32 {\n    1\n}\n\n#[test]\nfn helps() {\n    assert_eq!(helper(), 1);\n}\n",
        )
        .remove("tests/it.rs")
        .git();
    sandbox
        .poc("affected --collect")
        .exits(0)
        .says("Observed 1 of 1 test");
    sandbox
        .poc("affected --audit")
        .exits(0)
        .prints("0 missed of 2 pairs");
    // Nothing is as it was when it ran: nothing was audited, which is no audit passed.
    sandbox.write(
        "src/lib.rs",
        "fn other() -> u32 {\n    2\n}\n\n#[test]\nfn does() {\n    assert_eq!(other(), 2);\n}\n",
    );
    sandbox
        .poc("affected --audit")
        .exits(4)
        .says("nothing was audited")
        .says("`cargo poc affected --collect` makes it anew");
}

#[test]
fn a_harness_of_its_own_leaves_the_other_tests_observed() {
    if !nextest_for("a_harness_of_its_own_leaves_the_other_tests_observed") {
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
        .says("app::own: it has a harness of its own");
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
fn what_is_kept_and_damaged_is_said_and_not_used() {
    let sandbox = Sandbox::package();
    sandbox.git();
    sandbox
        .poc("affected --audit")
        .exits(4)
        .says("nothing is collected yet; `cargo poc affected --collect`");
    sandbox.write(
        "target/cargo-poc/observed",
        "cargo-poc observed 1\nnot what it was",
    );
    sandbox
        .poc("affected --audit")
        .exits(4)
        .says("`cargo poc affected --collect` makes it anew")
        .says("it is damaged");
}

#[test]
fn a_workspace_that_does_not_build_is_not_collected() {
    if !nextest_for("a_workspace_that_does_not_build_is_not_collected") {
        return;
    }
    let sandbox = workspace();
    sandbox.append("src/lib.rs", "fn broken() -> u32 { \"\" }\n");
    sandbox
        .poc("affected --collect")
        .exits(4)
        .says("mismatched types")
        .says("nextest could not build and list the tests");
    assert!(!sandbox.exists("target/cargo-poc/observed"));
}

#[test]
fn the_formats_of_a_selection_are_not_those_of_an_audit() {
    let sandbox = Sandbox::package();
    sandbox.poc("affected --audit --format names").exits(2);
    sandbox.poc("affected --audit --base HEAD").exits(2);
    sandbox.poc("affected -- --all-features").exits(2);
}

#[cfg(unix)]
#[test]
fn nextest_that_is_missing_is_said_with_how_to_install_it() {
    let sandbox = Sandbox::package();
    let cargo = std::path::Path::new(env!("CARGO")).parent().unwrap();
    let output = sandbox
        .command(crate::kit::PROGRAM)
        .args(["affected", "--collect"])
        .env("PATH", cargo)
        .env("HOME", sandbox.root.as_str())
        .env("CARGO_HOME", sandbox.root.join("home"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("cargo install cargo-nextest --locked"),
        "{said}"
    );
}

/// Waits until a program has written the id of a process, and a line end, to a file.
#[cfg(unix)]
fn process_in(path: &camino::Utf8Path, writer: &mut std::process::Child) -> i32 {
    loop {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if let Some(id) = text.strip_suffix('\n') {
            return id.parse().unwrap();
        }
        let ended = writer.try_wait().unwrap();
        assert!(ended.is_none(), "it ended before: {ended:?}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[cfg(unix)]
#[test]
fn a_run_that_is_cut_off_leaves_no_process_and_goes_on() {
    use nix::sys::signal::{Signal, kill};
    if !nextest_for("a_run_that_is_cut_off_leaves_no_process_and_goes_on") {
        return;
    }
    let sandbox = Sandbox::package();
    let pid = sandbox.root.join("target/pid");
    sandbox
        .write(
            "tests/it.rs",
            format!(
                "#[test]\nfn waits() {{\n    if std::path::Path::new({pid:?}).exists() {{ return }}\n    \
                 std::fs::write({pid:?}, format!(\"{{}}\\n\", std::process::id())).unwrap();\n    \
                 std::thread::sleep(std::time::Duration::from_secs(600));\n}}\n"
            ),
        )
        .git();
    let mut collecting = sandbox
        .command(crate::kit::PROGRAM)
        .args(["affected", "--collect", "--", "-j1"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let test = process_in(&pid, &mut collecting);
    kill(
        nix::unistd::Pid::from_raw(collecting.id().cast_signed()),
        Signal::SIGINT,
    )
    .unwrap();
    let mut said = String::new();
    let mut errors = collecting.stderr.take().unwrap();
    std::io::Read::read_to_string(&mut errors, &mut said).unwrap();
    assert_eq!(collecting.wait().unwrap().code(), Some(4), "{said}");
    assert!(said.contains("goes on from here"), "{said}");
    assert!(crate::exec::gone(test), "the test still runs: {said}");
    assert!(!sandbox.exists("target/cargo-poc/observed"));

    let run = sandbox.poc("affected --collect -- -j1");
    run.exits(0)
        .says("Observed 2 of 2 tests")
        .says("Kept 1 test from a run before");
}

#[test]
fn tests_that_were_collected_with_another_build_run_again() {
    if !nextest_for("tests_that_were_collected_with_another_build_run_again") {
        return;
    }
    let sandbox = workspace();
    sandbox
        .poc("affected --collect")
        .exits(0)
        .says("Observed 6 of 9 tests");
    // Another program in front of rustc is another build to cargo, and functions get other names.
    let name = format!("target/other{}", std::env::consts::EXE_SUFFIX);
    let other = sandbox.root.join(name);
    std::fs::copy(crate::kit::PROGRAM, &other).unwrap();
    let mut command = sandbox.command(other.as_str());
    command.args(["affected", "--collect"]);
    crate::kit::finish(command, "affected --collect")
        .exits(0)
        .says("Observed 6 of 9 tests")
        .hides("from a run before");
}

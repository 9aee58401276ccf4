//! Files that tests read, recorded by a tracer.

use std::os::unix::fs::PermissionsExt;

use super::selection::selected;
use crate::kit::{PROGRAM, Run, Sandbox, finish, left_out, nextest_for};

/// Whether the tracer works here.
fn traced_for(test: &str) -> bool {
    let probe = std::process::Command::new("strace")
        .args(["--seccomp-bpf", "-f", "-o", "/dev/null", "true"])
        .output();
    let works = probe.is_ok_and(|output| output.status.success());
    if !works {
        left_out(test, "a working strace", "CARGO_POC_REQUIRE_STRACE");
    }
    works && nextest_for(test)
}

/// Tests that read files by paths that the sources do not show.
const TESTS: &str = r#"
fn listed(name: &str) -> String {
    let mut path = std::path::PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    path.push("data");
    path.push(name.replace('-', "."));
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn reads_one() {
    assert!(!listed("one-txt").is_empty());
}

#[test]
fn reads_two() {
    assert!(!listed("two-txt").is_empty());
}

#[test]
fn looks_up_three() {
    listed("three-txt");
}

#[test]
fn lists() {
    let path = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/data";
    assert!(std::fs::read_dir(path).unwrap().count() > 1);
}

#[test]
fn starts_a_reader() {
    let status = std::process::Command::new("sh").args(["-c", "cd data; cat o*e.txt"]).status();
    assert!(status.unwrap().success());
}

#[test]
fn reads_nothing() {
    assert_eq!(app::embedded().len(), 4);
}
"#;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::package();
    sandbox
        .append("Cargo.toml", "\n[lib]\ndoctest = false\n")
        .write(
            "src/lib.rs",
            "pub fn embedded() -> &'static str {\n    include_str!(\"../data/text.txt\")\n}\n\n\
             #[test]\nfn unit() {\n    assert!(!embedded().is_empty());\n}\n",
        )
        .write("tests/it.rs", TESTS)
        .write("data/text.txt", "text")
        .write("data/one.txt", "1")
        .write("data/two.txt", "2");
    sandbox.git();
    sandbox
}

const BASE: &str = "affected --base HEAD";

#[test]
fn data_file_selects_its_readers() {
    if !traced_for("data_file_selects_its_readers") {
        return;
    }
    let sandbox = sandbox();
    sandbox
        .poc("affected --collect")
        .exits(0)
        .says("Observed 7 of 7 tests")
        .hides("Untraced");
    sandbox.write("data/one.txt", "11");
    let from_sources = format!("{BASE} --no-observed");
    assert_eq!(selected(&sandbox, &from_sources), ["ALL"]);
    let one = ["app::it reads_one", "app::it starts_a_reader"];
    assert_eq!(selected(&sandbox, BASE), one);
    // A new file is read by the test that looked it up, and by those that list its folder.
    sandbox
        .write("data/one.txt", "1")
        .write("data/three.txt", "3");
    let new = [
        "app::it lists",
        "app::it looks_up_three",
        "app::it starts_a_reader",
    ];
    assert_eq!(selected(&sandbox, BASE), new);
    sandbox.remove("data/three.txt");
    assert_eq!(selected(&sandbox, BASE), Vec::<String>::new());
    // What the build reads, the sources decide about.
    sandbox.write("data/text.txt", "more");
    assert_eq!(selected(&sandbox, BASE), selected(&sandbox, &from_sources));
    sandbox.write("data/text.txt", "text");
    // A later build compiles only what changed, and the files of the earlier one still count.
    sandbox.append("tests/it.rs", "\n#[test]\nfn one_more() {}\n");
    sandbox.commit("more");
    sandbox
        .poc("affected --collect")
        .exits(0)
        .says("Observed 8 of 8 tests");
    sandbox.write("data/text.txt", "more");
    assert_eq!(selected(&sandbox, BASE), selected(&sandbox, &from_sources));
    sandbox
        .write("data/text.txt", "text")
        .write("data/two.txt", "22");
    assert_eq!(selected(&sandbox, BASE), ["app::it reads_two"]);
}

/// Tests that walk the folder of their argument, as far as the sources show.
const WALKERS: &str = r#"
fn sources_below(folder: &str) -> usize {
    let path = std::path::PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join(folder);
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let sources = entries.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    sources.filter(|path| std::fs::read_to_string(path).unwrap().contains("fn")).count()
}

#[test]
fn reads_sources() {
    assert_eq!(sources_below("src"), 1);
}

#[test]
fn reads_data() {
    assert_eq!(sources_below("data"), 0);
}

const EMBEDDED: &str = include_str!("../src/lib.rs");

#[test]
fn embeds() {
    assert!(EMBEDDED.contains("fn") && sources_below("data") == 0);
}

#[test]
fn executes() {
    assert_eq!(app::four(), 4);
}
"#;

#[test]
fn changed_source_selects_the_tests_that_opened_it() {
    if !traced_for("changed_source_selects_the_tests_that_opened_it") {
        return;
    }
    let sandbox = sandbox();
    sandbox
        .write("src/lib.rs", "pub fn four() -> usize {\n    4\n}\n")
        .write("tests/it.rs", WALKERS)
        .commit("walkers");
    sandbox.poc("affected --collect").exits(0);
    sandbox.edit("src/lib.rs", "    4", "    2 + 2");
    let all =
        ["embeds", "executes", "reads_data", "reads_sources"].map(|name| format!("app::it {name}"));
    assert_eq!(selected(&sandbox, &format!("{BASE} --no-observed")), all);
    let opened = [
        "app::it embeds",
        "app::it executes",
        "app::it reads_sources",
    ];
    assert_eq!(selected(&sandbox, BASE), opened);
    // Without its trace, a test may have read any source.
    sandbox.edit("src/lib.rs", "    2 + 2", "    4");
    collect_with(&sandbox, "#!/bin/sh\nexit 1\n").exits(0);
    sandbox.edit("src/lib.rs", "    4", "    2 + 2");
    assert_eq!(selected(&sandbox, BASE), all);
}

/// Collects with this program instead of the tracer.
fn collect_with(sandbox: &Sandbox, tracer: &str) -> Run {
    sandbox.write("target/fake/strace", tracer);
    let path = sandbox.root.join("target/fake/strace");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = sandbox.command(PROGRAM);
    let rest = std::env::var("PATH").unwrap();
    let folder = path.parent().unwrap();
    command.env("PATH", format!("{folder}:{rest}"));
    command.args(["affected", "--collect"]);
    finish(command, "affected --collect")
}

#[test]
fn without_a_tracer_the_sources_decide() {
    if !nextest_for("without_a_tracer_the_sources_decide") {
        return;
    }
    let sandbox = sandbox();
    collect_with(
        &sandbox,
        "#!/bin/sh\necho 'ptrace is not permitted' >&2\nexit 1\n",
    )
    .exits(0)
    .says("Observed 7 of 7 tests")
    .says("strace does not work here: ptrace is not permitted");
    sandbox.write("data/one.txt", "11");
    let all = selected(&sandbox, &format!("{BASE} --no-observed"));
    assert_eq!(selected(&sandbox, BASE), all);
}

#[test]
fn test_with_a_damaged_trace_is_unobserved() {
    if !traced_for("test_with_a_damaged_trace_is_unobserved") {
        return;
    }
    let sandbox = sandbox();
    let real = std::process::Command::new("sh")
        .args(["-c", "command -v strace"])
        .output()
        .unwrap();
    let real = String::from_utf8(real.stdout).unwrap();
    let real = real.trim();
    // The words before `--` contain `-o FILE`.
    let after = |damage: &str| {
        format!(
            "#!/bin/sh\n{real} \"$@\"\nstatus=$?\nlast=\nfor word; do [ \"$last\" = -o ] && file=$word; last=$word; done\n\
             case \"$*\" in *reads_one*) {damage} ;; esac\nexit $status\n"
        )
    };
    collect_with(&sandbox, &after("truncate -s -9 $file"))
        .exits(0)
        .says("Observed 6 of 7 tests")
        .says("1 test: its trace is truncated");
    sandbox.write("data/two.txt", "22");
    let both = ["app::it reads_one", "app::it reads_two"];
    assert_eq!(selected(&sandbox, BASE), both);
    sandbox.write("data/two.txt", "2");
    collect_with(&sandbox, &after("echo garbage >$file"))
        .exits(0)
        .says("Observed 6 of 7 tests")
        .says("1 test: its trace contains an unknown line: garbage");
    // Without the trace of the build, no file is known to be read by tests alone.
    let build = after(":")
        .replace("*reads_one*", "*nextest*list*")
        .replace(": ;;", "rm $file; touch $file ;;");
    collect_with(&sandbox, &build)
        .exits(0)
        .says("the build: its trace is truncated");
    sandbox.write("data/two.txt", "22");
    let all = selected(&sandbox, &format!("{BASE} --no-observed"));
    assert_eq!(selected(&sandbox, BASE), all);
}

#[test]
fn process_that_a_test_leaves_behind_does_not_stop_the_run() {
    if !traced_for("process_that_a_test_leaves_behind_does_not_stop_the_run") {
        return;
    }
    let sandbox = Sandbox::package();
    sandbox
        .write(
            "tests/it.rs",
            "#[test]\nfn leaves() {\n    std::process::Command::new(\"sleep\").arg(\"60\")\n        \
             .stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null())\n        \
             .spawn().unwrap();\n}\n",
        )
        .git();
    let started = std::time::Instant::now();
    sandbox
        .poc("affected --collect")
        .exits(0)
        .says("1 test: a process that it started did not end");
    assert!(started.elapsed().as_secs() < 50);
}

//! `verify --watch`, with files that are really saved.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::kit::{PROGRAM, Sandbox};

/// How long is waited for what must come; only a program that hangs ever gets there.
const PATIENCE: Duration = Duration::from_secs(120);

/// A watch at work. Both its streams are one, in order.
struct Watch {
    child: Child,
    lines: Receiver<String>,
    heard: Vec<String>,
}

impl Watch {
    fn start(sandbox: &Sandbox, more: &str) -> Self {
        let mut command = sandbox.command("bash");
        let line = format!("exec {PROGRAM} verify --watch --runner cargo {more} 2>&1");
        command.args(["-c", &line]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines() {
                if sender.send(line.unwrap()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            lines,
            heard: Vec::new(),
        }
    }

    /// Waits for a line that contains this text; returns the output since the last one.
    #[track_caller]
    fn says(&mut self, text: &str) -> String {
        let from = self.heard.len();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.heard.push(line);
                    if self.heard[self.heard.len() - 1].contains(text) {
                        return self.heard[from..].join("\n");
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("no {text:?} in\n{}", self.heard.join("\n"))
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("it ended without {text:?}\n{}", self.heard.join("\n"))
                }
            }
        }
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).unwrap();
        kill(Pid::from_raw(id), signal).unwrap();
    }

    /// Sends Ctrl-C and returns the output after it.
    #[track_caller]
    fn end(mut self) -> (i32, String) {
        self.signal(Signal::SIGINT);
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let rest: Vec<String> = self.lines.iter().collect();
        (code, rest.join("\n"))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const WATCHING: &str = "Watching for changes";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::workspace("store; app: store; alone");
    sandbox.git();
    sandbox
}

#[test]
fn save_runs_only_affected_tests() {
    let sandbox = sandbox();
    let mut watch = Watch::start(&sandbox, "");
    assert!(
        !watch.says(WATCHING).contains("Verifying"),
        "nothing has changed yet"
    );

    sandbox.edit("alone/src/lib.rs", "    42\n", "    40 + 2\n");
    let said = watch.says(WATCHING);
    assert!(said.contains("Changed alone/src/lib.rs"), "{said}");
    assert!(
        said.contains("-p alone") && !said.contains("-p store"),
        "{said}"
    );
    assert!(said.contains("affected: passed, 3 passed"), "{said}");

    // What no test can tell says nothing, and a document is none of the tests'; the next save shows that it was seen.
    sandbox.edit("alone/src/lib.rs", "//! The alone library.", "//! Alone.");
    sandbox.write("docs/note-plan.md", "# Note\n");
    sandbox.write("alone/src/lib.rs", sandbox.read("alone/src/lib.rs"));
    sandbox.write("target/built.rs", "fn built() {}\n");
    // It fails; and runs again with the next save, though that alone does not reach it.
    sandbox.edit("store/src/lib.rs", "    42\n", "    40 + 3\n");
    let said = watch.says(WATCHING);
    assert_eq!(said.matches("Affected").count(), 1, "{said}");
    assert!(
        said.contains("-p store") && !said.contains("-p alone"),
        "{said}"
    );
    assert!(said.contains("affected: failed"), "{said}");
    sandbox.edit("alone/src/lib.rs", "40 + 2", "41 + 1");
    let said = watch.says(WATCHING);
    assert!(
        said.contains("-p store") && said.contains("-p alone"),
        "{said}"
    );
    assert!(said.contains("affected: failed"), "{said}");
    sandbox.edit("store/src/lib.rs", "40 + 3", "40 + 2");
    assert!(watch.says(WATCHING).contains("affected: passed"));

    // A test target that is new, in a folder that is new.
    sandbox.write("store/tests/more/main.rs", "#[test]\nfn added() {}\n");
    let said = watch.says(WATCHING);
    assert!(said.contains("test added ... ok"), "{said}");
    // A member that is new, in a folder at the root.
    sandbox.member("fresh", "fresh", &[]);
    sandbox.edit("Cargo.toml", "\"alone\"", "\"alone\", \"fresh\"");
    // Its tests run, by its own name or with the whole workspace.
    while !watch.says(WATCHING).contains("Doc-tests fresh") {}
    sandbox.edit("fresh/src/lib.rs", "    42\n", "    40 + 2\n");
    assert!(watch.says(WATCHING).contains("Changed fresh/src/lib.rs"));

    let (code, rest) = watch.end();
    assert_eq!(code, 0, "{rest}");
}

#[test]
fn invalid_manifest_does_not_end_the_watch() {
    let sandbox = sandbox();
    let mut watch = Watch::start(&sandbox, "");
    watch.says(WATCHING);
    let manifest = sandbox.read("store/Cargo.toml");
    sandbox.write("store/Cargo.toml", "[package\n");
    assert!(watch.says(WATCHING).contains("error:"));
    sandbox.write("store/Cargo.toml", manifest);
    sandbox.edit("store/src/lib.rs", "    42\n", "    40 + 2\n");
    assert!(watch.says("affected: passed").contains("-p store"));
    assert_eq!(watch.end().0, 0);
}

/// A test that says when it begins and ends, and cannot run twice at once; until it is number 3 it hangs.
fn slow(sandbox: &Sandbox, number: u32) -> String {
    let at = |name: &str| sandbox.root.join("target").join(name);
    format!(
        "use std::io::Write as _;\n#[test]\nfn slow() {{\n    let open = |path: &str| \
         std::fs::File::options().create(true).append(true).open(path).unwrap();\n    let mut log = open({:?});\n    let lock = \
         open({:?});\n    if lock.try_lock().is_err() {{\n        writeln!(log, \"overlap\").unwrap();\n    }}\n    writeln!(log, \"begin \
         {number} {{}}\", std::process::id()).unwrap();\n    while {number} < 3 {{\n        \
         std::thread::sleep(std::time::Duration::from_millis(50));\n    }}\n    writeln!(log, \"end {number}\").unwrap();\n}}\n",
        at("log"),
        at("lock"),
    )
}

#[test]
fn save_during_a_run_restarts_it_with_the_change() {
    let sandbox = sandbox();
    sandbox.write("target/log", "");
    let mut watch = Watch::start(&sandbox, "");
    watch.says(WATCHING);
    for number in 1..=3 {
        sandbox.write("alone/tests/slow.rs", slow(&sandbox, number));
        // The first two hang, and are at work when the next one is saved.
        while !sandbox
            .read("target/log")
            .contains(&format!("begin {number} "))
        {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    let said = watch.says(WATCHING);
    assert!(
        said.contains("Changed alone/tests/slow.rs; starting again"),
        "{said}"
    );
    assert!(said.contains("affected: passed"), "{said}");
    assert!(
        !said.contains("interrupted; nothing was recorded"),
        "{said}"
    );
    let log = sandbox.read("target/log");
    let words: Vec<&str> = log
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(words, ["begin", "begin", "begin", "end"], "{log}");
    for line in log
        .lines()
        .filter(|line| line.starts_with("begin 1") || line.starts_with("begin 2"))
    {
        let id = line.rsplit(' ').next().unwrap().parse().unwrap();
        assert!(
            crate::exec::gone(id),
            "a test of a run that was ended goes on"
        );
    }
    assert_eq!(watch.end().0, 0);
}

#[test]
fn save_that_affects_no_test_does_not_end_a_run() {
    let sandbox = sandbox();
    let path = |name: &str| sandbox.root.join("target").join(name);
    sandbox.write("target/.keep", "");
    let mut watch = Watch::start(&sandbox, "");
    watch.says(WATCHING);
    sandbox.write(
        "alone/tests/waits.rs",
        format!(
            "#[test]\nfn waits() {{\n    std::fs::write({:?}, \"\").unwrap();\n    while !std::path::Path::new({:?}).exists() {{\n        \
             std::thread::sleep(std::time::Duration::from_millis(20));\n    }}\n}}\n",
            path("begun"),
            path("go"),
        ),
    );
    while !sandbox.exists("target/begun") {
        std::thread::sleep(Duration::from_millis(10));
    }
    sandbox.edit("store/src/lib.rs", "//! The store library.", "//! Store.");
    sandbox.write("docs/note-plan.md", "# Note\n");
    // Reverted before it was seen: no change.
    sandbox.write("alone/src/lib.rs", sandbox.read("alone/src/lib.rs"));
    std::thread::sleep(Duration::from_millis(600));
    sandbox.write("target/go", "");
    let said = watch.says(WATCHING);
    assert_eq!(said.matches("Verifying").count(), 1, "{said}");
    assert!(said.contains("affected: passed"), "{said}");
    assert_eq!(watch.end().0, 0);
}

/// A test that writes another text into a file of the package each time.
fn writes(file: &str) -> String {
    format!(
        "#[test]\nfn writes() {{\n    assert_eq!(alone::answer(), 42);\n    let path = concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{file}\");\n    let before = \
         std::fs::read_to_string(path).unwrap_or_default();\n    std::fs::write(path, format!(\"{{before}}// {{}}\\n\", \
         std::process::id())).unwrap();\n}}\n"
    )
}

#[test]
fn files_written_by_tests_do_not_trigger_endless_runs() {
    let sandbox = sandbox();
    // It changed in every run: classified as written by tests in the second one.
    sandbox
        .write("alone/log.txt", "")
        .write("alone/tests/writes.rs", writes("log.txt"));
    sandbox.commit("a log");
    let mut watch = Watch::start(&sandbox, "");
    watch.says(WATCHING);
    sandbox.edit("alone/src/lib.rs", "    42\n", "    40 + 2\n");
    let said = watch.says(WATCHING);
    assert!(
        said.contains("alone/log.txt changed while the tests ran"),
        "{said}"
    );
    let lines = |sandbox: &Sandbox| sandbox.read("alone/log.txt").lines().count();
    assert_eq!(lines(&sandbox), 2, "{said}");
    // A save between runs counts, whoever wrote the file before; and the message about written files is not repeated.
    sandbox.write("alone/log.txt", "");
    let said = watch.says(WATCHING);
    assert!(said.contains("Changed alone/log.txt"), "{said}");
    assert!(!said.contains("changed while the tests ran"), "{said}");
    assert_eq!(lines(&sandbox), 1, "{said}");
    sandbox.edit("alone/src/lib.rs", "40 + 2", "41 + 1");
    let said = watch.says(WATCHING);
    assert!(said.contains("Changed alone/src/lib.rs"), "{said}");
    assert_eq!(lines(&sandbox), 2, "{said}");
    assert_eq!(watch.end().0, 0);
}

#[test]
fn file_created_by_tests_is_not_a_save() {
    let sandbox = sandbox();
    sandbox.write("alone/tests/writes.rs", writes("new.txt"));
    let mut watch = Watch::start(&sandbox, "");
    let said = watch.says(WATCHING);
    assert!(
        said.contains("alone/new.txt changed while the tests ran"),
        "{said}"
    );
    assert_eq!(sandbox.read("alone/new.txt").lines().count(), 1, "{said}");
    assert_eq!(watch.end().0, 0);
}

#[test]
fn sources_written_by_tests_trigger_few_runs() {
    let sandbox = sandbox();
    sandbox.edit(
        "alone/src/lib.rs",
        "/// The answer.",
        "pub mod generated;\n/// The answer.",
    );
    sandbox.write("alone/src/generated.rs", "pub const N: u32 = 0;\n");
    let path = |name: &str| sandbox.root.join(name);
    sandbox.write("target/count", "");
    sandbox.write(
        "alone/tests/writes.rs",
        format!(
            "use std::io::Write as _;\n#[test]\nfn writes() {{\n    let mut count = \
             std::fs::File::options().append(true).open({:?}).unwrap();\n    writeln!(count, \"run\").unwrap();\n    let text = \
             format!(\"pub const N: u32 = {{}};\\n\", alone::generated::N + 1);\n    std::fs::write({:?}, text).unwrap();\n}}\n",
            path("target/count"),
            path("alone/src/generated.rs"),
        ),
    );
    let mut watch = Watch::start(&sandbox, "");
    let said = watch.says(WATCHING);
    assert!(
        said.contains("alone/src/generated.rs changed while the tests ran"),
        "{said}"
    );
    assert_eq!(sandbox.read("target/count").lines().count(), 5, "{said}");
    // The next save runs it.
    sandbox.append("alone/src/generated.rs", "pub const M: u32 = N;\n");
    let said = watch.says(WATCHING);
    assert!(said.contains("Changed alone/src/generated.rs"), "{said}");
    assert_eq!(sandbox.read("target/count").lines().count(), 6, "{said}");
    assert_eq!(watch.end().0, 0);
}

#[test]
fn ctrl_c_ends_the_tests_that_are_running() {
    let sandbox = sandbox();
    let file = sandbox.root.join("target/id");
    sandbox.write("target/.keep", "");
    sandbox.write(
        "alone/tests/hangs.rs",
        format!("#[test]\nfn hangs() {{\n    std::fs::write({file:?}, std::process::id().to_string()).unwrap();\n    loop {{\n        std::thread::sleep(std::time::Duration::from_secs(1));\n    }}\n}}\n"),
    );
    let mut watch = Watch::start(&sandbox, "");
    watch.says("Running tests/hangs.rs");
    while std::fs::read_to_string(&file).map_or(true, |id| id.is_empty()) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let id: i32 = sandbox.read("target/id").parse().unwrap();
    let (code, rest) = watch.end();
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("interrupted; nothing was recorded"), "{rest}");
    assert!(crate::exec::gone(id), "the test runs on");
    assert_eq!(
        sandbox.run_git(&["status", "--porcelain"]),
        "?? alone/tests/hangs.rs"
    );
}

#[test]
fn watch_records_nothing_and_uses_the_base_of_the_plan() {
    let sandbox = sandbox();
    sandbox
        .poc("init cache -p store --file store/src/cache.rs")
        .exits(0);
    sandbox.commit("plan");
    sandbox.edit("store/src/lib.rs", "    42\n", "    40 + 2\n");
    let mut watch = Watch::start(&sandbox, "cache -q");
    // Changes before the start run first.
    watch.says("cache affected: passed");
    sandbox.edit("alone/src/lib.rs", "    42\n", "    40 + 2\n");
    watch.says("cache affected: passed, 3 passed");
    assert_eq!(watch.end().0, 0);
    assert!(
        !sandbox
            .read("docs/cache-results.md")
            .contains("cargo-poc:evidence")
    );
}

#[test]
fn another_configuration_runs_the_affected_tests_again() {
    let sandbox = sandbox();
    sandbox.append(
        "Cargo.toml",
        "[workspace.metadata.poc]\ndefault-configuration = \"plain\"\n[workspace.metadata.poc.configurations.plain]\n\
         [workspace.metadata.poc.configurations.special]\nenvironment = { RUSTFLAGS = \"--cfg special\" }\n",
    );
    sandbox.append(
        "store/src/lib.rs",
        "\n#[cfg(special)]\n#[test]\nfn fails() {\n    assert_eq!(answer(), 0);\n}\n",
    );
    let mut watch = Watch::start(&sandbox, "");
    let said = watch.says(WATCHING);
    assert!(!said.contains("Verifying"), "{said}");
    sandbox.edit(
        "Cargo.toml",
        "default-configuration = \"plain\"",
        "default-configuration = \"special\"",
    );
    watch.says("affected: failed");
    assert_eq!(watch.end().0, 0);
}

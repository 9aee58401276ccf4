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

    /// Waits for a line that holds this; what was said up to it since the last one.
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

    /// Ctrl-C, and what was said after it.
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
fn a_save_runs_what_it_can_affect_and_nothing_else() {
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
    while !watch.says(WATCHING).contains("fresh::tests")
        && !watch.heard.join("\n").contains("-p fresh")
    {}
    sandbox.edit("fresh/src/lib.rs", "    42\n", "    40 + 2\n");
    assert!(watch.says(WATCHING).contains("Changed fresh/src/lib.rs"));

    let (code, rest) = watch.end();
    assert_eq!(code, 0, "{rest}");
}

#[test]
fn a_manifest_that_is_being_edited_does_not_end_it() {
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

#[test]
fn runs_never_overlap_and_a_save_during_one_is_seen_after_it() {
    let sandbox = sandbox();
    let log = sandbox.root.join("target/log");
    let test = |number: u32| {
        format!(
            "use std::io::Write as _;\n#[test]\nfn slow() {{\n    let mut log = \
             std::fs::File::options().create(true).append(true).open({log:?}).unwrap();\n    writeln!(log, \"begin\").unwrap();\n    \
             std::thread::sleep(std::time::Duration::from_millis(600));\n    writeln!(log, \"end {number}\").unwrap();\n}}\n"
        )
    };
    sandbox.write("target/.keep", "");
    let mut watch = Watch::start(&sandbox, "");
    watch.says(WATCHING);
    for number in 1..=3 {
        sandbox.write("alone/tests/slow.rs", test(number));
        // The first run is at work when the others are saved.
        if number == 1 {
            while !log.exists() {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
    while !sandbox.read("target/log").contains("end 3") {
        watch.says(WATCHING);
    }
    let lines = sandbox.read("target/log");
    let lines: Vec<&str> = lines
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert!(
        lines.chunks(2).all(|pair| pair == ["begin", "end"]),
        "{lines:?}"
    );
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
fn nothing_is_recorded_and_a_plan_is_followed_from_its_base() {
    let sandbox = sandbox();
    sandbox
        .poc("init cache -p store --file store/src/cache.rs")
        .exits(0);
    sandbox.commit("plan");
    sandbox.edit("store/src/lib.rs", "    42\n", "    40 + 2\n");
    let mut watch = Watch::start(&sandbox, "cache -q");
    // What was changed before it began is run first.
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

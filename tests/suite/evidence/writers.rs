//! Writers of one results document in processes of their own: at once, killed, and with a full disk.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use cargo_poc::internals::evidence::{Record, Scope, append, read};
use cargo_poc::internals::sys::{files, together};

use super::sample;

/// Set for [`helper`], which adds records in a separate process: `DOCUMENT LOCK NAME COUNT`.
const HELPER: &str = "CARGO_POC_TEST_EVIDENCE_HELPER";

/// Not a test: another `verify`, which the tests below start in a separate process.
#[test]
fn helper() {
    let Ok(order) = std::env::var(HELPER) else {
        return;
    };
    let words: Vec<_> = order.split(' ').collect();
    let [document, lock, name, count] = words[..] else {
        panic!("{order}");
    };
    for second in 0..count.parse().unwrap() {
        let one = Record {
            poc: name.to_owned(),
            ..sample(Scope::Affected, second)
        };
        if let Err(error) = record(Utf8Path::new(document), Utf8Path::new(lock), &one) {
            eprintln!("{error:#}");
            panic!("not recorded");
        }
    }
}

/// Adds a record as `verify` does: read under a lock, replaced as a whole.
fn record(path: &Utf8Path, lock: &Utf8Path, one: &Record) -> anyhow::Result<()> {
    let folder = path.parent().context("no folder")?;
    let _lock = files::lock(folder, lock, || Ok(()))?;
    together::remove_left_behind(folder);
    let text = append(&content(path), one)?;
    together::write_together(&[(path, text.as_bytes())]).context("failed to add evidence")
}

fn spawn(mut launcher: Command, document: &Utf8Path, name: &str, count: u32) -> Child {
    let lock = document.with_extension("lock");
    launcher
        .args(["--exact", "evidence::writers::helper", "--nocapture"])
        .env(HELPER, format!("{document} {lock} {name} {count}"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn ourselves() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

/// A folder with a results document.
fn results() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(folder.path().join("a-results.md")).unwrap();
    files::create(&path, b"# Results\n\nMine.\n").unwrap();
    (folder, path)
}

fn content(path: &Utf8Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn two_runs_at_once_lose_no_record() {
    let (_folder, path) = results();
    let children: Vec<Child> = ["one", "two", "three"]
        .into_iter()
        .map(|name| spawn(ourselves(), &path, name, 20))
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let evidence = read(&content(&path));
    assert_eq!(evidence.problems, []);
    for name in ["one", "two", "three"] {
        let own = evidence
            .records
            .iter()
            .filter(|located| located.record.poc == name);
        assert_eq!(own.count(), 20, "{name}");
    }
}

#[cfg(unix)]
#[test]
fn killed_process_leaves_a_readable_document() {
    let (_folder, path) = results();
    let mut seen = 0;
    for delay in 0..25 {
        let mut child = spawn(ourselves(), &path, "killed", 500);
        std::thread::sleep(Duration::from_millis(15 + delay * 4));
        // On a busy machine it may not have begun by then, so every fifth time its first record is waited for.
        while delay % 5 == 0 && read(&content(&path)).records.len() == seen {
            assert!(child.try_wait().unwrap().is_none(), "it ended before");
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let text = content(&path);
        assert!(text.starts_with("# Results\n\nMine.\n"));
        let evidence = read(&text);
        assert_eq!(evidence.problems, []);
        assert!(evidence.records.len() >= seen);
        seen = evidence.records.len();
    }
    assert!(seen > 0, "nothing was ever written");
    // The lock of a killed process is free, and the next writer removes its temporary file.
    let mut child = spawn(ourselves(), &path, "after", 1);
    assert!(child.wait().unwrap().success());
    assert_eq!(read(&content(&path)).records.len(), seen + 1);
    let names = std::fs::read_dir(path.parent().unwrap()).unwrap();
    let left: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["a-results.md"]);
}

#[cfg(unix)]
#[test]
fn full_disk_is_an_error_and_leaves_the_document_unchanged() {
    let (folder, path) = results();
    let before = content(&path);
    // No file may grow: what a full disk does to a write, without needing one.
    let mut limited = Command::new("bash");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""]);
    limited.arg(std::env::current_exe().unwrap());
    let output = spawn(limited, &path, "full", 1).wait_with_output().unwrap();
    assert!(!output.status.success());
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("failed to add evidence"), "{message}");
    assert!(message.contains("it is unchanged"), "{message}");
    assert_eq!(content(&path), before);
    let names = std::fs::read_dir(folder.path()).unwrap();
    let left: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["a-results.md"], "the document alone");
}

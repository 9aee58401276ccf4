//! `cargo poc demo`: the story holds, and nothing of it is left behind unless asked for.

use std::fs;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The demo with its temporary folders in `temporary`.
fn demo(temporary: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-poc"));
    command
        .args(["poc", "demo", "--color", "never"])
        .env("CARGO_INCREMENTAL", "0")
        .env("TMPDIR", temporary.path())
        .env("TMP", temporary.path())
        .stdin(Stdio::null());
    command
}

fn left_in(temporary: &TempDir) -> Vec<String> {
    fs::read_dir(temporary.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// What `cargo poc ARGUMENTS` printed in the story, the `occurrence`th time it was run.
fn printed<'s>(story: &'s str, arguments: &str, occurrence: usize) -> &'s str {
    let command = format!("$ cargo poc {arguments}\n");
    let after = story.split(&command).nth(occurrence);
    let after = after.unwrap_or_else(|| panic!("`{arguments}` was not run:\n{story}"));
    after.split("\n# ").next().unwrap()
}

/// The state of a step on a status screen.
fn state<'s>(screen: &'s str, step: &str) -> &'s str {
    let line = screen.lines().find_map(|line| {
        let (state, rest) = line.trim().split_once("  ")?;
        rest.trim_start()
            .starts_with(&format!("{step}  "))
            .then_some(state)
    });
    line.unwrap_or_else(|| panic!("no step {step}:\n{screen}"))
}

#[test]
fn demo_plays_every_scene_and_removes_its_folder() {
    let temporary = TempDir::new().unwrap();
    let output = demo(&temporary).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let story = stdout(&output);
    assert!(story.contains("codec = { path = \"../codec\" }"), "{story}");

    let failed = printed(story, "verify snapshot --step 1 -q", 1);
    assert!(failed.contains("snapshot_step_1_a_value_of_two_lines ... FAILED"));
    assert!(failed.contains("(exit code 1)"), "{failed}");

    let fixed = printed(story, "verify snapshot --step 1 -q", 2);
    assert!(fixed.contains("passed, 2 passed"), "{fixed}");
    let proven = printed(story, "status snapshot", 1);
    let stale = printed(story, "status --check", 1);
    let again = printed(story, "status --check", 2);
    for step in ["0", "1", "2"] {
        assert_eq!(state(proven, step), "proven");
        // A set-up that is done stays done.
        assert_eq!(
            state(stale, step),
            if step == "0" { "proven" } else { "stale" }
        );
        assert_eq!(state(again, step), "proven");
    }
    assert!(stale.contains("(exit code 3)"), "{stale}");
    assert!(!again.contains("(exit code"), "{again}");

    for line in crate::readme::recording() {
        assert!(
            story.lines().any(|shown| is_cut_from(line, shown)),
            "the guide's recording has `{line}`, which the demo does not print:\n{story}"
        );
    }

    assert_eq!(left_in(&temporary), [""; 0]);
}

/// Whether `line` is `shown`; of a command, words may be left out. The commit that the sample starts from is another one
/// every time, and so is the time that something took.
fn is_cut_from(line: &str, shown: &str) -> bool {
    if !line.starts_with("$ ") {
        return without_hashes(line) == without_hashes(shown);
    }
    let mut words = shown.split(' ');
    let mut wanted = line.split(' ').filter(|word| *word != "…");
    wanted.all(|word| words.any(|shown| shown == word))
}

fn without_hashes(text: &str) -> String {
    let is_hash =
        |word: &str| word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words = text.split(' ').map(|word| {
        let bare = word.trim_end_matches([')', ',']);
        if is_hash(bare) {
            "HASH"
        } else if bare.parse::<f64>().is_ok() && bare.contains('.') {
            "SECONDS"
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_folder_is_kept_when_asked_for() {
    let temporary = TempDir::new().unwrap();
    let output = demo(&temporary).arg("--keep").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let [folder] = left_in(&temporary).try_into().unwrap();
    let root = temporary.path().join(folder).join("pantry");
    assert!(stderr(&output).contains(root.to_str().unwrap()));
    let status = Command::new(env!("CARGO_BIN_EXE_cargo-poc"))
        .args(["status", "--check"])
        .current_dir(&root)
        .env("CARGO_NET_OFFLINE", "true")
        .output()
        .unwrap();
    assert_eq!(status.status.code(), Some(0), "{}", stdout(&status));
}

#[test]
fn closed_pipe_leaves_no_folder() {
    let temporary = TempDir::new().unwrap();
    let mut child = demo(&temporary)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(left_in(&temporary), [""; 0]);
}

#[test]
fn failed_demo_exits_with_4_and_keeps_its_folder() {
    let temporary = TempDir::new().unwrap();
    let no_programs = TempDir::new().unwrap();
    let output = demo(&temporary)
        .env("PATH", no_programs.path())
        .env("CARGO", env!("CARGO"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", stdout(&output));
    let [folder] = left_in(&temporary).try_into().unwrap();
    assert!(stderr(&output).contains(&folder), "{}", stderr(&output));
    assert!(stderr(&output).contains("`git`"), "{}", stderr(&output));
}

#[cfg(unix)]
#[test]
fn an_interrupted_demo_leaves_nothing() {
    use std::io::{BufRead as _, BufReader};

    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    let temporary = TempDir::new().unwrap();
    let mut child = demo(&temporary)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Once the baseline has begun and there is a target folder, a compiler is at work below it.
    let mut story = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(story.any(|line| line.unwrap().contains("--baseline -q")));
    let is_built = |folder: &String| {
        let target = temporary.path().join(folder).join("pantry/target");
        target.join("debug/deps").exists()
    };
    // Compilers have their temporary folders here as well.
    while !left_in(&temporary).iter().any(is_built) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let process = Pid::from_raw(child.id().try_into().unwrap());
    kill(process, Signal::SIGINT).unwrap();
    let rest: Vec<String> = story.map(Result::unwrap).collect();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{rest:?}");
    assert!(
        stderr(&output).contains("interrupted"),
        "{}",
        stderr(&output)
    );
    assert_eq!(left_in(&temporary), [""; 0]);
}

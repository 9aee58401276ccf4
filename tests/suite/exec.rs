//! Running programs: output, time limits, signals, and no process that remains.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::bail;
use cargo_poc::internals::sys::exec::{
    ExitReason, Outcome, ProcessCommand, capture, install_interrupt_handler, stream,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Set for [`helper`], which plays this program in a separate process.
const HELPER: &str = "CARGO_POC_TEST_EXEC_HELPER";

fn shell(script: &str) -> ProcessCommand {
    ProcessCommand::new("bash").args(["-c", script])
}

/// Runs a script and returns its parts beside its outcome.
fn streamed(command: &ProcessCommand) -> (Outcome, Vec<String>) {
    let mut parts = Vec::new();
    let outcome = stream(command, &mut |part| {
        parts.push(String::from_utf8_lossy(part.bytes).into_owned());
        Ok(())
    });
    (outcome.unwrap(), parts)
}

/// Waits until `pid` has ended or is a zombie.
pub(crate) fn gone(pid: i32) -> bool {
    // Only a process that stays ever lives that long.
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat.rsplit_once(") ").map(|(_, rest)| rest.as_bytes()[0]);
        if kill(Pid::from_raw(pid), None).is_err() || state == Some(b'Z') {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

#[test]
fn output_and_errors_are_merged_in_order() {
    let (outcome, parts) = streamed(&shell("echo one; echo two >&2; echo three; exit 3"));
    assert_eq!(outcome.ended, ExitReason::Exited(3));
    assert_eq!(parts, ["one\n", "two\n", "three\n"]);
    assert_eq!(outcome.tail, "one\ntwo\nthree\n");
}

#[test]
fn lines_arrive_while_the_program_runs() {
    let folder = tempfile::tempdir().unwrap();
    let answer = folder.path().join("answer");
    // The program ends only after its first line has been handed on.
    let script = format!(
        "echo one; until [ -e '{}' ]; do sleep 0.01; done; echo two",
        answer.display()
    );
    let command = shell(&script).timeout(Some(Duration::from_secs(60)));
    let mut lines = Vec::new();
    let outcome = stream(&command, &mut |part| {
        lines.push(part.bytes.to_vec());
        std::fs::File::create(&answer)?;
        Ok(())
    });
    assert_eq!(outcome.unwrap().ended, ExitReason::Exited(0));
    assert_eq!(lines, [b"one\n", b"two\n"]);
}

#[test]
fn a_line_that_has_not_ended_is_shown_after_a_moment() {
    let (_, parts) = streamed(&shell("printf 'password: '; sleep 0.6; echo; echo end"));
    assert_eq!(parts, ["password: ", "\n", "end\n"]);
}

#[test]
fn line_of_ten_megabytes_is_split_and_the_tail_stays_small() {
    let (outcome, parts) = streamed(&shell(
        "head -c 10000000 /dev/zero | tr '\\0' x; echo; echo end",
    ));
    assert_eq!(parts.iter().map(String::len).sum::<usize>(), 10_000_005);
    assert!(parts.iter().all(|part| part.len() <= 96 * 1024));
    assert!(outcome.tail.len() <= 64 * 1024);
    assert!(outcome.tail.ends_with("x\nend\n"));
}

#[test]
fn invalid_utf_8_and_missing_line_ends_survive() {
    let mut bytes = Vec::new();
    let command = shell(r"printf 'a\xff\xfeb\r\nlast'");
    let outcome = stream(&command, &mut |part| {
        bytes.extend_from_slice(part.bytes);
        Ok(())
    });
    assert_eq!(bytes, b"a\xff\xfeb\r\nlast");
    assert_eq!(outcome.unwrap().tail, "a\u{fffd}\u{fffd}b\r\nlast");
}

#[test]
fn captured_output_and_errors_stay_apart() {
    let captured = capture(&shell("echo out; echo err >&2; exit 1")).unwrap();
    assert_eq!(captured.ended, ExitReason::Exited(1));
    assert_eq!(captured.stdout, b"out\n");
    assert_eq!(captured.stderr, b"err\n");
}

#[test]
fn standard_input_is_empty() {
    let captured = capture(&shell("cat; echo end")).unwrap();
    assert_eq!(captured.stdout, b"end\n");
}

#[test]
fn environment_and_folder_are_the_ones_given() {
    let folder = tempfile::tempdir().unwrap();
    let path = camino::Utf8Path::from_path(folder.path()).unwrap();
    let command = shell("pwd -P; echo $ONE; echo ${HOME-none}")
        .directory(path)
        .env("ONE", "a b")
        .env_remove("HOME");
    let real = path.canonicalize_utf8().unwrap();
    let printed = String::from_utf8(capture(&command).unwrap().stdout).unwrap();
    assert_eq!(printed, format!("{real}\na b\nnone\n"));
}

#[test]
fn a_signal_is_not_an_exit_status() {
    let (outcome, _) = streamed(&shell("kill -SEGV $$"));
    assert_eq!(outcome.ended, ExitReason::Signalled(11));
    assert_eq!(outcome.ended.code(), 139);
}

#[test]
fn missing_program_is_an_error_with_a_remedy() {
    let command =
        ProcessCommand::new("cargo-nowhere").remedy("install it with `cargo install nowhere`");
    let error = format!("{:#}", capture(&command).unwrap_err());
    assert!(error.contains("failed to start `cargo-nowhere`"), "{error}");
    assert!(error.contains("cargo install nowhere"), "{error}");
}

#[test]
fn a_missing_folder_is_not_mistaken_for_a_missing_program() {
    let error = capture(&shell("true").directory("/no/such/folder")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("/no/such/folder is not a folder"),
        "{error}"
    );
}

#[test]
fn a_timeout_ends_children_and_grandchildren() {
    let endless = "sleep infinity & echo $!; bash -c 'sleep infinity & echo $!; wait' & wait";
    let command = shell(endless).timeout(Some(Duration::from_millis(400)));
    let (outcome, parts) = streamed(&command);
    assert_eq!(outcome.ended, ExitReason::TimedOut);
    assert_eq!(parts.len(), 2);
    for pid in parts {
        assert!(gone(pid.trim().parse().unwrap()), "{pid} still runs");
    }
}

#[test]
fn a_program_that_ignores_the_request_is_killed_after_the_grace() {
    let command = shell("trap 'echo asked' TERM; echo $$; while :; do sleep 0.1; done")
        .timeout(Some(Duration::from_millis(200)));
    let (outcome, parts) = streamed(&command);
    assert_eq!(outcome.ended, ExitReason::TimedOut);
    let asked = parts.iter().filter(|part| *part == "asked\n");
    assert_eq!(asked.count(), 2, "{parts:?}");
    assert!(gone(parts[0].trim().parse().unwrap()));
}

#[test]
fn output_during_the_grace_period_is_kept() {
    let command = shell("trap 'echo cleaning; exit 7' TERM; while :; do sleep 0.05; done")
        .timeout(Some(Duration::from_millis(300)));
    let (outcome, parts) = streamed(&command);
    assert_eq!(outcome.ended, ExitReason::TimedOut);
    assert_eq!(parts.last().unwrap(), "cleaning\n");
}

#[test]
fn remaining_members_of_the_group_are_ended() {
    for left in ["sleep infinity &", "sleep infinity >/dev/null 2>&1 &"] {
        let (outcome, parts) = streamed(&shell(&format!("{left} echo $!; exit 0")));
        assert_eq!(outcome.ended, ExitReason::Exited(0));
        assert!(gone(parts[0].trim().parse().unwrap()), "{left}");
    }
}

#[test]
fn remaining_member_with_output_does_not_block_the_run() {
    let (outcome, parts) = streamed(&shell("(while :; do echo x; done) & echo $!; exit 0"));
    assert_eq!(outcome.ended, ExitReason::Exited(0));
    let pid = parts.iter().find(|part| part.trim() != "x").unwrap();
    assert!(gone(pid.trim().parse().unwrap()));
}

#[cfg(target_os = "linux")]
#[test]
fn daemon_with_an_open_pipe_does_not_block_the_run() {
    let (outcome, parts) = streamed(&shell("setsid sleep infinity & echo $!; exit 0"));
    assert_eq!(outcome.ended, ExitReason::Exited(0));
    // It left on purpose; the test cleans up after itself.
    let _gone = kill(
        Pid::from_raw(parts[0].trim().parse().unwrap()),
        Signal::SIGKILL,
    );
}

#[cfg(target_os = "linux")]
#[test]
fn descendant_in_another_group_is_ended_with_its_parent() {
    // As a test runner does that gives each test a group and is itself killed before it can end them.
    let script =
        "trap '' TERM; setsid bash -c \"trap '' TERM; echo \\$\\$; while :; do sleep 0.1; done\"";
    let command = shell(&format!("{script}; true")).timeout(Some(Duration::from_millis(300)));
    let (outcome, parts) = streamed(&command);
    assert_eq!(outcome.ended, ExitReason::TimedOut);
    assert!(gone(parts[0].trim().parse().unwrap()));
}

#[test]
fn an_error_from_the_reader_ends_the_run() {
    let mut pid = 0;
    let error = stream(&shell("echo $$; sleep 60"), &mut |part| {
        pid = String::from_utf8_lossy(part.bytes).trim().parse()?;
        bail!("reader is gone")
    });
    assert_eq!(error.unwrap_err().to_string(), "reader is gone");
    assert!(gone(pid));
}

#[test]
fn a_thousand_lines_after_the_end_are_all_read() {
    let (_, parts) = streamed(&shell("seq 1 200000"));
    assert_eq!(parts.len(), 200_000);
    assert_eq!(parts[199_999], "200000\n");
}

/// Not a test by itself: this program, started by [`signalled`] in a separate process.
#[test]
fn helper() {
    let Ok(script) = std::env::var(HELPER) else {
        return;
    };
    install_interrupt_handler().unwrap();
    let outcome = stream(&shell(&script), &mut |part| {
        eprint!("{}", String::from_utf8_lossy(part.bytes));
        Ok(())
    });
    eprintln!("ended: {}", outcome.unwrap().ended);
}

/// Starts `script` in [`helper`], and sends the first signal once the script has printed the pids of `count` processes,
/// and each other one after the next line. Returns the pids, and what the helper printed after them.
fn signalled(script: &str, count: usize, signals: &[Signal]) -> (Vec<i32>, Vec<String>) {
    let mut helper = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "exec::helper", "--nocapture"])
        .env(HELPER, script)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(helper.stderr.take().unwrap()).lines();
    let pids = lines
        .by_ref()
        .take(count)
        .map(|line| line.unwrap().parse().unwrap());
    let pids: Vec<i32> = pids.collect();
    let mut rest = Vec::new();
    for (index, signal) in signals.iter().enumerate() {
        if index > 0 {
            rest.push(lines.next().unwrap().unwrap());
        }
        kill(Pid::from_raw(helper.id().cast_signed()), *signal).unwrap();
    }
    rest.extend(lines.map(Result::unwrap));
    helper.wait().unwrap();
    (pids, rest)
}

#[test]
fn ctrl_c_leaves_no_process_behind() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let script = "sleep 60 & echo $!; bash -c 'echo $$; sleep 61' & wait";
        let (pids, rest) = signalled(script, 2, &[signal]);
        assert_eq!(rest.last().unwrap(), "ended: interrupted");
        assert!(pids.into_iter().all(gone), "{signal}");
    }
}

#[test]
fn a_second_ctrl_c_does_not_wait_for_the_grace() {
    // The shell reports the end of `sleep` on its standard error, before or after it runs the trap.
    let script = "exec 2>/dev/null; trap 'echo asked' TERM; echo $$; while :; do sleep 0.1; done";
    let (pids, rest) = signalled(script, 1, &[Signal::SIGINT, Signal::SIGINT]);
    // After the grace it would have been asked twice.
    let asked = rest.iter().filter(|line| *line == "asked");
    assert_eq!(asked.count(), 1, "{rest:?}");
    assert_eq!(rest.last().unwrap(), "ended: interrupted");
    assert!(pids.into_iter().all(gone));
}

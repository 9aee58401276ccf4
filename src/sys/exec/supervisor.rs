//! Linux: a process between this program and a program it runs, so that no process outlives this program.
//!
//! Every process that the program starts, in any session, stays a descendant of the supervisor: the kernel reparents orphaned processes to
//! it. The supervisor ends them all when the program has ended, and at once when this program is gone, even after SIGKILL.

use std::ffi::OsString;
use std::os::unix::process::parent_id;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::group::processes;

/// The first argument of this program as a supervisor; the parent process and the program follow.
pub(super) const SUPERVISE: &str = "__supervise";

/// The interval for checking whether the parent process still exists.
const POLL: Duration = Duration::from_millis(100);
/// The time for descendants to end after the program, before they are asked to end, and before they are killed.
const GRACE: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// Runs a program as its supervisor, if the arguments request that. Returns the exit status as in a shell.
#[must_use]
pub fn run_as_supervisor(arguments: &[OsString]) -> Option<Result<i32>> {
    match arguments {
        [_, word, parent, program @ ..] if word == SUPERVISE => {
            let parent = parent.to_str()?.parse().ok()?;
            Some(supervise(parent, program))
        }
        _ => None,
    }
}

fn supervise(parent: u32, program: &[OsString]) -> Result<i32> {
    prctl::set_child_subreaper(true).context("failed to become a subreaper")?;
    // A signal to the group is for the program; the supervisor has to outlive it.
    ctrlc::set_handler(|| ()).context("failed to install a signal handler")?;
    let (name, arguments) = program.split_first().context("no program is given")?;
    let child = Command::new(name)
        .args(arguments)
        .spawn()
        .with_context(|| format!("failed to start `{}`", name.to_string_lossy()))?;
    let child = Pid::from_raw(child.id().cast_signed());
    std::thread::spawn(move || {
        while parent_id() == parent {
            std::thread::sleep(POLL);
        }
        while signal_descendants(Signal::SIGKILL) {
            std::thread::sleep(Duration::from_millis(10));
        }
        exit_now();
    });
    let status = loop {
        match waitpid(None, None) {
            Ok(WaitStatus::Exited(pid, code)) if pid == child => break code,
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child => break 128 + signal as i32,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error).context("failed to wait"),
        }
    };
    end_descendants();
    Ok(status)
}

/// No process waits for this one.
#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "a thread has no caller to return a code to"
)]
fn exit_now() {
    std::process::exit(137);
}

/// Ends the remaining descendants.
fn end_descendants() {
    let steps = [None, Some(Signal::SIGTERM)].into_iter().zip(GRACE);
    for (signal, grace) in steps {
        if let Some(signal) = signal {
            signal_descendants(signal);
        }
        let begun = Instant::now();
        while begun.elapsed() < grace {
            reap();
            if descendants().is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    while signal_descendants(Signal::SIGKILL) {
        reap();
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits for every child that has ended.
fn reap() {
    while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        if status == WaitStatus::StillAlive {
            return;
        }
    }
}

/// Signals every descendant. Returns whether there was any.
fn signal_descendants(signal: Signal) -> bool {
    let all = descendants();
    for pid in &all {
        // Fails only if it has just ended.
        let _gone = kill(*pid, signal);
    }
    !all.is_empty()
}

/// The running descendants of this process.
fn descendants() -> Vec<Pid> {
    let all = processes().unwrap_or_default();
    let mut family = vec![nix::unistd::getpid()];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        next += 1;
        let children = all.iter().filter(|process| process.parent == parent);
        family.extend(children.map(|process| process.pid));
    }
    let running = |pid: &Pid| {
        all.iter()
            .any(|process| process.pid == *pid && process.running)
    };
    family.split_off(1).into_iter().filter(running).collect()
}

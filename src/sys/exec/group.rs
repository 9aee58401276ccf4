//! A program and all processes it started.

use std::process::ExitStatus;

use anyhow::{Context as _, Result};
use process_wrap::std::{ChildWrapper, CommandWrap};

#[cfg_attr(unix, path = "group/unix.rs")]
#[cfg_attr(windows, path = "group/windows.rs")]
mod platform;

#[cfg(target_os = "linux")]
pub(super) use platform::processes;

/// A started program with its process group (Unix) or job object (Windows).
pub(super) struct Group {
    child: Box<dyn ChildWrapper>,
    status: Option<ExitStatus>,
    members: platform::Members,
}

impl Group {
    pub(super) fn spawn(command: &mut CommandWrap) -> std::io::Result<Self> {
        let child = platform::wrap(command).spawn()?;
        let members = platform::Members::of(child.as_ref());
        Ok(Self {
            child,
            status: None,
            members,
        })
    }

    /// The exit status of the program itself, once it has ended.
    pub(super) fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        if self.status.is_none() {
            self.status = self.child.try_wait().context("failed to wait")?;
        }
        Ok(self.status)
    }

    /// Whether the program or any member of its group still runs.
    pub(super) fn is_alive(&mut self) -> Result<bool> {
        Ok(self.try_wait()?.is_none() || self.members.any_alive())
    }

    /// Asks every member to end (SIGTERM). Windows has no such request, so it kills them.
    pub(super) fn ask_to_end(&mut self) {
        self.members.ask_to_end(self.child.as_mut());
    }

    /// Kills every member, and waits for the program's exit status.
    pub(super) fn kill(&mut self) {
        self.members.kill(self.child.as_mut());
        if self.status.is_none() {
            // It was killed and ends at once; an error means that there is nothing to wait for.
            self.status = self.child.wait().ok();
        }
    }
}

impl Drop for Group {
    /// Leaves no process behind on any path, except on a panic, which aborts a release build.
    fn drop(&mut self) {
        if self.status.is_none() {
            self.kill();
        }
    }
}

//! Handles Ctrl-C and requests to end for all running programs, and [`Stop`], which ends single ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context as _, Result};

static INSTALLED: AtomicBool = AtomicBool::new(false);
static PRESSED: AtomicUsize = AtomicUsize::new(0);
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// Handles Ctrl-C, SIGTERM and SIGHUP. While a program runs, they end its process group and the run returns
/// [`ExitReason::Interrupted`](super::ExitReason); otherwise they end this program with status 130. Calling it again changes nothing.
pub fn install_interrupt_handler() -> Result<()> {
    if INSTALLED.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    ctrlc::set_handler(|| {
        PRESSED.fetch_add(1, Ordering::SeqCst);
        if RUNNING.load(Ordering::SeqCst) == 0 {
            end_now();
        }
    })
    .context("failed to install a handler for Ctrl-C")
}

/// Whether this program was asked to end.
#[must_use]
pub fn interrupted() -> bool {
    count() > 0
}

/// The number of requests to end: after the second, nothing is waited for.
pub(super) fn count() -> usize {
    PRESSED.load(Ordering::SeqCst)
}

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "a signal handler has no caller to return a code to"
)]
fn end_now() {
    std::process::exit(130);
}

/// Held while a program runs or cleanup is pending: Ctrl-C then only sets [`interrupted`] and does not end this process.
#[derive(Debug)]
pub struct Running;

impl Running {
    /// Starts the scope, which ends when the value is dropped.
    #[must_use]
    pub fn enter() -> Self {
        RUNNING.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Ends programs from another thread: those that were started with it end as [`ExitReason::Interrupted`](super::ExitReason), with their
/// groups.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Ends them, including those that are started later.
    pub fn ask(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether their end was requested.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

//! One test binary for everything that runs the program or other processes.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests fail by panicking, and helpers are tests too"
)]

mod document;
#[cfg(unix)]
mod exec;
mod observe;

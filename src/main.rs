//! The binary: run, and map the outcome to an exit code.

use std::process::ExitCode;

/// The item graph and a hundred documents are made by all processors at once, and of many small parts; what was measured is
/// Linux.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cargo_poc::run(std::env::args_os()).into()
}

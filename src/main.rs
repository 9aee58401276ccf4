//! The binary: run, and map the outcome to an exit code.

use std::process::ExitCode;

// All processors build the item graph and read documents at once, in many small allocations. Measured on Linux only.
#[cfg(all(target_os = "linux", feature = "allocator"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cargo_poc::run(std::env::args_os()).into()
}

//! The binary: run, and map the outcome to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_poc::run(std::env::args_os()).into()
}

//! `cargo poc completions`.

use std::io;

use anyhow::Result;
use clap::CommandFactory as _;

use crate::cli::{Cli, Completions};
use crate::exit::Exit;
use crate::terminal::Terminal;

/// Prints the completion script of a shell for `cargo-poc`.
///
/// # Errors
/// When the output cannot be written.
pub fn run(arguments: &Completions, terminal: &mut Terminal) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Cli::command(),
        "cargo-poc",
        &mut script,
    );
    io::Write::write_all(terminal.out(), &script)?;
    Ok(Exit::Fine)
}

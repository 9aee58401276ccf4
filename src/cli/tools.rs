//! `demo`, `completions` and `man` on the command line.

use camino::Utf8PathBuf;
use clap::Args;

/// `cargo poc demo`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc demo           the whole loop, and nothing left behind
  cargo poc demo --keep    and look at its plan, results and git log afterwards")]
pub struct Demo {
    /// Keep the folder, and say where it is
    #[arg(long)]
    pub keep: bool,
}

/// `cargo poc completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo poc completions bash > ~/.local/share/bash-completion/completions/cargo-poc
  echo 'source <(cargo-poc completions bash)' >> ~/.bashrc    for `cargo poc` too, in place of the line above
  cargo poc completions zsh > ~/.zfunc/_cargo-poc             with ~/.zfunc in fpath
  cargo poc completions fish > ~/.config/fish/conf.d/cargo-poc.fish

The shell asks `cargo-poc`, which has to be on PATH, so names are those of the workspace it is in.")]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `cargo poc man`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc man | man -l -
  cargo poc man --out /usr/local/share/man/man1    cargo-poc.1, cargo-poc-verify.1, …")]
pub struct Man {
    /// Write a page for each command into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<Utf8PathBuf>,
}

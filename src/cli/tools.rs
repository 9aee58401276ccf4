//! The command lines of `demo`, `completions` and `man`.

use camino::Utf8PathBuf;
use clap::Args;

/// `cargo poc demo`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc demo           every step; the folder is removed at the end
  cargo poc demo --keep    keep the folder with the plan, results and git log")]
pub struct Demo {
    /// Keep the folder and print its path
    #[arg(long)]
    pub keep: bool,
}

/// `cargo poc completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  source <(cargo-poc completions bash)           in ~/.bashrc
  source <(cargo-poc completions zsh)            in ~/.zshrc, after compinit
  cargo-poc completions fish | source            in ~/.config/fish/config.fish
  eval (cargo-poc completions elvish | slurp)    in ~/.config/elvish/rc.elv
  cargo-poc completions powershell | Out-String | Invoke-Expression
                                                 in $PROFILE, for `cargo-poc` alone
  cargo poc completions zsh > ~/.zfunc/_cargo-poc    needs ~/.zfunc in fpath

The script calls `cargo-poc`, which has to be in PATH, to complete the names of the current workspace.")]
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
    /// Write a page for each command to this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<Utf8PathBuf>,
}

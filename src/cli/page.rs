//! `cargo poc report`.

use camino::Utf8PathBuf;
use clap::Args;

use super::common::{Build, Which};

/// `cargo poc report`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc report                         every PoC, into target/cargo-poc/report.html
  cargo poc report cache -o cache.html     one, to send to someone
  cargo poc report -o - | gzip > report.html.gz
  cargo poc report --open                  and shows it

The page is one file: it loads nothing, needs no script, and takes the browser's light or dark colours.")]
pub struct Report {
    /// Which PoCs.
    #[command(flatten)]
    pub which: Which,
    /// Where to write the page; `-` prints it [default: target/cargo-poc/report.html]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<Utf8PathBuf>,
    /// Show the page in the browser: that of $BROWSER, or else the system's
    #[arg(long)]
    pub open: bool,
    /// How the workspace is built.
    #[command(flatten)]
    pub build: Build,
}

//! The command line of `cargo poc report`.

use camino::Utf8PathBuf;
use clap::Args;

use super::common::{Build, Which};

/// `cargo poc report`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc report                         every PoC, into target/cargo-poc/report.html
  cargo poc report cache -o cache.html     one PoC, into this file
  cargo poc report -o - | gzip > report.html.gz
  cargo poc report --open                  write the page and open it in the browser

The page is one file. It loads nothing, needs no script, and follows the light or dark mode of the browser.")]
pub struct Report {
    /// The PoCs of the page.
    #[command(flatten)]
    pub which: Which,
    /// Output file; `-` prints the page [default: target/cargo-poc/report.html]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<Utf8PathBuf>,
    /// Open the page in $BROWSER, or in the default browser
    #[arg(long)]
    pub open: bool,
    /// The build options.
    #[command(flatten)]
    pub build: Build,
}
